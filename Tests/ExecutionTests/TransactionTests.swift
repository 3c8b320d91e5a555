import Primitives
import Testing

@testable import Execution

@Suite struct TransactionTests {
    @Test func `a payment moves the amount and the fee, and nothing is lost`() throws {
        var world = try World()
        let signed = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1000, to: world.bob)]),
            by: [world.alice.key])
        let results = try world.run([signed])
        guard case .executed(let receipt)? = results.first else {
            Issue.record("\(results)")
            return
        }
        #expect(receipt.outcome == .success)
        #expect(receipt.fee.rawValue == UInt64(signed.byteCount) + 200 + 100)
        #expect(
            try world.balance(world.alice) == World.balance - 1000 - receipt.fee.rawValue)
        #expect(try world.balance(world.bob) == World.balance + 1000)
        #expect(try world.reader.receipt(signed.id) == receipt)
    }

    @Test func `a first credit makes an account, whose first spend reveals its policy`() throws {
        var world = try World()
        #expect(try world.run(world.alice, world.transfer(50_000, to: world.erin)) == .success)
        let erin = world.erin
        let transaction = try world.transaction(
            erin.address, [world.transfer(1, to: world.bob)])
        let bare = SignedTransaction(signing: transaction, by: [erin.key])
        #expect(try reason(world.run([bare])) == .policyMissing)
        let foreign = SignedTransaction(
            signing: transaction, policies: [world.bob.policy], by: [erin.key])
        #expect(try reason(world.run([foreign])) == .policyMismatch)
        let twice = SignedTransaction(
            signing: transaction, policies: [erin.policy, erin.policy], by: [erin.key])
        #expect(try reason(world.run([twice])) == .policyMismatch)
        let revealing = SignedTransaction(
            signing: transaction, policies: [erin.policy], by: [erin.key])
        #expect(try failure(world.run([revealing])) == nil)
        #expect(try world.reader.account(erin.address)?.policy == erin.policy)
    }

    @Test func `a policy revealed once more does no harm and costs nothing`() throws {
        var world = try World()
        let transaction = try world.transaction(
            world.alice.address, [world.transfer(1, to: world.bob)])
        let plain = SignedTransaction(signing: transaction, by: [world.alice.key])
        let padded = SignedTransaction(
            signing: transaction, policies: [world.alice.policy], by: [world.alice.key])
        #expect(padded.byteCount > plain.byteCount)
        guard case .executed(let receipt)? = try world.run([padded]).first else {
            Issue.record("skipped")
            return
        }
        #expect(receipt.fee.rawValue == UInt64(plain.byteCount) + 300)
    }

    @Test func `each reason to skip a transaction leaves the state alone`() throws {
        var world = try World()
        let now = world.ledger.time.rawValue + 1000
        let day = TransactionLimits.validityMillisecondsMax
        let month = TransactionLimits.streamValidityMillisecondsMax
        let pay = [world.transfer(1, to: world.bob)]
        let alice = world.alice.address
        let cases: [(Transaction, SkipReason)] = [
            (try world.transaction(alice, pay, chainID: .zero), .wrongChain),
            (try world.transaction(alice, pay, validUntil: now - 1), .expired),
            (try world.transaction(alice, pay, validUntil: now + day + 1), .validTooLong),
            (
                try world.transaction(alice, pay, stream: 1, validUntil: now + month + 1),
                .validTooLong
            ),
            (try world.transaction(world.erin.address, pay), .unknownSender),
            (try world.transaction(alice, pay, sequence: 1), .sequenceAhead),
            (try world.transaction(alice, pay, maxFee: 300), .feeTooLow),
            (
                try world.transaction(alice, pay, maxFee: Amount(.max), tip: Amount(.max)),
                .insufficientForFee
            ),
            (try world.transaction(alice, pay, cosigners: [world.bob.address]), .notAuthorized),
            (try world.transaction(alice, pay, cosigners: [world.erin.address]), .policyMissing),
        ]
        let balances = world.ledger.totals
        for (transaction, expected) in cases {
            let signed = SignedTransaction(signing: transaction, by: [world.alice.key])
            #expect(try reason(world.run([signed], at: now)) == expected)
            #expect(world.ledger.totals == balances)
            #expect(try world.reader.receipt(signed.id) == nil)
        }
        #expect(try world.reader.account(alice)?.nextSequence(on: 0) == 0)
    }

    @Test func `a transaction may live exactly as long as its stream allows`() throws {
        var world = try World()
        let now = world.ledger.time.rawValue + 1000
        let last = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)],
                validUntil: now + TransactionLimits.validityMillisecondsMax),
            by: [world.alice.key])
        #expect(try failure(world.run([last], at: now)) == nil)
        let now2 = now + 1000
        let justInTime = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)], validUntil: now2),
            by: [world.alice.key])
        #expect(try reason(world.run([justInTime], at: now2)) == nil)
    }

    @Test func `the same transaction executes once, in one block or in two`() throws {
        var world = try World()
        let signed = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(10, to: world.bob)]),
            by: [world.alice.key])
        let results = try world.run([signed, signed])
        #expect(results.last == .skipped(signed.id, .sequenceUsed))
        #expect(try reason(world.run([signed])) == .sequenceUsed)
        #expect(try world.balance(world.bob) == World.balance + 10)
    }

    @Test func `a failed operation takes back all of them but keeps fee and sequence`() throws {
        var world = try World()
        let outcome = try world.run(
            world.alice, world.transfer(10, to: world.bob), world.transfer(5, to: world.erin),
            world.transfer(World.balance, to: world.bob))
        #expect(outcome == .failed(operation: 2, .insufficientFunds))
        #expect(try world.balance(world.bob) == World.balance)
        #expect(try world.reader.account(world.erin.address) == nil)
        #expect(try world.reader.account(world.alice.address)?.nextSequence(on: 0) == 1)
        #expect(try world.balance(world.alice) < World.balance)
    }

    @Test func `amounts of 0, beyond the balance and of unknown assets fail`() throws {
        var world = try World()
        #expect(
            try failure(world.run(world.alice, world.transfer(0, to: world.bob))) == .zeroAmount)
        #expect(
            try failure(world.run(world.alice, world.transfer(.max, to: world.bob)))
                == .insufficientFunds)
        let foreign = Operation.transfer(
            Transfer(to: world.bob.address, asset: AssetID(.sha256([1])), amount: 1))
        #expect(try failure(world.run(world.alice, foreign)) == .unknownAsset)
    }

    @Test func `a receiver that can't hold more makes the transfer fail, not the node`() throws {
        let world = try World()
        var executor = Executor(
            rules: LedgerRules(world.genesis), judge: NoEvidence(),
            epochs: world.ledger.epochs, committee: world.genesis.committee, source: world.store,
            accounts: AccountTable(cachedBytesMax: 8_000, keepsPostings: true),
            totals: world.ledger.totals, height: 1, time: 1, baseFee: BaseFee(1))
        #expect(throws: Executor.Stop.self) {
            try executor.credit(Amount(.max), to: world.bob.address, .fee)
        }
    }

    @Test func `a transfer to oneself changes nothing but the fee`() throws {
        var world = try World()
        #expect(try world.run(world.alice, world.transfer(5, to: world.alice)) == .success)
        let totals = world.ledger.totals
        #expect(totals.balances.rawValue == 4 * World.balance)
    }

    @Test func `streams are independent, and a new one costs the deposit`() throws {
        var world = try World()
        let pay = [world.transfer(1, to: world.bob)]
        let alice = world.alice
        for (stream, sequence) in [(UInt16(7), UInt64(0)), (0, 0), (7, 1), (9, 0)] {
            let signed = SignedTransaction(
                signing: try world.transaction(
                    alice.address, pay, stream: stream, sequence: sequence), by: [alice.key])
            #expect(try reason(world.run([signed])) == nil)
        }
        #expect(try world.reader.account(alice.address)?.deposits == 200_000)
        #expect(world.ledger.totals.deposits == 200_000)
    }

    @Test func `an account has no more than 64 streams`() throws {
        var world = try World()
        let pay = [world.transfer(1, to: world.bob)]
        let all = try (0..<64).map { stream in
            SignedTransaction(
                signing: try world.transaction(
                    world.alice.address, pay, stream: UInt16(stream)), by: [world.alice.key])
        }
        #expect(try world.run(all).allSatisfy { if case .executed = $0 { true } else { false } })
        let next = SignedTransaction(
            signing: try world.transaction(world.alice.address, pay, stream: 64),
            by: [world.alice.key])
        #expect(try reason(world.run([next])) == .tooManyStreams)
    }

    @Test func `an account whose balance can't cover fee and deposit is left alone`() throws {
        let poor = Person(50)
        let account = GenesisAccount(owner: .policy(poor.policy), balance: 100_200)
        var world = try World(extra: [account])
        let pay = [world.transfer(1, to: world.bob)]
        let signed = SignedTransaction(
            signing: try world.transaction(poor.address, pay, stream: 1), by: [poor.key])
        #expect(try reason(world.run([signed])) == .insufficientForFee)
        #expect(try world.balance(poor) == 100_200)
    }

    @Test func `admission answers from the state without changing it`() throws {
        let world = try World()
        let pay = [world.transfer(70, to: world.bob)]
        let ahead = SignedTransaction(
            signing: try world.transaction(world.alice.address, pay, sequence: 5),
            by: [world.alice.key])
        #expect(
            try world.ledger.admission(of: ahead)
                == .admissible(
                    nextSequence: 0, spendable: Amount(World.balance), cost: 100_070, tip: 0))
        let stranger = SignedTransaction(
            signing: try world.transaction(world.erin.address, pay), by: [world.erin.key])
        #expect(try world.ledger.admission(of: stranger) == .refused(.unknownSender))
        let forged = SignedTransaction(
            signing: try world.transaction(world.alice.address, pay), by: [world.bob.key])
        #expect(try world.ledger.admission(of: forged) == .refused(.unknownSigner))
    }
}
