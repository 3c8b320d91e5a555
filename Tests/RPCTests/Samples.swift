import Primitives

@testable import RPC

/// One value of each answer.
enum Samples {
    static let digits = String(repeating: "00", count: 32)

    static let nodeStatus = NodeStatus(
        version: "0.1.0", network: "test", chainID: digits, prefix: "opk", peerID: "opknod1",
        validator: 2, role: .validator, epoch: 0, view: 9, finalizedHeight: 8, appliedHeight: 7,
        stateRoot: digits, time: 1_700_000_000_000,
        supply: SupplyInfo(
            balances: 90, escrowed: 4, bonded: 3, deposits: 2, undistributed: 1, supply: 100),
        peersConnected: 3, connectedWeight: 4, totalWeight: 4, quorum: 3, ready: true, reasons: [],
        uptimeMilliseconds: 5)

    static let chainHead = ChainHead(
        height: 7, digest: "opkblk1", view: 9, time: 1_700_000_000_000, stateRoot: digits,
        finalizedHeight: 8)

    static let block = BlockSummary(
        height: 7, digest: "opkblk1", parent: "opkblk1", epoch: 0, view: 9, proposer: 1,
        time: 1_700_000_000_000, executedHeight: 5, executedStateRoot: digits,
        stateRoot: digits, direct: ["opktxn1"],
        batches: [BatchSummary(digest: "opkbat1", owner: 3, transactions: ["opktxn1"])])

    static let receipt = ReceiptInfo(
        transaction: "opktxn1", height: 7, index: 0, fee: Amount(.max), outcome: .failed,
        failure: OperationFailure(operation: 0, code: 2, reason: "insufficientFunds"), escrows: [])

    static let account = AccountInfo(
        address: "opkacc1", balances: [AssetBalance(asset: digits, amount: Amount(.max))],
        policy: PolicyInfo(
            signers: [SignerInfo(publicKey: "opkpub1", weight: 1)], spend: 1, admin: 1),
        streams: [
            StreamInfo(stream: 0, nextSequence: SequenceNumber(.max), lastUse: 5, deposit: 0)
        ], deposits: 0,
        safeguards: safeguards, height: 7, stateRoot: digits)

    static let quorum = QuorumInfo(
        members: [MemberInfo(address: "opkacc1", weight: 1)], threshold: 1)

    static let governance = GovernanceInfo(
        parameters: [
            GovernedParameterInfo(
                name: "fees.baseFee", value: 1, least: 0, greatest: Amount(.max))
        ],
        proposals: [
            ProposalInfo(
                id: "opkprp1", proposer: "opkacc1",
                changes: [ParameterChangeInfo(name: "fees.baseFee", value: 2)], isApproved: true,
                due: 9, approvingWeight: 3, rejectingWeight: 1, totalWeight: 4,
                votes: [VoteInfo(validator: "opkpub1", approves: true)])
        ], voteBlocks: 5, delayBlocks: 6, approvalPermille: 667, deposit: 7, height: 8)
    static let asset = AssetInfo(
        id: "opkast1", issuer: "opkacc1", symbol: "EURX", decimals: 2, cap: Amount(.max),
        canFreeze: true, canClawBack: false, supply: 5, escrowed: 3, deposit: 2, height: 1)
    static let recovery = RecoveryInfo(
        policy: PolicyInfo(
            signers: [SignerInfo(publicKey: "opkpub1", weight: 1)], spend: 1, admin: 1),
        readyAt: 5, validUntil: Timestamp(.max))
    static let guardians = GuardiansInfo(quorum: quorum, delayMilliseconds: .max, quietUntil: 4)
    static let safeguards = SafeguardsInfo(
        limits: [
            SpendingLimitInfo(
                asset: digits, amount: Amount(.max), windowMilliseconds: 3_600_000, left: 2,
                windowEnds: 3)
        ], guardians: guardians, recovery: recovery)
    static let guarded = GuardedInfo(account: "opkacc1", guardians: guardians, recovery: recovery)

    static let escrow = EscrowInfo(
        id: "opkesc1", payer: "opkacc1", payee: "opkacc1", asset: digits, state: .disputed,
        held: 5, released: 3, refunded: 2, round: 1, release: quorum, refund: quorum,
        arbitration: quorum, hashlock: digits, preimage: "00", notBefore: 1, deadline: 2,
        onDeadline: .refund, arbitrationDeadline: 3,
        decisions: [DecisionInfo(participant: "opkacc1", direction: .release, amount: 5)],
        height: 7)

