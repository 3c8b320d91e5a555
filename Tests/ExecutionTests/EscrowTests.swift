import Primitives
import Testing

@testable import Execution

/// An open escrow of 1000 from alice to bob: both together release, bob alone refunds, carol and
/// dave arbitrate.
struct EscrowWorld {
    var world: World
    let id: EscrowID
    let deadline: UInt64
    let arbitrationDeadline: UInt64

    init(
        hashlock: Bytes32? = nil, notBefore: UInt64? = nil, hasArbitration: Bool = true,
        onDeadline: EscrowDirection = .refund, escrow: EscrowParameters = .init()
    ) throws {
        world = try World(escrow: escrow)
        deadline = World.start + 100_000
        arbitrationDeadline = World.start + 200_000
        let terms = EscrowTerms(
            payee: world.bob.address, amount: 1000,
            release: try EscrowWorld.quorum([world.alice, world.bob], 2),
            refund: try EscrowWorld.quorum([world.bob], 1),
            arbitration: hasArbitration
                ? try EscrowWorld.quorum([world.carol, world.dave], 2) : nil,
            hashlock: hashlock, notBefore: notBefore.map { Timestamp($0) },
            deadline: Timestamp(deadline), onDeadline: onDeadline,
            arbitrationDeadline: hasArbitration ? Timestamp(arbitrationDeadline) : nil)
        #expect(try world.run(world.alice, .escrowCreate(terms)) == .success)
        guard case .executed(let receipt)? = world.lastOutcome?.results.first else {
            throw Unexpected(what: "the escrow wasn't made")
        }
        id = try #require(receipt.escrows.first)
    }

    static func quorum(_ people: [Person], _ threshold: UInt32) throws -> Quorum {
        try Quorum(
            members: people.map { .init(address: $0.address, weight: 1) }, threshold: threshold)
    }

    var escrow: Escrow {
        get throws { try #require(try world.reader.escrow(id)) }
    }

    func decision(
        _ direction: EscrowDirection, _ amount: UInt64, round: UInt64 = 0,
        preimage: [UInt8]? = nil
    ) -> Operation {
        .escrowDecide(
            EscrowDecision(
                escrow: id, round: round, direction: direction, amount: Amount(amount),
                preimage: preimage))
    }

    func split(_ toPayee: UInt64, _ toPayer: UInt64, round: UInt64 = 1) -> Operation {
        .escrowArbitrate(
            EscrowArbitration(
                escrow: id, round: round, toPayee: Amount(toPayee), toPayer: Amount(toPayer)))
    }

    /// What bob got beyond his fees can be told from the escrow alone.
    func expect(
        held: UInt64, released: UInt64, refunded: UInt64, state: Escrow.State,
        _ comment: Comment? = nil
    ) throws {
        let escrow = try escrow
        #expect(escrow.held.rawValue == held, comment)
        #expect(escrow.released.rawValue == released, comment)
        #expect(escrow.refunded.rawValue == refunded, comment)
        #expect(escrow.state == state, comment)
        #expect(world.ledger.totals.escrowed.rawValue == held, comment)
    }
}

@Suite struct EscrowTests {
    @Test func `money leaves the payer when the escrow is made`() throws {
        let escrow = try EscrowWorld()
        try escrow.expect(held: 1000, released: 0, refunded: 0, state: .open)
        #expect(try escrow.world.balance(escrow.world.alice) < World.balance - 1000)
        #expect(try escrow.world.reader.account(.zero) == nil)
    }

