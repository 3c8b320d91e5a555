import Primitives
import Testing

@testable import Execution

@Suite struct LimitTests {
    @Test func `two of three keys spend up to the limit and not one unit more`() throws {
        for (amount, code) in [
            (0, .zeroAmount), (1, nil), (999, nil), (1000, nil),
        ] as [(UInt64, FailureCode?)] {
            var safe = try SafeWorld()
            #expect(try safe.change(.setSafeguards(SafeWorld.limit(1000))) == nil)
            #expect(try safe.spend(safe.pay(amount)) == code, "\(amount)")
            #expect(try safe.room == (code == nil ? 1000 - amount : 1000), "\(amount)")
        }
        for amount in [1001, 1_000_000, 1_000_001, .max] as [UInt64] {
            var safe = try SafeWorld()
            #expect(try safe.change(.setSafeguards(SafeWorld.limit(1000))) == nil)
            #expect(try safe.isHeldBack(safe.pay(amount)), "\(amount)")
        }
    }

    @Test func `a limit of 0 lets nothing out, one of 2^64 - 1 everything`() throws {
        var safe = try SafeWorld()
        try safe.change(.setSafeguards(SafeWorld.limit(0)))
        #expect(try safe.isHeldBack(safe.pay(1)))
        try safe.change(.setSafeguards(SafeWorld.limit(.max)))
        #expect(try safe.spend(safe.pay(600_000)) == nil)
        #expect(try safe.spend(safe.pay(400_000)) == nil)
        #expect(try safe.room == .max - 1_000_000)
    }

    @Test func `what is spent never leaves its range, and a window ends or never does`() {
        var limit = Safeguards.Limit(
            terms: SpendingLimit(amount: Amount(.max), windowMilliseconds: .max))
        let all = limit.spend(Amount(.max), at: 7)
        #expect(all)
        #expect(limit.room(at: 7) == 0 && limit.windowEnd == Timestamp(.max))
        let more = limit.spend(1, at: Timestamp(.max - 1))
        #expect(!more)
        let later = limit.spend(1, at: Timestamp(.max))
        #expect(later && limit.spent == 1)
    }

    @Test func `a window begins with the first spending and ends on the millisecond`() throws {
        var safe = try SafeWorld()
        try safe.change(.setSafeguards(SafeWorld.limit(1000)))
        let start = safe.now + 5 * SafeWorld.hour
        #expect(try safe.spend(safe.pay(400), at: start) == nil)
        #expect(try safe.spend(safe.pay(600), at: start + 1000) == nil)
        let last = start + SafeWorld.hour - 1
        #expect(try safe.isHeldBack(safe.pay(1), at: last))
        #expect(try safe.room == 0)
        #expect(try safe.spend(safe.pay(1000), at: last + 1) == nil)
        #expect(try safe.account.safeguards?.limits.first?.windowStart.rawValue == last + 1)
        #expect(try safe.isHeldBack(safe.pay(1), at: last + 2))
    }

    @Test func `a copy with a signature taken away does nothing, and the whole one executes`()
        throws
    {
        var safe = try SafeWorld(baseFee: 1)
        try safe.change(.setSafeguards(SafeWorld.limit(1000)))
        let transaction = try safe.world.transaction(
            safe.address, [safe.pay(900), safe.pay(101)])
        let whole = SignedTransaction(signing: transaction, by: safe.keys)
        let stripped = SignedTransaction(signing: transaction, by: Array(safe.keys.prefix(2)))
        #expect(whole.id == stripped.id)
        let before = try safe.account
        let totals = safe.world.ledger.totals
        #expect(try reason(safe.world.run([stripped], direct: [stripped])) == .limitReached)
        #expect(try safe.account == before)
        #expect(safe.world.ledger.totals == totals)
        #expect(safe.world.lastOutcome?.tips == [])
        let results = try safe.world.run([stripped, whole, stripped])
        #expect(reason(results) == .limitReached)
        guard case .executed(let receipt) = results[1] else {
            throw Unexpected(what: "\(results)")
        }
        #expect(receipt.outcome == .success && receipt.index == 0)
        #expect(reason([results[2]]) == .sequenceUsed)
        #expect(try safe.account.safeguards?.limits.first?.spent == 0)
        #expect(try safe.world.ledger.admission(of: whole) == .refused(.sequenceUsed))
    }

