import Primitives
import TestSupport
import Testing

@testable import Execution

@Suite struct BaseFeeTests {
    private func fees(
        _ minimum: UInt64, target: UInt64, denominator: UInt64 = 8
    ) -> FeeParameters {
        FeeParameters(
            baseFee: Amount(minimum), targetWeight: target, changeDenominator: denominator,
            treasury: .zero)
    }

    /// The next base fee, all in parts.
    private func next(_ parts: UInt64, _ used: UInt64, _ fees: FeeParameters) -> UInt64 {
        BaseFee(parts: parts).next(used: used, fees).parts
    }

    @Test func `the base fee stays at the target, and moves by an eighth at twice and none`() {
        let fees = fees(0, target: 1000)
        #expect(next(8000, 1000, fees) == 8000)
        #expect(next(8000, 2000, fees) == 9000)
        #expect(next(8000, 1500, fees) == 8500)
        #expect(next(8000, 500, fees) == 7500)
        #expect(next(8000, 0, fees) == 7000)
    }

    @Test func `a block above the target raises it, however low it is`() {
        let fees = fees(0, target: 1000)
        #expect(next(0, 1001, fees) == 1)
        #expect(next(1, 1001, fees) == 2)
        #expect(next(7, 2000, fees) == 8)
        #expect(next(0, 999, fees) == 0 && next(0, 1000, fees) == 0)
    }

    @Test func `a block below the target lowers it by a part at least, down to nothing`() {
        let fees = fees(0, target: 1000, denominator: 1024)
        #expect(next(1000, 999, fees) == 999)
        #expect(next(1, 999, fees) == 0 && next(0, 0, fees) == 0)
        // From whatever height: a hundredth of it is reached in 4700 empty blocks.
        var high = BaseFee(parts: 1 << 60)
        for _ in 0..<4800 { high = high.next(used: 0, fees) }
        #expect(high.parts < 1 << 54)
        var low = BaseFee(parts: 1024)
        for _ in 0..<1024 { low = low.next(used: 0, fees) }
        #expect(low.parts == 0)
    }

    @Test func `it never falls below genesis' own, and never above what 64 bits hold`() {
        let low = fees(100, target: 1000)
        let unit = BaseFee.unit
        #expect(next(100 * unit, 0, low) == 100 * unit)
        #expect(next(101 * unit, 0, low) == 100 * unit)
        #expect(next(90, 1000, low) == 100 * unit)
        for used in [0, 1, .max - 1, .max] as [UInt64] {
            for target in [1, 2, .max - 1, .max] as [UInt64] {
                let found = next(.max, used, fees(0, target: target, denominator: 2))
                #expect(found >= .max / 2, "used \(used), target \(target)")
            }
        }
        #expect(next(.max, .max, fees(0, target: 1)) == .max)
        #expect(next(.max - 1, .max, fees(0, target: 1)) == .max)
    }

    @Test func `what rose by heavy blocks comes down again, with genesis' usual numbers too`() {
        let usual = FeeParameters(treasury: .zero)
        var fee = BaseFee(usual.baseFee)
        for _ in 0..<1000 { fee = fee.next(used: usual.targetWeight + 1, usual) }
        #expect(fee.amount == 2, "a thousand blocks hardly above the target change it little")
        for _ in 0..<1000 { fee = fee.next(used: .max, usual) }
        #expect(fee.amount > 2000)
        // A tenth of the blocks full, the others empty.
        for block in 0..<5000 { fee = fee.next(used: block % 10 == 0 ? .max : 0, usual) }
        #expect(fee == BaseFee(usual.baseFee) || fee.amount <= 2)
        for _ in 0..<200 { fee = fee.next(used: 0, usual) }
        #expect(fee == BaseFee(usual.baseFee))
    }

    @Test func `a fee is rounded up to whole units, and never wraps`() {
        #expect(BaseFee(3).fee(of: 500) == 1500 && BaseFee(3).amount == 3)
        let odd = BaseFee(parts: BaseFee.unit + 1)
        #expect(odd.amount == 2)
        #expect(odd.fee(of: 1) == 2 && odd.fee(of: 65_536) == 65_537 && odd.fee(of: 0) == 0)
        #expect(odd.fee(of: 65_537, factor: 2) == 131_078)
        #expect(BaseFee(parts: .max).fee(of: .max) == nil)
        #expect(BaseFee(parts: .max).fee(of: 65_536) == Amount(.max))
        #expect(BaseFee(parts: .max).fee(of: 65_537) == nil)
        #expect(BaseFee(parts: .max).fee(of: 65_536, factor: 2) == nil)
        #expect(BaseFee(parts: 0).fee(of: .max) == 0)
        #expect(BaseFee(Amount(.max)).parts == .max)
    }

