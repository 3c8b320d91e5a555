import Execution
import Primitives

/// What people do in the world of the fuzz targets.
struct Story {
    /// Executed before everything else.
    let past: [SignedTransaction]
    /// Handed to the node that inputs go to.
    let present: [SignedTransaction]
    /// Handed to another node meanwhile.
    let elsewhere: [SignedTransaction]
    /// One of each kind that can execute next.
    let next: [(name: String, transaction: SignedTransaction)]

    private static let preimage = Array("offpeak".utf8)

    init(_ keys: FuzzKeys) {
        let escrows = (0..<3).map { Story.escrow(keys, $0) }
        let ids = escrows.map { Escrow.id(transaction: $0.id, operation: 0) }
        past =
            escrows + [
                keys.signed(0, 0, [.transfer(Transfer(to: keys.address(1), amount: 5))]),
                keys.signed(3, 0, [.escrowDispute(ids[1])]),
                keys.signed(5, 0, [.bond(Story.bond(keys))]),
                keys.signed(6, 0, [.setPolicy(Story.policy(keys))]),
                keys.signed(1, 0, [.setSafeguards(Story.guardians(keys))]),
                keys.signed(4, 0, [Story.proposal(keys, of: 1)]),
            ]
        present = (0..<8).map { place in
            keys.signed(
                place == 6 ? 7 : place, 0, [.transfer(Transfer(to: keys.address(2), amount: 7))],
                stream: UInt16(1 + place))
        }
        elsewhere = (0..<8).map { place in
            keys.signed(
                place, 0, [.transfer(Transfer(to: keys.address(1), amount: 3))],
                stream: UInt16(20 + place))
        }
        next = Story.next(keys, ids)
    }

    private static func quorum(_ keys: FuzzKeys, _ people: [Int]) -> Quorum {
        let members = people.map { Quorum.Member(address: keys.address($0), weight: 1) }
        guard let quorum = try? Quorum(members: members, threshold: UInt32(people.count)) else {
            preconditionFailure("a quorum of \(people)")
        }
        return quorum
    }

    /// From person 2 to person 3, with person 4 to arbitrate; the last one has a hashlock.
    private static func escrow(_ keys: FuzzKeys, _ place: Int) -> SignedTransaction {
        let terms = EscrowTerms(
            payee: keys.address(3), amount: 1000, release: quorum(keys, [2]),
            refund: quorum(keys, [3]), arbitration: quorum(keys, [4]),
            hashlock: place == 2 ? Bytes32.sha256(preimage) : nil,
            deadline: Timestamp(FuzzKeys.start + 600_000), onDeadline: .refund,
            arbitrationDeadline: Timestamp(FuzzKeys.start + 900_000))
        return keys.signed(2, UInt64(place), [.escrowCreate(terms)])
    }

    private static func bond(_ keys: FuzzKeys) -> Bond {
        Bond(
            amount: 2_000_000, chainID: keys.genesis.chainID, sender: keys.address(5),
            key: keys.people[5], peerKey: keys.people[5])
    }

    private static func policy(_ keys: FuzzKeys) -> Policy {
        let signers = [6, 7].map {
            Policy.Signer(publicKey: keys.people[$0].publicKey, weight: 1)
        }
        guard let policy = try? Policy(signers: signers, spend: 2, admin: 2) else {
            preconditionFailure("a policy of two")
        }
        return policy
    }

    /// Person 4 alone.
    private static func guardians(_ keys: FuzzKeys) -> SafeguardTerms {
        SafeguardTerms(
            guardians: Guardians(quorum: quorum(keys, [4]), delayMilliseconds: 3_600_000))
    }

    private static func proposal(_ keys: FuzzKeys, of person: Int) -> Operation {
        .proposeRecovery(RecoveryProposal(account: keys.address(person), policy: policy(keys)))
    }

    /// A limit beside the guardians.
    private static func limits(_ keys: FuzzKeys) -> SafeguardTerms {
        SafeguardTerms(
            limits: [SpendingLimit(amount: 7, windowMilliseconds: 3_600_000)],
            guardians: guardians(keys).guardians)
    }

    private static func next(
        _ keys: FuzzKeys, _ escrows: [EscrowID]
    ) -> [(name: String, transaction: SignedTransaction)] {
        func decide(_ escrow: EscrowID, _ direction: EscrowDirection, _ preimage: [UInt8]?)
            -> Operation
        {
            .escrowDecide(
                EscrowDecision(
                    escrow: escrow, round: 0, direction: direction, amount: 1000,
                    preimage: preimage))
        }
        let operations: [(String, Int, [Operation])] = [
            ("transfer", 0, [.transfer(Transfer(to: keys.address(1), amount: 12))]),
            ("set-policy", 1, [.setPolicy(policy(keys))]),
            ("top-up", 2, [.escrowTopUp(EscrowTopUp(escrow: escrows[0], amount: 10))]),
            ("release", 2, [decide(escrows[0], .release, nil)]),
            ("release-hashlock", 2, [decide(escrows[2], .release, preimage)]),
            ("refund", 3, [decide(escrows[0], .refund, nil)]),
            ("dispute", 3, [.escrowDispute(escrows[0])]),
            (
                "arbitrate", 4,
                [
                    .escrowArbitrate(
                        EscrowArbitration(
                            escrow: escrows[1], round: 0, toPayee: 600, toPayer: 400))
                ]
            ),
            ("bond", 5, [.bond(bond(keys))]),
            ("unbond", 5, [.unbond(Unbond(key: keys.people[5].publicKey, amount: 2_000_000))]),
            ("withdraw", 5, [.withdraw(keys.people[5].publicKey)]),
            ("close-stream", 1, [.closeStream(2)]),
            ("evidence", 7, [.reportEvidence([2, 1, 0])]),
            ("set-safeguards", 7, [.setSafeguards(guardians(keys))]),
            ("set-limits", 0, [.setSafeguards(limits(keys))]),
            ("propose-recovery", 4, [proposal(keys, of: 1)]),
            ("veto-recovery", 1, [.vetoRecovery(keys.address(1))]),
            ("complete-recovery", 0, [.completeRecovery(keys.address(1))]),
            (
                "withdraw-decision", 2,
                [.escrowWithdrawDecision(EscrowWithdrawal(escrow: escrows[0], round: 0))]
            ),
        ]
        let single = operations.map { name, person, operations in
            (name, keys.signed(person, sequence(person), operations, memo: [1, 2]))
        }
        let shared = keys.signed(
            0, sequence(0), operations.prefix(3).flatMap(\.2), cosigners: [2, 3])
        let create = escrow(keys, sequence(2) == 3 ? 3 : 0)
        return single + [("create", create), ("cosigned", shared)]
    }

    /// The next sequence of a person on stream 0.
    private static func sequence(_ person: Int) -> UInt64 {
        switch person {
        case 2: 3
        case 0, 1, 3, 4, 5, 6: 1
        default: 0
        }
    }
}
