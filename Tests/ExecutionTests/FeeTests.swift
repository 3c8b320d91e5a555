import Primitives
import TestSupport
import Testing

@testable import Execution

@Suite struct FeeTests {
    @Test func `fees go to owner, verifiers, proposer and treasury by their shares`() {
        var split = FeeSplit(shares: FeeShares(), validatorCount: 4)
        split.add(
            1009, owner: ValidatorIndex(1), verifiers: [ValidatorIndex(2), ValidatorIndex(3)],
            proposer: ValidatorIndex(0))
        // 20 %, 40 %, and 30 % in two parts, each rounded down; the treasury has the rest.
        #expect(split.validators == [201, 403, 151, 151])
        #expect(split.treasury == 103)
    }

    @Test func `no unit of any fee is lost, whoever takes part`() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<10_000 {
            var split = FeeSplit(shares: FeeShares(), validatorCount: 4)
            let fees = generator.next() >> (generator.next() % 64)
            let verifiers = (0..<generator.next() % 7).map { _ in
                ValidatorIndex(UInt16(generator.next() % 6))
            }
            split.add(
                fees, owner: ValidatorIndex(UInt16(generator.next() % 6)), verifiers: verifiers,
                proposer: ValidatorIndex(UInt16(generator.next() % 6)))
            #expect(split.validators.reduce(split.treasury, +) == fees)
        }
    }

    @Test func `the tip is paid as far as the most that the sender allows`() throws {
        var world = try World()
        for (tip, maxFee, expected) in [(7, 100_000, 7), (500, 600, 600), (0, 100_000, 0)]
            as [(UInt64, UInt64, UInt64)]
        {
            let signed = SignedTransaction(
                signing: try world.transaction(
                    world.alice.address, [world.transfer(1, to: world.bob)],
                    maxFee: Amount(maxFee), tip: Amount(tip)), by: [world.alice.key])
            guard case .executed(let receipt)? = try world.run([signed]).first else {
                Issue.record("skipped")
                return
            }
            let base = UInt64(signed.byteCount) + 300
            #expect(receipt.fee.rawValue == (expected == 600 ? 600 : base + expected))
        }
    }

    @Test func `a fee at the limit is taken, one above it skips the transaction`() throws {
        var world = try World()
        let signed = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)]), by: [world.alice.key])
        let fee = Amount(UInt64(signed.byteCount) + 300)
        for (maxFee, expected) in [
            (Amount(fee.rawValue - 1), SkipReason.feeTooLow), (fee, nil),
        ] {
            let exact = SignedTransaction(
                signing: try world.transaction(
                    world.alice.address, [world.transfer(1, to: world.bob)], maxFee: maxFee),
                by: [world.alice.key])
            #expect(try reason(world.run([exact])) == expected)
        }
    }

    @Test func `a base fee that overflows skips the transaction`() throws {
        var world = try World(baseFee: Amount(.max))
        let signed = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)], maxFee: Amount(.max)),
            by: [world.alice.key])
        #expect(try reason(world.run([signed])) == .feeTooLow)
    }

    @Test func `rewards make accounts that weren't there`() throws {
        var world = try World()
        try world.run(world.alice, world.transfer(1, to: world.bob))
        for validator in world.validators { #expect(try world.balance(validator) > 0) }
        #expect(try world.balance(world.treasury) > 0)
        #expect(world.ledger.totals.native.undistributed == 0)
    }
}
