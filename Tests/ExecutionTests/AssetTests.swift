import Primitives
import TestSupport
import Testing

@testable import Execution

/// An asset that alice issues, with all rights and a cap of 1000.
struct AssetWorld {
    var world: World
    let id: AssetID

    init(
        terms: AssetTerms? = nil, extra: [GenesisAccount] = [], holdingDeposit: Amount = 40
    ) throws {
        world = try World(extra: extra) { treasury in
            FeeParameters(
                escrowDeposit: 70, holdingDeposit: holdingDeposit, assetDeposit: 3000,
                treasury: treasury)
        }
        let terms =
            try terms
            ?? AssetTerms(
                symbol: "EUR", decimals: 2, cap: 1000, canFreeze: true, canClawBack: true)
        #expect(try world.run(world.alice, .issueAsset(terms)) == .success)
        guard case .executed(let receipt)? = world.lastOutcome?.results.first else {
            throw Unexpected(what: "the asset wasn't issued")
        }
        id = try #require(receipt.assets.first)
    }

    var asset: Asset? {
        get throws { try world.reader.asset(id) }
    }

    func holding(_ person: Person) throws -> Holding? {
        try world.reader.account(person.address)?.holding(of: id)
    }

    func mint(_ amount: UInt64, to person: Person) -> Operation {
        .mint(Mint(asset: id, to: person.address, amount: Amount(amount)))
    }

    func redeem(_ amount: UInt64) -> Operation {
        .redeem(Redemption(asset: id, amount: Amount(amount)))
    }

    func pay(_ amount: UInt64, to person: Person) -> Operation {
        .transfer(Transfer(to: person.address, asset: id, amount: Amount(amount)))
    }

    func freeze(_ person: Person, _ isFrozen: Bool = true) -> Operation {
        .freeze(Freeze(asset: id, holder: person.address, isFrozen: isFrozen))
    }

    func clawBack(_ amount: UInt64, from person: Person) -> Operation {
        .clawback(Clawback(asset: id, holder: person.address, amount: Amount(amount)))
    }

    func terms(_ amount: UInt64, to person: Person, onDeadline: EscrowDirection) throws
        -> EscrowTerms
    {
        EscrowTerms(
            payee: person.address, asset: id, amount: Amount(amount),
            release: try EscrowWorld.quorum([world.bob], 1),
            refund: try EscrowWorld.quorum([person], 1),
            deadline: Timestamp(world.ledger.time.rawValue + 50_000), onDeadline: onDeadline)
    }
}