    @Test func `with the admin threshold no limit counts, and nothing is noted`() throws {
        var safe = try SafeWorld()
        try safe.change(.setSafeguards(SafeWorld.limit(0)))
        #expect(try safe.change(safe.pay(500_000)) == nil)
        #expect(try safe.account.safeguards?.limits.first?.spent == 0)
    }

    @Test func `what a transaction says that it takes is added up before its operations`() throws {
        var safe = try SafeWorld()
        try safe.change(.setSafeguards(SafeWorld.limit(1000)))
        let failing = Operation.escrowDispute(EscrowID(.sha256([7])))
        // It fails where the limit has room, and costs its sequence.
        #expect(try safe.spend(failing, safe.pay(1000)) == .escrowUnknown)
        #expect(try safe.isHeldBack(failing, safe.pay(1001)))
        let quorum = try EscrowWorld.quorum([safe.world.bob], 1)
        let terms = EscrowTerms(
            payee: safe.world.bob.address, amount: 600, release: quorum, refund: quorum,
            deadline: Timestamp(safe.now + 900_000), onDeadline: .refund)
        #expect(try safe.isHeldBack(failing, safe.pay(401), .escrowCreate(terms)))
        let bond = safe.world.bond(900, by: safe.world.alice)
        #expect(try safe.isHeldBack(failing, safe.pay(101), .bond(bond)))
        // Sums stop at 2^64 - 1.
        #expect(try safe.isHeldBack(failing, safe.pay(.max), safe.pay(.max)))
        // With all keys no limit counts.
        #expect(try safe.change(failing, safe.pay(1001)) == .escrowUnknown)
        #expect(try safe.room == 1000)
    }

    /// The joint account as the holder of 500 of alice's asset, of which it may spend 100 an hour.
    private func limitedHolder() throws -> (SafeWorld, AssetWorld) {
        var safe = try SafeWorld()
        let asset = try AssetWorld(
            extra: [GenesisAccount(owner: .policy(safe.policy), balance: 1_000_000)])
        safe.world = asset.world
        let mint = Mint(asset: asset.id, to: safe.address, amount: 500)
        #expect(try safe.world.run(safe.world.alice, .mint(mint)) == .success)
        let limit = SpendingLimit(asset: asset.id, amount: 100, windowMilliseconds: SafeWorld.hour)
        #expect(try safe.change(.setSafeguards(SafeguardTerms(limits: [limit]))) == nil)
        return (safe, asset)
    }

    /// The joint account as the issuer of an asset that it can claw back.
    private func issuer() throws -> (SafeWorld, AssetID) {
        var safe = try SafeWorld()
        safe.world = try AssetWorld(
            extra: [GenesisAccount(owner: .policy(safe.policy), balance: 1_000_000)]
        ).world
        let terms = try AssetTerms(symbol: "EUR", decimals: 2, canClawBack: true)
        let issued = try safe.result([.issueAsset(terms)])
        guard case .executed(let receipt) = issued, let id = receipt.assets.first else {
            throw Unexpected(what: "\(issued)")
        }
        return (safe, id)
    }