    static let verifier = VerifierInfo(
        key: "opkpub1", peerID: "opknod1", owner: "opkacc1", rewardAddress: "opkacc1",
        validator: false, candidate: true, bonded: Amount(.max),
        releases: [ReleaseInfo(amount: 1, height: 2)],
        offences: 3, jailedUntil: Height(.max), rewards: 4, height: 7)

    static let feeEstimate = FeeEstimate(
        height: 7, baseFee: 3, targetWeight: 9,
        levels: [FeeLevelEstimate(level: .urgent, baseFeeMax: Amount(.max), tip: 0)])

    static let streamUse = StreamUse(id: "opktxn1", height: 7, transaction: "AAEC")

    static let history = AccountHistory(
        address: "opkacc1",
        postings: [
            PostingInfo(
                place: "7-0", height: 7, time: 1, kind: "transfer", asset: "native",
                direction: .credit, amount: Amount(.max), balance: Amount(.max),
                party: "opkacc1", transaction: "opktxn1")
        ],
        next: "7-0", height: 8, time: 2, completeAbove: 0, completeSince: 0, balance: 5)

    static let proof = ProofInfo(
        height: 6, stateRoot: digits, block: "opkblk1", blockHeight: 8, proof: "AAEC")

    static let epochs = EpochProofs(
        steps: [EpochProof(epoch: 3, proof: "AAEC"), EpochProof(epoch: 4, proof: "AwQF")],
        epoch: 5)

    static let validators = ValidatorList(
        epoch: 0, totalWeight: 4, quorum: 3,
        validators: [
            ValidatorInfo(
                index: 0, votingKey: "opkpub1", peerID: "opknod1", weight: 1,
                rewardAddress: "opkacc1", connected: true)
        ])

    static let peers = PeerList(peers: [
        PeerInfo(
            peerID: "opknod1", validator: 0, address: "127.0.0.1:7000", direction: .outbound,
            roundTripMicroseconds: 80, bytesReceived: 1, bytesSent: 2, connectedMilliseconds: 3)
    ])

    static let mempool = MempoolStatus(
        transactions: 1, bytes: 300, batchesOpen: 0, batchesCertified: 1,
        queues: MempoolQueues(
            following: 1, batchesUncertified: 2, batchesChecking: 3, checks: 4, bodiesMissing: 5,
            appeals: 6, complaints: 7),
        shards: [
            ShardInfo(shard: 0, term: 4, rank: 1, owner: 3, transactions: 1, batches: 2)
        ])

    static let verifiers = VerifierList(
        period: 2, from: 64, until: 95, totalBond: 80, validityThreshold: 27,
        verifiers: [
            VerifierMember(
                index: 4, key: "opkpub1", peerID: "opknod1", role: .verifier, bond: 20,
                rewardAddress: "opkacc1", connected: true)
        ])

    static let verification = VerificationStatus(
        peerID: "opknod1", role: .validator, bond: 10, spread: true,
        checked: CheckCounts(admission: 10, assigned: 20, rescue: 30, screening: 40, direct: 50),
        recent: [
            RecentChecks(minutes: 1, milliseconds: 60_000, checked: CheckCounts(assigned: 5))
        ],
        capacity: CapacityInfo(
            signaturesPerSecond: 20_000, free: 1, forecast: 2, queueMilliseconds: 3),
        checkers: [
            CheckerInfo(
                peerID: "opknod1", role: .verifier, bond: 20, signaturesPerSecond: 9000,
                latencyMilliseconds: 12, outstanding: 1, asked: 9, answered: 5, late: 2,
                declined: 1, wrong: 1)
        ],
        evidence: [
            EvidenceInfo(
                offender: "opkpub1", kind: "wrong_verdict", height: 7, evidence: "AA==")
        ])

    static let genesis = GenesisInfo(
        network: "test", prefix: "opk", chainID: digits, time: 1, supply: 100, accounts: 1,
        validators: 4,
        parameters: FeeParameters(
            baseFee: 1, byteWeight: 1, signatureWeight: 50, writeWeight: 20, streamDeposit: 10,
            escrowDeposit: 11, holdingDeposit: 12, assetDeposit: 13),
        canonical: "AA==")

    /// A transfer signed by the key whose seed is all `seed`.
    static func transaction(seed: UInt8 = 1, sequence: SequenceNumber = 0) -> SignedTransaction {
        let key = SecretKey(seed: SecureBytes(copying: [UInt8](repeating: seed, count: 32)))
        let policy = Policy.single(key.publicKey)
        let transaction = Transaction(
            chainID: .zero, sender: policy.address, sequence: sequence, validUntil: 10, maxFee: 5,
            operations: [.transfer(Transfer(to: .zero, amount: 1))])
        return SignedTransaction(signing: transaction, policies: [policy], by: [key])
    }
}