    @Test func `milestones are released one by one until nothing is held`() throws {
        var escrow = try EscrowWorld()
        let (alice, bob) = (escrow.world.alice, escrow.world.bob)
        let before = try escrow.world.balance(bob)
        #expect(try escrow.world.run(alice, escrow.decision(.release, 400)) == .success)
        try escrow.expect(held: 1000, released: 0, refunded: 0, state: .open, "below its quorum")
        #expect(try escrow.world.run(bob, escrow.decision(.release, 400)) == .success)
        try escrow.expect(held: 600, released: 400, refunded: 0, state: .open)
        #expect(
            try failure(escrow.world.run(bob, escrow.decision(.release, 400))) == .wrongRound)
        // Both in one transaction, gathered off-line.
        #expect(
            try escrow.world.run(
                alice, escrow.decision(.release, 600, round: 1), cosigners: [bob]) == .success)
        try escrow.expect(held: 0, released: 1000, refunded: 0, state: .closed)
        let fees = before + 1000 - (try escrow.world.balance(bob))
        #expect(fees < 2000, "bob paid only fees")
        #expect(
            try failure(escrow.world.run(bob, escrow.decision(.release, 1, round: 2)))
                == .escrowUnknown)
    }

    @Test func `unequal decisions don't add up, and the last one of each counts`() throws {
        var escrow = try EscrowWorld()
        let (alice, bob) = (escrow.world.alice, escrow.world.bob)
        try escrow.world.run(alice, escrow.decision(.release, 400))
        try escrow.world.run(bob, escrow.decision(.release, 401))
        try escrow.expect(held: 1000, released: 0, refunded: 0, state: .open)
        #expect(try escrow.escrow.decisions.count == 2)
        try escrow.world.run(alice, escrow.decision(.release, 401))
        try escrow.expect(held: 599, released: 401, refunded: 0, state: .open)
        #expect(try escrow.escrow.decisions.isEmpty)
        #expect(try escrow.escrow.round == 1)
    }

    @Test func `a refund goes back to the payer, in part or whole`() throws {
        var escrow = try EscrowWorld()
        try escrow.world.run(escrow.world.bob, escrow.decision(.refund, 1))
        try escrow.expect(held: 999, released: 0, refunded: 1, state: .open)
        try escrow.world.run(escrow.world.bob, escrow.decision(.refund, 999, round: 1))
        try escrow.expect(held: 0, released: 0, refunded: 1000, state: .closed)
    }

    @Test func `a payee may refuse after a dispute too, all or nothing`() throws {
        var escrow = try EscrowWorld()
        let (alice, bob) = (escrow.world.alice, escrow.world.bob)
        try escrow.world.run(alice, .escrowDispute(escrow.id))
        for (person, operation, code) in [
            (bob, escrow.decision(.refund, 999, round: 1), .escrowDisputed),
            (bob, escrow.decision(.refund, 1000, round: 0), .escrowDisputed),
            (bob, escrow.decision(.release, 1000, round: 1), .escrowDisputed),
            (bob, escrow.decision(.refund, 1000, round: 1, preimage: [1]), .escrowDisputed),
            (alice, escrow.decision(.refund, 1000, round: 1), .escrowDisputed),
        ] as [(Person, Operation, FailureCode)] {
            #expect(try failure(escrow.world.run(person, operation)) == code)
        }
        #expect(
            try escrow.world.run(bob, escrow.decision(.refund, 1000, round: 1)) == .success)
        try escrow.expect(held: 0, released: 0, refunded: 1000, state: .closed)
    }

    @Test func `a top-up on the way doesn't turn a refusal into less`() throws {
        for isDisputed in [false, true] {
            var escrow = try EscrowWorld()
            let (alice, bob) = (escrow.world.alice, escrow.world.bob)
            #expect(
                try escrow.world.run(
                    alice, .escrowTopUp(EscrowTopUp(escrow: escrow.id, amount: 1))) == .success)
            if isDisputed { try escrow.world.run(alice, .escrowDispute(escrow.id)) }
            let round: UInt64 = isDisputed ? 1 : 0
            #expect(
                try failure(
                    escrow.world.run(alice, escrow.decision(.refund, .max, round: round)))
                    == (isDisputed ? .escrowDisputed : .amountAboveHeld))
            #expect(
                try escrow.world.run(bob, escrow.decision(.refund, .max, round: round))
                    == .success)
            try escrow.expect(held: 0, released: 0, refunded: 1001, state: .closed)
        }
    }

    @Test func `a payee refuses whatever the terms are, as sender or cosigner`() throws {
        let hash = Bytes32.sha256([7])
        for onDeadline in [EscrowDirection.refund, .release] {
            for hashlock in [nil, hash] where hashlock == nil || onDeadline == .refund {
                for isCosigner in [false, true] {
                    var escrow = try EscrowWorld(
                        hashlock: hashlock, notBefore: World.start + 50_000,
                        hasArbitration: false, onDeadline: onDeadline)
                    let (bob, carol) = (escrow.world.bob, escrow.world.carol)
                    #expect(
                        try escrow.world.run(
                            isCosigner ? carol : bob, escrow.decision(.refund, 1000),
                            cosigners: isCosigner ? [bob] : []) == .success)
                    try escrow.expect(held: 0, released: 0, refunded: 1000, state: .closed)
                }
            }
        }
    }

    /// Others keep it for him: a key that spends is not enough.
    @Test func `who is payer and payee doesn't refuse`() throws {
        var escrow = try EscrowWorld()
        let (alice, carol) = (escrow.world.alice, escrow.world.carol)
        let terms = EscrowTerms(
            payee: alice.address, amount: 500,
            release: try EscrowWorld.quorum([alice, carol], 2),
            refund: try EscrowWorld.quorum([alice, carol], 2),
            deadline: Timestamp(escrow.deadline), onDeadline: .refund)
        let made = try escrow.world.run([
            SignedTransaction(
                signing: try escrow.world.transaction(alice.address, [.escrowCreate(terms)]),
                policies: [], by: [alice.key])
        ])
        guard case .executed(let receipt)? = made.first, let id = receipt.escrows.first else {
            throw Unexpected(what: "\(made)")
        }
        let refund = Operation.escrowDecide(
            EscrowDecision(escrow: id, round: 0, direction: .refund, amount: 500))
        #expect(try escrow.world.run(alice, refund) == .success)
        #expect(try escrow.world.reader.escrow(id)?.held == 500)
        let all = Operation.escrowDecide(
            EscrowDecision(escrow: id, round: 0, direction: .refund, amount: Amount(.max)))
        #expect(try failure(escrow.world.run(alice, all)) == .amountAboveHeld)
        #expect(try escrow.world.run(carol, refund) == .success)
        #expect(try escrow.world.reader.escrow(id)?.held ?? 0 == 0)
    }

    @Test func `each wrong decision fails with its own code`() throws {
        var escrow = try EscrowWorld()
        let world = escrow.world
        let cases: [(Person, Operation, FailureCode)] = [
            (world.carol, escrow.decision(.release, 1), .notParticipant),
            (world.alice, escrow.decision(.refund, 1), .notParticipant),
            (world.alice, escrow.decision(.release, 0), .zeroAmount),
            (world.alice, escrow.decision(.release, 1001), .amountAboveHeld),
            (world.alice, escrow.decision(.release, .max), .amountAboveHeld),
            (world.alice, escrow.decision(.release, 1, round: 1), .wrongRound),
            (world.alice, escrow.decision(.release, 1, preimage: [1]), .preimageUnexpected),
            (world.carol, escrow.split(500, 500, round: 0), .notDisputed),
            (world.carol, .escrowDispute(escrow.id), .notParticipant),
            (world.alice, .escrowDispute(.zero), .escrowUnknown),
            (world.carol, .escrowTopUp(.init(escrow: .zero, amount: 1)), .escrowUnknown),
            (world.carol, .escrowTopUp(.init(escrow: escrow.id, amount: 0)), .zeroAmount),
            (
                world.carol, .escrowTopUp(.init(escrow: escrow.id, amount: Amount(.max))),
                .insufficientFunds
            ),
        ]
        for (person, operation, code) in cases {
            #expect(try failure(escrow.world.run(person, operation)) == code)
            try escrow.expect(held: 1000, released: 0, refunded: 0, state: .open, "\(code)")
        }
        try escrow.world.run(world.alice, escrow.decision(.release, 1))
        #expect(
            try failure(escrow.world.run(world.alice, escrow.decision(.release, 1)))
                == .alreadyDecided)
    }

    @Test func `a top-up adds to what is held and takes no decision away`() throws {
        var escrow = try EscrowWorld()
        let (alice, bob, carol) = (escrow.world.alice, escrow.world.bob, escrow.world.carol)
        try escrow.world.run(bob, escrow.decision(.release, 1000))
        try escrow.world.run(carol, .escrowTopUp(.init(escrow: escrow.id, amount: 50)))
        try escrow.world.run(alice, escrow.decision(.release, 1000))
        try escrow.expect(held: 50, released: 1000, refunded: 0, state: .open)
        #expect(try escrow.escrow.toppedUp == 50)
        #expect(try escrow.escrow.isBalanced)
    }

    @Test func `a hashlock needs the preimage, which anybody's decision may show`() throws {
        let secret: [UInt8] = Array("open sesame".utf8)
        var escrow = try EscrowWorld(hashlock: .sha256(secret))
        let (alice, bob) = (escrow.world.alice, escrow.world.bob)
        try escrow.world.run(alice, escrow.decision(.release, 300))
        #expect(
            try failure(escrow.world.run(bob, escrow.decision(.release, 300))) == .preimageMissing)
        #expect(
            try failure(escrow.world.run(bob, escrow.decision(.release, 300, preimage: [1])))
                == .preimageWrong)
        try escrow.expect(held: 1000, released: 0, refunded: 0, state: .open)
        try escrow.world.run(bob, escrow.decision(.release, 300, preimage: secret))
        try escrow.expect(held: 700, released: 300, refunded: 0, state: .open)
        // Once shown it stays shown.
        try escrow.world.run(alice, escrow.decision(.release, 700, round: 1), cosigners: [bob])
        try escrow.expect(held: 0, released: 1000, refunded: 0, state: .closed)
    }

    @Test func `nothing is released before its time, but refunds are free`() throws {
        var escrow = try EscrowWorld(notBefore: World.start + 50_000)
        let (alice, bob) = (escrow.world.alice, escrow.world.bob)
        #expect(
            try failure(
                escrow.world.run(
                    alice, escrow.decision(.release, 1), cosigners: [bob],
                    at: World.start + 49_999)) == .beforeNotBefore)
        #expect(try escrow.world.run(bob, escrow.decision(.refund, 1)) == .success)
        #expect(
            try escrow.world.run(
                alice, escrow.decision(.release, 1, round: 1), cosigners: [bob],
                at: World.start + 50_999) == .success)
    }

    @Test func `a dispute leaves only arbitration, which splits all that is held`() throws {
        var escrow = try EscrowWorld()
        let world = escrow.world
        try escrow.world.run(world.alice, escrow.decision(.release, 1000))
        #expect(try escrow.world.run(world.alice, .escrowDispute(escrow.id)) == .success)
        try escrow.expect(held: 1000, released: 0, refunded: 0, state: .disputed)
        let cases: [(Person, Operation, FailureCode)] = [
            (world.bob, escrow.decision(.release, 1000, round: 1), .escrowDisputed),
            (world.bob, .escrowDispute(escrow.id), .escrowDisputed),
            (world.bob, .escrowTopUp(.init(escrow: escrow.id, amount: 1)), .escrowDisputed),
            (world.carol, escrow.split(1000, 1), .splitMismatch),
            (world.carol, escrow.split(.max, 1001), .splitMismatch),
            (world.carol, escrow.split(500, 500, round: 0), .wrongRound),
            (world.alice, escrow.split(500, 500), .notParticipant),
        ]
        for (person, operation, code) in cases {
            #expect(try failure(escrow.world.run(person, operation)) == code)
        }
        try escrow.world.run(world.carol, escrow.split(300, 700))
        try escrow.expect(held: 1000, released: 0, refunded: 0, state: .disputed)
        try escrow.world.run(world.dave, escrow.split(300, 700))
        try escrow.expect(held: 0, released: 300, refunded: 700, state: .closed)
    }

    @Test func `without an arbiter nobody can dispute`() throws {
        var escrow = try EscrowWorld(hasArbitration: false)
        #expect(
            try failure(escrow.world.run(escrow.world.alice, .escrowDispute(escrow.id)))
                == .noArbitration)
        #expect(
            try failure(escrow.world.run(escrow.world.carol, escrow.split(500, 500, round: 0)))
                == .noArbitration)
    }

    @Test(arguments: [EscrowDirection.refund, .release])
    func `the block carries out the default at the deadline`(direction: EscrowDirection) throws {
        var escrow = try EscrowWorld(onDeadline: direction)
        try escrow.world.run([], at: escrow.deadline - 1)
        try escrow.expect(held: 1000, released: 0, refunded: 0, state: .open)
        // In the same block a decision comes too late.
        let late = SignedTransaction(
            signing: try escrow.world.transaction(
                escrow.world.bob.address, [escrow.decision(.refund, 1)]),
            by: [escrow.world.bob.key])
        #expect(
            try failure(escrow.world.run([late], at: escrow.deadline)) == .escrowUnknown)
        let isRefund = direction == .refund
        try escrow.expect(
            held: 0, released: isRefund ? 0 : 1000, refunded: isRefund ? 1000 : 0, state: .closed)
        #expect(
            escrow.world.lastOutcome?.expiries
                == [.init(escrow: escrow.id, direction: direction, amount: 1000)])
    }

    @Test func `a dispute moves the default to the arbitration deadline`() throws {
        var escrow = try EscrowWorld()
        try escrow.world.run(escrow.world.bob, .escrowDispute(escrow.id))
        try escrow.world.run([], at: escrow.deadline)
        try escrow.expect(held: 1000, released: 0, refunded: 0, state: .disputed)
        try escrow.world.run([], at: escrow.arbitrationDeadline)
        try escrow.expect(held: 0, released: 0, refunded: 1000, state: .closed)
    }

    @Test func `due escrows go in order of deadline, a bounded number for each block`() throws {
        var escrow = try EscrowWorld(escrow: .init(expiriesPerBlockMax: 2))
        let quorum = try EscrowWorld.quorum([escrow.world.bob], 1)
        for offset in [5, 3, 4, 1, 2] as [UInt64] {
            let terms = EscrowTerms(
                payee: escrow.world.bob.address, amount: Amount(offset), release: quorum,
                refund: quorum, deadline: Timestamp(escrow.deadline + offset))
            #expect(try escrow.world.run(escrow.world.alice, .escrowCreate(terms)) == .success)
        }
        var carriedOut: [[UInt64]] = []
        for step in 0..<4 {
            // The others are past their deadline already: nobody can decide about them.
            let late = EscrowDecision(
                escrow: try #require(
                    escrow.world.reader.escrows(of: escrow.world.bob.address, limit: 10)
                        .first { $0.terms.amount == 5 }?.id),
                round: 0, direction: .release, amount: 1)
            let outcome = try escrow.world.run(
                escrow.world.bob, .escrowDecide(late),
                at: escrow.deadline + 100 + UInt64(step))
            #expect(failure(outcome) == (step < 2 ? .deadlinePast : .escrowUnknown))
            carriedOut.append(
                escrow.world.lastOutcome?.expiries.map(\.amount.rawValue) ?? [])
        }
        #expect(carriedOut == [[1000, 1], [2, 3], [4, 5], []])
    }

    @Test func `terms that could hold money badly are refused`() throws {
        var world = try World(escrow: .init(durationMillisecondsMax: 1_000_000))
        let quorum = try EscrowWorld.quorum([world.bob], 1)
        let now = World.start + 1000
        func terms(
            amount: Amount = 10, asset: AssetID = .native, arbitration: Quorum? = nil,
            hashlock: Bytes32? = nil, notBefore: UInt64? = nil, deadline: UInt64 = 900_000,
            onDeadline: EscrowDirection = .refund, arbitrationDeadline: UInt64? = nil
        ) -> EscrowTerms {
            EscrowTerms(
                payee: world.bob.address, asset: asset, amount: amount, release: quorum,
                refund: quorum, arbitration: arbitration, hashlock: hashlock,
                notBefore: notBefore.map { Timestamp(now + $0) },
                deadline: Timestamp(now + deadline), onDeadline: onDeadline,
                arbitrationDeadline: arbitrationDeadline.map { Timestamp(now + $0) })
        }
        let cases: [(EscrowTerms, FailureCode)] = [
            (terms(amount: 0), .zeroAmount),
            (terms(amount: Amount(.max)), .insufficientFunds),
            (terms(asset: AssetID(.sha256([]))), .unknownAsset),
            (terms(deadline: 0), .deadlinePast),
            (terms(deadline: 1_000_001), .deadlineTooFar),
            (
                terms(arbitration: quorum, deadline: 1, arbitrationDeadline: 1_000_001),
                .deadlineTooFar
            ),
            (terms(arbitration: quorum), .arbitrationTerms),
            (terms(arbitrationDeadline: 950_000), .arbitrationTerms),
            (terms(arbitration: quorum, arbitrationDeadline: 900_000), .arbitrationTerms),
            (terms(notBefore: 900_000), .notBeforeTooLate),
            (terms(hashlock: .zero, onDeadline: .release), .hashlockDefault),
        ]
        for (terms, code) in cases {
            #expect(try failure(world.run(world.alice, .escrowCreate(terms), at: now)) == code)
        }
        #expect(try world.run(world.alice, .escrowCreate(terms()), at: now) == .success)
    }

    @Test func `participants may be accounts with several keys, and ones without money`() throws {
        var world = try World()
        let keys = [Person(70).key, Person(71).key]
        let board = try Policy(
            signers: keys.map { .init(publicKey: $0.publicKey, weight: 1) }, spend: 2, admin: 2)
        let quorum = try Quorum(members: [.init(address: board.address, weight: 1)], threshold: 1)
        let terms = EscrowTerms(
            payee: world.bob.address, amount: 10, release: quorum, refund: quorum,
            deadline: Timestamp(World.start + 50_000))
        try world.run(world.alice, .escrowCreate(terms))
        let id = try #require(
            try world.reader.escrows(of: board.address, limit: 10).first?.id)
        let release = EscrowDecision(escrow: id, round: 0, direction: .release, amount: 10)
        let transaction = try world.transaction(
            world.bob.address, [.escrowDecide(release)], cosigners: [board.address])
        let half = SignedTransaction(
            signing: transaction, policies: [board], by: [world.bob.key, keys[0]])
        #expect(try reason(world.run([half])) == .notAuthorized)
        let whole = SignedTransaction(
            signing: transaction, policies: [board], by: [world.bob.key] + keys)
        #expect(try failure(world.run([whole])) == nil)
        #expect(try world.reader.escrow(id)?.state == .closed)
        #expect(try world.reader.account(board.address) == nil)
    }

    @Test func `an escrow lives and dies within one block`() throws {
        var world = try World()
        let quorum = try EscrowWorld.quorum([world.alice], 1)
        let terms = EscrowTerms(
            payee: world.bob.address, amount: 10, release: quorum, refund: quorum,
            deadline: Timestamp(World.start + 50_000))
        let create = SignedTransaction(
            signing: try world.transaction(world.alice.address, [.escrowCreate(terms)]),
            by: [world.alice.key])
        let id = Escrow.id(transaction: create.id, operation: 0)
        let release = EscrowDecision(escrow: id, round: 0, direction: .release, amount: 10)
        let decide = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [.escrowDecide(release)], sequence: 1),
            by: [world.alice.key])
        #expect(try world.run([create, decide]).count == 2)
        #expect(try world.reader.escrow(id)?.released == 10)
        #expect(try world.ledger.audit().escrows == 0)
        #expect(try world.balance(world.bob) == World.balance + 10)
    }

    @Test func `every party finds the escrow, page by page`() throws {
        var escrow = try EscrowWorld()
        let world = escrow.world
        let quorum = try EscrowWorld.quorum([world.bob], 1)
        for offset in 1...4 as ClosedRange<UInt64> {
            let terms = EscrowTerms(
                payee: world.bob.address, amount: 1, release: quorum, refund: quorum,
                deadline: Timestamp(escrow.deadline + offset))
            try escrow.world.run(world.carol, .escrowCreate(terms))
        }
        for person in [world.alice, world.bob, world.carol, world.dave] {
            let all = try escrow.world.reader.escrows(of: person.address, limit: 100)
            #expect(all.contains { $0.id == escrow.id })
            var paged: [EscrowID] = []
            while true {
                let page = try escrow.world.reader.escrows(
                    of: person.address, after: paged.last, limit: 2)
                guard !page.isEmpty else { break }
                paged += page.map(\.id)
            }
            #expect(paged == all.map(\.id))
        }
        #expect(try escrow.world.reader.escrows(of: world.erin.address, limit: 1).isEmpty)
    }
}