@Suite struct AssetTests {
    @Test func `an asset is issued, minted, paid, redeemed and retired, and deposits come back`()
        throws
    {
        var test = try AssetWorld()
        let (alice, bob, carol) = (test.world.alice, test.world.bob, test.world.carol)
        #expect(try test.asset?.issuer == alice.address)
        #expect(test.world.ledger.totals.deposits == 3000)
        #expect(try test.world.run(alice, test.mint(600, to: bob)) == .success)
        #expect(try test.asset?.supply == 600)
        #expect(test.world.ledger.totals.deposits == 3040)
        #expect(try test.world.run(bob, test.pay(200, to: carol)) == .success)
        #expect(try test.holding(bob)?.amount == 400)
        #expect(try test.holding(carol)?.amount == 200)
        #expect(try test.world.reader.account(carol.address)?.deposits == 40)
        #expect(
            try failure(test.world.run(alice, .retireAsset(test.id))) == .supplyOutstanding)
        #expect(try test.world.run(bob, test.redeem(400)) == .success)
        #expect(try test.holding(bob) == nil)
        #expect(try test.world.run(carol, test.redeem(200)) == .success)
        #expect(try test.asset?.supply == 0)
        #expect(try test.world.run(alice, .retireAsset(test.id)) == .success)
        #expect(try test.asset == nil)
        #expect(test.world.ledger.totals.deposits == 0)
        #expect(try failure(test.world.run(alice, test.mint(1, to: bob))) == .unknownAsset)
    }

    @Test(
        arguments: [(0, .zeroAmount), (1, nil), (999, nil), (1000, nil)]
            as [(UInt64, FailureCode?)])
    func `minting reaches the cap and no further`(amount: UInt64, wanted: FailureCode?) throws {
        var test = try AssetWorld()
        let (alice, bob) = (test.world.alice, test.world.bob)
        #expect(try failure(test.world.run(alice, test.mint(amount, to: bob))) == wanted)
        let room = 1000 - amount
        #expect(try failure(test.world.run(alice, test.mint(room + 1, to: bob))) == .aboveCap)
        if room > 0 { #expect(try test.world.run(alice, test.mint(room, to: bob)) == .success) }
        #expect(try test.asset?.supply == 1000)
    }

    @Test func `without a cap all of 64 bits may exist, and not one unit more`() throws {
        var test = try AssetWorld(terms: try AssetTerms(symbol: "BIG"))
        let (alice, bob, carol) = (test.world.alice, test.world.bob, test.world.carol)
        #expect(try test.world.run(alice, test.mint(.max - 1, to: bob)) == .success)
        #expect(try failure(test.world.run(alice, test.mint(2, to: carol))) == .aboveCap)
        #expect(try test.world.run(alice, test.mint(1, to: carol)) == .success)
        #expect(try failure(test.world.run(alice, test.mint(1, to: carol))) == .aboveCap)
        #expect(try test.world.run(bob, test.pay(.max - 1, to: carol)) == .success)
        #expect(try test.holding(carol)?.amount == Amount(.max))
    }

    @Test func `only the issuer mints, freezes, claws back and retires`() throws {
        var test = try AssetWorld()
        let bob = test.world.bob
        let operations = [
            test.mint(1, to: bob), test.freeze(bob), test.clawBack(1, from: bob),
            .retireAsset(test.id),
        ]
        for operation in operations {
            #expect(try failure(test.world.run(bob, operation)) == .notIssuer)
        }
    }

    @Test func `nobody does to the native asset what an issuer may do`() throws {
        var test = try AssetWorld()
        let alice = test.world.alice
        let operations: [Operation] = [
            .mint(Mint(asset: .native, to: alice.address, amount: 1)),
            .redeem(Redemption(asset: .native, amount: 1)), .retireAsset(.native),
            .freeze(Freeze(asset: .native, holder: alice.address, isFrozen: true)),
            .clawback(Clawback(asset: .native, holder: alice.address, amount: 1)),
        ]
        for operation in operations {
            #expect(try failure(test.world.run(alice, operation)) == .nativeAsset)
        }
    }

    @Test(arguments: ["TST", "NATIVE", "OFFPEAK"])
    func `a symbol that could be the native asset's is refused`(symbol: String) throws {
        var test = try AssetWorld()
        let terms = try AssetTerms(symbol: symbol)
        #expect(
            try failure(test.world.run(test.world.alice, .issueAsset(terms))) == .symbolReserved)
    }

    @Test func `terms that no asset can have aren't made and don't decode`() throws {
        for symbol in ["", "eur", "EUR ", "1EUR", "ABCDEFGHIJKLM", "ÄÖ"] {
            #expect(throws: AssetTerms.Fault.symbol(symbol)) { try AssetTerms(symbol: symbol) }
        }
        #expect(throws: AssetTerms.Fault.decimals(19)) {
            try AssetTerms(symbol: "A", decimals: 19)
        }
        #expect(throws: AssetTerms.Fault.zeroCap) { try AssetTerms(symbol: "A", cap: 0) }
        let longest = try AssetTerms(symbol: "ABCDEFGHIJKL", decimals: 18, cap: 1)
        #expect(try AssetTerms(bcs: longest.bcsBytes) == longest)
        var bytes = longest.bcsBytes
        bytes[1] = UInt8(ascii: "a")
        #expect(throws: BCSError.self) { try AssetTerms(bcs: bytes) }
    }

    @Test func `a frozen holder can't pay, but receives and redeems, and is freed again`() throws {
        var test = try AssetWorld()
        let (alice, bob, carol) = (test.world.alice, test.world.bob, test.world.carol)
        #expect(try failure(test.world.run(alice, test.freeze(bob))) == .holdingUnknown)
        #expect(try test.world.run(alice, test.mint(5, to: bob), test.freeze(bob)) == .success)
        #expect(try failure(test.world.run(alice, test.freeze(bob))) == .freezeUnchanged)
        #expect(try failure(test.world.run(bob, test.pay(1, to: carol))) == .assetFrozen)
        #expect(try test.world.run(bob, test.redeem(1)) == .success)
        let terms = try test.terms(1, to: carol, onDeadline: .refund)
        #expect(try failure(test.world.run(bob, .escrowCreate(terms))) == .assetFrozen)
        #expect(try test.world.run(alice, test.mint(1, to: bob)) == .success)
        #expect(try test.world.run(alice, test.freeze(bob, false)) == .success)
        #expect(try test.world.run(bob, test.pay(5, to: carol)) == .success)
    }

    @Test func `a clawback takes at most what the holder has, out of existence`() throws {
        var test = try AssetWorld()
        let (alice, bob) = (test.world.alice, test.world.bob)
        #expect(try failure(test.world.run(alice, test.clawBack(1, from: bob))) == .holdingUnknown)
        #expect(try test.world.run(alice, test.mint(5, to: bob), test.freeze(bob)) == .success)
        #expect(try failure(test.world.run(alice, test.clawBack(0, from: bob))) == .zeroAmount)
        #expect(
            try failure(test.world.run(alice, test.clawBack(6, from: bob))) == .insufficientFunds)
        #expect(try test.world.run(alice, test.clawBack(5, from: bob)) == .success)
        #expect(try test.asset?.supply == 0)
        #expect(try test.holding(bob) == nil)
    }

    @Test func `a payee who wants no part of an escrow refuses, and its entry goes`() throws {
        var test = try AssetWorld()
        let (alice, bob, carol) = (test.world.alice, test.world.bob, test.world.carol)
        #expect(try test.world.run(alice, test.mint(5, to: alice)) == .success)
        // Nobody but alice decides about it, for a long time.
        let quorum = try EscrowWorld.quorum([alice], 1)
        let arbiters = try EscrowWorld.quorum([carol], 1)
        let later = test.world.ledger.time.clampedAdvance(by: 900_000)
        let terms = EscrowTerms(
            payee: bob.address, asset: test.id, amount: 5, release: quorum, refund: quorum,
            arbitration: arbiters, deadline: later, onDeadline: .refund,
            arbitrationDeadline: later.clampedAdvance(by: 1))
        #expect(try test.world.run(alice, .escrowCreate(terms)) == .success)
        guard case .executed(let receipt)? = test.world.lastOutcome?.results.first else {
            throw Unexpected(what: "no escrow")
        }
        let id = try #require(receipt.escrows.first)
        #expect(try test.holding(bob)?.claims == 1)
        #expect(try failure(test.world.run(bob, test.redeem(1))) == .insufficientFunds)
        func refund(_ amount: UInt64) -> Operation {
            .escrowDecide(
                EscrowDecision(
                    escrow: id, round: 0, direction: .refund, amount: Amount(amount),
                    preimage: nil))
        }
        #expect(try failure(test.world.run(carol, refund(5))) == .notParticipant)
        #expect(try failure(test.world.run(bob, refund(4))) == .notParticipant)
        #expect(try test.world.run(bob, refund(5)) == .success)
        #expect(try test.holding(bob) == nil)
        #expect(try test.holding(alice)?.amount == 5)
        #expect(test.world.ledger.totals.isBalanced)
    }

    @Test func `redeeming nothing fails as such, also of an asset that nobody issued`() throws {
        var test = try AssetWorld()
        let unknown = AssetID(Bytes32.sha256([7]))
        for (asset, amount, wanted) in [
            (unknown, 0, .zeroAmount), (unknown, 1, .unknownAsset), (test.id, 0, .zeroAmount),
        ] as [(AssetID, Amount, FailureCode)] {
            let operation = Operation.redeem(Redemption(asset: asset, amount: amount))
            #expect(failure(try test.world.run(test.world.bob, operation)) == wanted)
        }
    }

    @Test func `rights that the terms don't give are never there`() throws {
        var test = try AssetWorld(terms: try AssetTerms(symbol: "FREE"))
        let (alice, bob) = (test.world.alice, test.world.bob)
        #expect(try test.world.run(alice, test.mint(5, to: bob)) == .success)
        #expect(try failure(test.world.run(alice, test.freeze(bob))) == .notFreezable)
        #expect(try failure(test.world.run(alice, test.clawBack(1, from: bob))) == .notClawable)
    }

    @Test(arguments: [EscrowDirection.refund, .release])
    func `an escrow carries an asset, and its deadline pays although the holder was emptied`(
        onDeadline: EscrowDirection
    ) throws {
        var test = try AssetWorld()
        let (alice, bob, carol) = (test.world.alice, test.world.bob, test.world.carol)
        #expect(try test.world.run(alice, test.mint(100, to: bob)) == .success)
        let terms = try test.terms(100, to: carol, onDeadline: onDeadline)
        #expect(try test.world.run(bob, .escrowCreate(terms)) == .success)
        #expect(try test.asset?.escrowed == 100)
        #expect(try test.holding(bob)?.amount == 0)
        #expect(try test.holding(bob)?.claims == 1)
        #expect(try test.holding(carol)?.claims == 1)
        #expect(test.world.ledger.totals.deposits == 3150)
        try test.world.run([], at: terms.deadline.rawValue)
        let receiver = onDeadline == .refund ? bob : carol
        let other = onDeadline == .refund ? carol : bob
        #expect(try test.holding(receiver)?.amount == 100)
        #expect(try test.holding(other) == nil)
        #expect(test.world.ledger.totals.deposits == 3040)
    }

    @Test func `an account full of assets still gets its escrow's money and native asset`() throws {
        var test = try AssetWorld()
        let (alice, bob, carol) = (test.world.alice, test.world.bob, test.world.carol)
        #expect(try test.world.run(alice, test.mint(100, to: bob)) == .success)
        let terms = try test.terms(100, to: carol, onDeadline: .release)
        #expect(try test.world.run(bob, .escrowCreate(terms)) == .success)
        // With the entry of the escrow carol has room for 255 more.
        for round in 0..<17 {
            let issues = try (0..<15).map { place in
                Operation.issueAsset(try AssetTerms(symbol: "A\(round * 15 + place)"))
            }
            let transaction = try test.world.transaction(alice.address, issues)
            let mints = (0..<15).map { place in
                let id = AssetID.issued(by: transaction.id, operation: place)
                return Operation.mint(Mint(asset: id, to: carol.address, amount: 1))
            }
            try test.world.run([SignedTransaction(signing: transaction, by: [alice.key])])
            let next = try test.world.transaction(alice.address, mints)
            let results = try test.world.run([SignedTransaction(signing: next, by: [alice.key])])
            #expect(failure(results) == nil && reason(results) == nil)
        }
        #expect(try test.world.reader.account(carol.address)?.holdings.count == 256)
        let last = try test.world.transaction(
            alice.address, [.issueAsset(try AssetTerms(symbol: "LAST"))])
        try test.world.run([SignedTransaction(signing: last, by: [alice.key])])
        let mint = Mint(
            asset: .issued(by: last.id, operation: 0), to: carol.address, amount: 1)
        #expect(try failure(test.world.run(alice, .mint(mint))) == .tooManyAssets)
        #expect(try test.world.run(alice, test.world.transfer(1, to: carol)) == .success)
        try test.world.run([], at: terms.deadline.rawValue)
        #expect(try test.holding(carol)?.amount == 100)
    }

    @Test func `who can't pay the deposit of an entry, an escrow or an asset fails`() throws {
        let frank = Person(6)
        var test = try AssetWorld(
            extra: [GenesisAccount(owner: .policy(frank.policy), balance: 3500)])
        let (alice, dave) = (test.world.alice, test.world.dave)
        let terms = try AssetTerms(symbol: "X")
        #expect(try failure(test.world.run(frank, .issueAsset(terms))) == .depositUnpaid)
        #expect(try test.world.run(alice, test.mint(5, to: frank)) == .success)
        let before = try test.world.balance(frank)
        #expect(try test.world.run(frank, test.world.transfer(1, to: dave)) == .success)
        let left = try test.world.balance(frank)
        // After this he can pay one more fee and half a deposit.
        let drain = test.world.transfer(left - 2 * (before - 1 - left) - 20, to: dave)
        #expect(try test.world.run(frank, drain) == .success)
        #expect(try failure(test.world.run(frank, test.pay(1, to: dave))) == .depositUnpaid)
    }

    @Test func `a node takes native asset into account, and deposits, but no other asset`() throws {
        var test = try AssetWorld()
        let (alice, bob, carol) = (test.world.alice, test.world.bob, test.world.carol)
        #expect(try test.world.run(alice, test.mint(100, to: bob)) == .success)
        let terms = try test.terms(50, to: carol, onDeadline: .refund)
        #expect(try test.world.run(bob, .escrowCreate(terms)) == .success)
        guard case .executed(let receipt)? = test.world.lastOutcome?.results.first else {
            throw Unexpected(what: "the escrow wasn't made")
        }
        let id = try #require(receipt.escrows.first)
        func cost(_ operation: Operation) throws -> Amount? {
            let transaction = try test.world.transaction(bob.address, [operation], maxFee: 1000)
            let signed = SignedTransaction(signing: transaction, by: [bob.key])
            let admission = try test.world.ledger.admission(of: signed)
            guard case .admissible(_, _, let cost, _, _) = admission else { return nil }
            return cost
        }
        #expect(try cost(.escrowTopUp(EscrowTopUp(escrow: id, amount: 40))) == 1000)
        #expect(try cost(test.pay(5, to: carol)) == 1000)
        #expect(try cost(test.pay(5, to: test.world.erin)) == 1040)
        #expect(try cost(.escrowCreate(terms)) == 1070)
        #expect(try cost(test.world.transfer(5, to: carol)) == 1005)
    }

    @Test func `an entry's deposit goes to the account that it was in`() throws {
        var test = try AssetWorld()
        let (alice, bob) = (test.world.alice, test.world.bob)
        let before = try test.world.balance(bob)
        #expect(try test.world.run(alice, test.mint(5, to: bob)) == .success)
        #expect(try test.world.balance(bob) == before)
        #expect(try test.world.run(alice, test.clawBack(5, from: bob)) == .success)
        #expect(try test.world.balance(bob) == before + 40)
    }
}