    /// The rule in whole numbers without bounds, a million blocks of changing use.
    @Test func `a million blocks give what Python's numbers give`() throws {
        let script = try TemporaryFile(
            """
            state, base, mark = 42, 5 * 65536, 0
            target, denominator, minimum = 2_000_000, 128, 5 * 65536
            for block in range(1_000_000):
                state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
                used = (state >> 33) % 6_000_000 if block // 1000 % 2 else (state >> 33) % 3_000_000
                used = min(used, 2 * target)
                if used > target:
                    base += max(1, base * (used - target) // target // denominator)
                elif used < target:
                    base -= max(1, base * (target - used) // target // denominator)
                base = min(max(base, minimum), 2**64 - 1)
                mark = (mark * 31 + base) % 2**64
            print(base, mark)
            """)
        let wanted = try PythonTool(script.path).run([]).output
        let fees = fees(5, target: 2_000_000, denominator: 128)
        var (state, base, mark) = (42 as UInt64, 5 * BaseFee.unit, 0 as UInt64)
        var highest = base
        for block in 0..<1_000_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let used = (state >> 33) % (block / 1000 % 2 == 1 ? 6_000_000 : 3_000_000)
            base = next(base, used, fees)
            highest = max(highest, base)
            mark = mark &* 31 &+ base
        }
        #expect(wanted == ["\(base) \(mark)"])
        #expect(highest > 1_000_000 * BaseFee.unit, "the use of the blocks moves it far")
    }

    @Test func `blocks above the target make the next ones dearer, and empty ones cheaper`() throws
    {
        var world = try World(
            fees: { treasury in
                FeeParameters(
                    baseFee: 10, targetWeight: 1000, changeDenominator: 4, treasury: treasury)
            })
        #expect(world.ledger.baseFee == BaseFee(10))
        #expect(try world.reader.proof(of: BaseFee.key).value == nil)
        let people = [world.alice, world.bob, world.carol]
        func pay() throws -> [TransactionResult] {
            let signed = try people.map { person in
                SignedTransaction(
                    signing: try world.transaction(
                        person.address, [world.transfer(1, to: world.dave)]),
                    policies: [], by: [person.key])
            }
            return try world.run(signed)
        }
        let first = try pay()
        // Three transfers weigh about 1,500: half of the quarter more, rounded down.
        #expect(world.ledger.baseFee > BaseFee(10) && world.ledger.baseFee <= BaseFee(12))
        #expect(
            try world.reader.proof(of: BaseFee.key).value == world.ledger.baseFee.bcsBytes)
        for _ in 0..<6 { _ = try pay() }
        let dear = world.ledger.baseFee
        #expect(dear > BaseFee(15))
        let last = try pay()
        func fee(_ results: [TransactionResult]) -> UInt64? {
            guard case .executed(let receipt)? = results.first else { return nil }
            return receipt.fee.rawValue
        }
        let (before, after) = (try #require(fee(first)), try #require(fee(last)))
        #expect(before % 10 == 0 && dear.fee(of: before / 10)?.rawValue == after)
        // The ledger that is opened again goes on with the same price.
        #expect(try world.reopened().baseFee == world.ledger.baseFee)
        for _ in 0..<40 { try world.run([]) }
        #expect(world.ledger.baseFee == BaseFee(10))
        #expect(try world.reopened().baseFee == BaseFee(10))
    }

    @Test func `a transaction below the risen base fee is skipped, and may come again`() throws {
        var world = try World(
            fees: { treasury in
                FeeParameters(
                    baseFee: 1, targetWeight: 1, changeDenominator: 2, treasury: treasury)
            })
        let cheap = SignedTransaction(
            signing: try world.transaction(
                world.bob.address, [world.transfer(1, to: world.dave)], maxFee: 700),
            policies: [], by: [world.bob.key])
        try world.run(world.alice, world.transfer(1, to: world.dave))
        #expect(world.ledger.baseFee == BaseFee(parts: BaseFee.unit * 3 / 2))
        #expect(reason(try world.run([cheap])) == .feeTooLow)
        try world.run([])
        #expect(world.ledger.baseFee == BaseFee(1))
        #expect(reason(try world.run([cheap])) == nil)
    }
}