    /// What has begun is paid for, also where a limit has no room in the end.
    @Test func `an entry that goes and comes back within a transaction costs its fee`() throws {
        var (safe, id) = try issuer()
        let mint = Operation.mint(Mint(asset: id, to: safe.address, amount: 10))
        #expect(try safe.change(mint, .setSafeguards(SafeWorld.limit(0))) == nil)
        let toSelf = Operation.transfer(Transfer(to: safe.address, asset: id, amount: 10))
        let back = Operation.clawback(Clawback(asset: id, holder: safe.address, amount: 10))
        for operations in [[toSelf], [back, mint]] {
            let before = try safe.account
            let transaction = try safe.world.transaction(
                safe.address, operations, validUntil: safe.now + 10_000)
            let signed = SignedTransaction(signing: transaction, by: Array(safe.keys.prefix(2)))
            guard case .admissible = try safe.world.ledger.admission(of: signed) else {
                throw Unexpected(what: "\(operations)")
            }
            #expect(try failure(safe.world.run([signed])) == .limitExceeded)
            let after = try safe.account
            #expect(after.balance(of: .native) < before.balance(of: .native))
            #expect(after.nextSequence(on: 0) == before.nextSequence(on: 0).next)
            #expect(after.holding(of: id) == before.holding(of: id))
        }
        // All keys are bound by none.
        #expect(try safe.change(toSelf) == nil)
        #expect(try safe.change(back, mint) == nil)
    }

    @Test func `what an issuer takes back from itself counts against no limit`() throws {
        var (safe, id) = try issuer()
        let limit = SpendingLimit(asset: id, amount: 10, windowMilliseconds: SafeWorld.hour)
        #expect(
            try safe.change(
                .mint(Mint(asset: id, to: safe.address, amount: 100)),
                .setSafeguards(SafeguardTerms(limits: [limit]))) == nil)
        let back = Operation.clawback(Clawback(asset: id, holder: safe.address, amount: 90))
        #expect(try safe.spend(back) == nil)
        #expect(try safe.account.room(for: id, at: safe.world.ledger.time) == 10)
    }

    @Test func `issued assets too are added up before the operations`() throws {
        var (safe, asset) = try limitedHolder()
        let failing = safe.pay(.max)
        let pay = asset.pay(60, to: safe.world.dave)
        let escrow = Operation.escrowCreate(
            try asset.terms(41, to: safe.world.dave, onDeadline: .refund))
        #expect(try safe.isHeldBack(failing, pay, asset.redeem(41)))
        #expect(try safe.isHeldBack(failing, pay, escrow))
        #expect(try safe.isHeldBack(failing, asset.pay(.max, to: safe.world.dave), pay))
        // What is within fails where it fails, and so does what has no limit.
        #expect(try safe.spend(failing, pay, asset.redeem(40)) == .insufficientFunds)
        #expect(try safe.spend(failing, safe.pay(.max)) == .insufficientFunds)
        #expect(try safe.account.room(for: asset.id, at: safe.world.ledger.time) == 100)
    }

    @Test func `operations of one transaction count together, and what is skipped counts nothing`()
        throws
    {
        var safe = try SafeWorld()
        try safe.change(.setSafeguards(SafeWorld.limit(1000)))
        #expect(try safe.isHeldBack(safe.pay(500), safe.pay(501)))
        #expect(try safe.room == 1000)
        #expect(try safe.spend(safe.pay(500), safe.pay(500)) == nil)
        #expect(try safe.room == 0)
    }

    @Test func `escrows, top-ups and bonds count, what comes back doesn't`() throws {
        var safe = try SafeWorld()
        try safe.change(.setSafeguards(SafeWorld.limit(3000)))
        let quorum = try EscrowWorld.quorum([safe.world.bob], 1)
        let terms = EscrowTerms(
            payee: safe.world.bob.address, amount: 300, release: quorum, refund: quorum,
            deadline: Timestamp(safe.now + 1000))
        let made = try safe.result([.escrowCreate(terms)])
        guard case .executed(let receipt) = made, let escrow = receipt.escrows.first else {
            throw Unexpected(what: "\(made)")
        }
        #expect(try safe.room == 2700)
        #expect(try safe.spend(.escrowTopUp(EscrowTopUp(escrow: escrow, amount: 300))) == nil)
        #expect(try safe.room == 2400)
        let bond = Bond(
            amount: 2401, chainID: safe.world.genesis.chainID, sender: safe.address,
            key: safe.found.key, peerKey: safe.found.key)
        #expect(try safe.isHeldBack(.bond(bond)))
        try safe.world.run([], at: safe.now + 1000)
        #expect(try safe.world.reader.escrow(escrow)?.refunded == 600)
        #expect(try safe.room == 2400)
    }

    /// What can't come about counts nothing: it fails, and is paid for.
    @Test func `a top-up of an escrow that the same block has closed counts nothing`() throws {
        for isRefused in [true, false] {
            var safe = try SafeWorld(baseFee: 1)
            let bob = safe.world.bob
            let quorum = try EscrowWorld.quorum([bob], 1)
            let terms = EscrowTerms(
                payee: bob.address, amount: 300, release: quorum, refund: quorum,
                deadline: Timestamp(safe.now + 50_000))
            let made = try safe.result([.escrowCreate(terms)])
            guard case .executed(let receipt) = made, let id = receipt.escrows.first else {
                throw Unexpected(what: "\(made)")
            }
            #expect(try safe.change(.setSafeguards(SafeWorld.limit(0))) == nil)
            let topUp = SignedTransaction(
                signing: try safe.world.transaction(
                    safe.address, [.escrowTopUp(EscrowTopUp(escrow: id, amount: 5))]),
                by: Array(safe.keys.prefix(2)))
            #expect(try safe.world.ledger.admission(of: topUp) == .refused(.limitReached))
            let refund = EscrowDecision(escrow: id, round: 0, direction: .refund, amount: 300)
            let refusal = SignedTransaction(
                signing: try safe.world.transaction(bob.address, [.escrowDecide(refund)]),
                policies: [bob.policy], by: [bob.key])
            let results = try safe.world.run(
                (isRefused ? [refusal] : []) + [topUp],
                at: safe.now + (isRefused ? 1000 : 50_000))
            #expect(failure(Array(results.suffix(1))) == .escrowUnknown)
        }
    }

    @Test func `the tip counts, the base fee doesn't, and what goes beyond is skipped`() throws {
        var safe = try SafeWorld(baseFee: 1)
        try safe.change(.setSafeguards(SafeWorld.limit(3000)))
        let before = try safe.account.balance(of: .native)
        let one = try safe.result([safe.pay(1)], tip: 100)
        guard case .executed(let receipt) = one else { throw Unexpected(what: "\(one)") }
        #expect(try safe.room == 2899)
        // The tip alone is above what is left, or with the payment.
        for tip in [2900, 2899] as [Amount] {
            #expect(reason([try safe.result([safe.pay(1)], tip: tip)]) == .limitReached)
        }
        let all = try safe.result([safe.pay(1)], tip: 2898)
        guard case .executed = all else { throw Unexpected(what: "\(all)") }
        #expect(try safe.room == 0)
        let fees = 2 * (receipt.fee.rawValue - 100)
        #expect(try safe.account.balance(of: .native).rawValue == before.rawValue - 3000 - fees)
        #expect(reason([try safe.result([safe.pay(1)])]) == .limitReached)
        #expect(reason([try safe.result([safe.pay(0)], tip: 1)]) == .limitReached)
    }

    @Test func `no base fee keeps an account from paying what its limit leaves`() throws {
        for baseFee in [1, 50] as [Amount] {
            var safe = try SafeWorld(baseFee: baseFee)
            let terms = try safe.guardians(limit: 5)
            #expect(
                reason([try safe.result([.setSafeguards(terms)], keys: 3, maxFee: 900_000)]) == nil)
            let paid = try safe.result([safe.pay(5)], maxFee: 900_000)
            guard case .executed(let receipt) = paid else { throw Unexpected(what: "\(paid)") }
            #expect(receipt.outcome == .success && receipt.fee > 5)
            #expect(try safe.room == 0)
            // With nothing left the owner still objects to what guardians propose.
            #expect(try safe.propose([safe.world.alice, safe.world.bob]) == nil)
            let veto = try safe.result([.vetoRecovery(safe.address)], maxFee: 900_000)
            #expect(reason([veto]) == nil && failure([veto]) == nil)
            #expect(try safe.account.safeguards?.recovery == nil)
            #expect(reason([try safe.result([safe.pay(1)], maxFee: 900_000)]) == .limitReached)
        }
    }

    @Test func `the deposit for a new stream counts`() throws {
        var safe = try SafeWorld()
        let deposit = safe.world.genesis.parameters.fees.streamDeposit.rawValue
        try safe.change(.setSafeguards(SafeWorld.limit(deposit + 1)))
        #expect(reason([try safe.result([safe.pay(2)], stream: 3)]) == .limitReached)
        #expect(reason([try safe.result([safe.pay(1)], stream: 3)]) == nil)
        #expect(try safe.room == 0)
        #expect(reason([try safe.result([safe.pay(1)], stream: 4)]) == .limitReached)
    }

    @Test func `a cosigner's limit is left alone`() throws {
        var safe = try SafeWorld()
        try safe.change(.setSafeguards(SafeWorld.limit(0)))
        let transaction = try safe.world.transaction(
            safe.world.alice.address, [safe.pay(700)], cosigners: [safe.address])
        let signed = SignedTransaction(
            signing: transaction, by: [safe.world.alice.key] + safe.keys.prefix(2).map { $0 })
        #expect(try failure(safe.world.run([signed])) == nil)
    }

    @Test func `admission counts what the limit leaves`() throws {
        var safe = try SafeWorld()
        try safe.change(.setSafeguards(SafeWorld.limit(1000)))
        func admission(keys count: Int, stream: UInt16 = 0) throws -> Admission {
            let transaction = try safe.world.transaction(
                safe.address, [safe.pay(1)], stream: stream, maxFee: 5)
            return try safe.world.ledger.admission(
                of: SignedTransaction(signing: transaction, by: safe.keys.prefix(count).map { $0 }))
        }
        #expect(
            try admission(keys: 2)
                == .admissible(
                    nextSequence: 1, spendable: 1_000_000, cost: 6, tip: 0,
                    limits: [LimitUse(asset: .native, room: 1000, cost: 1)]))
        #expect(
            try admission(keys: 3)
                == .admissible(nextSequence: 1, spendable: 1_000_000, cost: 6, tip: 0))
        #expect(try admission(keys: 2, stream: 1) == .refused(.limitReached))
    }

    @Test func `admission refuses what execution would skip, of every asset`() throws {
        var (safe, asset) = try limitedHolder()
        func pay(_ amount: UInt64) -> Operation { asset.pay(amount, to: safe.world.dave) }
        let escrow = try asset.terms(100, to: safe.world.dave, onDeadline: .refund)
        for (operations, isWithin) in [
            ([pay(101)], false), ([pay(60), asset.redeem(41)], false),
            ([pay(1), .escrowCreate(escrow)], false), ([pay(60), asset.redeem(40)], true),
        ] {
            let transaction = try safe.world.transaction(safe.address, operations)
            let two = SignedTransaction(signing: transaction, by: Array(safe.keys.prefix(2)))
            let all = SignedTransaction(signing: transaction, by: safe.keys)
            guard case .admissible(_, _, _, _, []) = try safe.world.ledger.admission(of: all) else {
                throw Unexpected(what: "\(operations)")
            }
            let admission = try safe.world.ledger.admission(of: two)
            if isWithin {
                let use = LimitUse(asset: asset.id, room: 100, cost: 100)
                guard case .admissible(_, _, _, _, [use]) = admission else {
                    throw Unexpected(what: "\(admission)")
                }
                #expect(try failure(safe.world.run([two])) == nil)
                #expect(try safe.account.room(for: asset.id, at: safe.world.ledger.time) == 0)
            } else {
                #expect(admission == .refused(.limitReached))
                #expect(try reason(safe.world.run([two])) == .limitReached)
            }
        }
    }

    @Test func `two of three keys can't loosen a limit or choose guardians`() throws {
        var safe = try SafeWorld()
        try safe.change(.setSafeguards(SafeWorld.limit(1000)))
        for terms in [SafeguardTerms(), SafeWorld.limit(1001), try safe.guardians(limit: 1000)] {
            #expect(reason([try safe.result([.setSafeguards(terms)])]) == .notAuthorized)
        }
        #expect(try safe.change(.setSafeguards(SafeguardTerms())) == nil)
        #expect(try safe.account.safeguards == nil)
    }

    @Test func `a limit that would stop nobody is refused`() throws {
        var safe = try SafeWorld()
        let limit = Operation.setSafeguards(SafeWorld.limit(1))
        #expect(try safe.act([safe.world.alice], limit) == .limitWithoutEffect)
        let both = try Policy(signers: safe.policy.signers, spend: 2, admin: 2)
        #expect(try safe.change(.setPolicy(both), limit) == .limitWithoutEffect)
        #expect(try safe.change(limit) == nil)
    }

    @Test func `a window lies between an hour and 30 days`() throws {
        for (window, code) in [
            (0, .windowOutOfRange), (SafeWorld.hour - 1, .windowOutOfRange), (SafeWorld.hour, nil),
            (SafeWorld.hour + 1, nil), (30 * SafeWorld.day - 1, nil), (30 * SafeWorld.day, nil),
            (30 * SafeWorld.day + 1, .windowOutOfRange), (.max, .windowOutOfRange),
        ] as [(UInt64, FailureCode?)] {
            var safe = try SafeWorld()
            let terms = SafeWorld.limit(5, window: window)
            #expect(try safe.change(.setSafeguards(terms)) == code, "\(window)")
        }
    }

    @Test func `limits are of assets that there are, and change something`() throws {
        var safe = try SafeWorld()
        let strange = SpendingLimit(
            asset: AssetID(.sha256([1])), amount: 1, windowMilliseconds: SafeWorld.hour)
        #expect(
            try safe.change(.setSafeguards(SafeguardTerms(limits: [strange]))) == .unknownAsset)
        #expect(try safe.change(.setSafeguards(SafeguardTerms())) == .sameSafeguards)
        #expect(try safe.change(.setSafeguards(SafeWorld.limit(5))) == nil)
        #expect(try safe.change(.setSafeguards(SafeWorld.limit(5))) == .sameSafeguards)
    }

    @Test func `what was spent stays spent when the limit changes`() throws {
        var safe = try SafeWorld()
        try safe.change(.setSafeguards(SafeWorld.limit(1000)))
        try safe.spend(safe.pay(800))
        try safe.change(.setSafeguards(SafeWorld.limit(900)))
        #expect(try safe.room == 100)
        try safe.change(.setSafeguards(SafeWorld.limit(500)))
        #expect(try safe.room == 0)
        try safe.change(.setSafeguards(SafeguardTerms()))
        try safe.change(.setSafeguards(SafeWorld.limit(500)))
        #expect(try safe.room == 500)
    }

    @Test func `sixteen limits come in, each asset once and in order`() throws {
        func bytes(_ numbers: [UInt8]) -> [UInt8] {
            var writer = BCSWriter()
            writer.append(
                list: numbers.map { number in
                    SpendingLimit(
                        asset: AssetID(bytes: [UInt8](repeating: number, count: 32)) ?? .native,
                        amount: 1, windowMilliseconds: SafeWorld.hour)
                })
            writer.append(false)
            return writer.bytes
        }
        for count in [0, 1, 15, 16] as [UInt8] {
            #expect(try SafeguardTerms(bcs: bytes(Array(0..<count))).limits.count == Int(count))
        }
        for numbers in [Array(0..<17), [1, 1], [2, 1]] as [[UInt8]] {
            #expect(throws: BCSError.self) { try SafeguardTerms(bcs: bytes(numbers)) }
        }
    }
}
