import Glibc
import Primitives
import RPC
import Testing

@testable import offpeak

@Suite("The load generator")
struct BenchTests {
    @Test("transfers are the same for the same number, and an account's are in order")
    func transfers() async throws {
        let accounts = await BenchAccounts(seed: 7, count: 5)
        let transfers = BenchTransfers(
            accounts: accounts, chainID: .zero, validUntil: Timestamp(1), revealsPolicies: true,
            maxFee: 1000)
        let prepared = await transfers.sign(12) { _ in }
        #expect(prepared.count == 12)
        let same = await BenchAccounts(seed: 7, count: 5)
        #expect(same.addresses == accounts.addresses)
        let other = await BenchAccounts(seed: 8, count: 5)
        #expect(other.addresses != accounts.addresses)
        let again = await transfers.sign(12) { _ in }
        #expect(again.map(\.key) == prepared.map(\.key))
        for (place, transfer) in prepared.enumerated() {
            let bytes = try #require(Base64.decode(transfer.text))
            let signed = try SignedTransaction(bcs: bytes)
            #expect(signed.transaction.sender == accounts.addresses[place % 5])
            #expect(signed.transaction.sequence.rawValue == UInt64(place / 5))
            #expect(signed.policies.isEmpty == (place >= 5))
            #expect(signed.id.bytes32.leadingWord == transfer.key)
            #expect(Verified.check(signed) != nil)
        }
    }

    @Test("every account is paid once in each round")
    func payees() {
        for round in 0..<50 {
            let payees = (0..<10).map { BenchTransfers.payee(of: $0, round: round, count: 10) }
            #expect(Set(payees) == Set(0..<10))
        }
    }

    @Test("the key of an id's text is the id's first eight bytes")
    func keyOfText() throws {
        let prefix = try NetworkPrefix("opk")
        let start = HumanID.Kind.transaction.start(in: prefix)
        for number in 0..<200 {
            let id = TransactionID(Digest.hash(.random, [UInt8(number)]).bytes32)
            let key = BenchWatch.key(of: id.text(in: prefix), after: start)
            #expect(key == id.bytes32.leadingWord)
        }
        #expect(BenchWatch.key(of: "opkacc1qqqqqqqqqqqqqqqq", after: start) == nil)
        #expect(BenchWatch.key(of: "opktxn1qqq", after: start) == nil)
        #expect(BenchWatch.key(of: "opktxn1bbbbbbbbbbbbbbbb", after: start) == nil)
    }

    @Test("throughput counts what became final in the measured time, latency what was meant for it")
    func measuredTime() {
        let tracker = BenchTracker()
        let zero = ContinuousClock.now
        func at(_ milliseconds: Int) -> ContinuousClock.Instant {
            zero.advanced(by: .milliseconds(milliseconds))
        }
        #expect(tracker.reserve(4, limit: 4))
        #expect(!tracker.reserve(1, limit: 4))
        tracker.sending([(1, at(0)), (2, at(150)), (3, at(180)), (4, at(190))])
        tracker.begin(at: at(100))
        tracker.finalized([1, 2], at: at(170))
        tracker.end(at: at(200))
        tracker.finalized([3, 3, 99], at: at(280))
        tracker.failed(4, "refused")
        let counts = tracker.counts
        #expect(counts.submitted == 4)
        #expect(counts.finalized == 3)
        #expect(counts.measured == 2)
        #expect(counts.failures == ["refused": 1])
        #expect(counts.inFlight == 0)
        let latencies = [50.0, 100].map { tracker.latencyMilliseconds(percent: $0) ?? 0 }
        #expect(abs(latencies[0] - 20) < 0.1)
        #expect(abs(latencies[1] - 100) < 0.1)
    }

    @Test("a metric's samples are told apart by a label, and added where others differ")
    func metrics() {
        let text = """
            # TYPE offpeak_checked_total counter
            offpeak_checked_total{purpose="admission"} 30
            offpeak_checked_total{purpose="rescue",shard="1"} 2
            offpeak_checked_total{purpose="rescue",shard="2"} 3.0
            offpeak_checked_total_created{purpose="rescue"} 1
            """
        let samples = BenchMeter.samples(
            of: "offpeak_checked_total", by: "purpose", in: text)
        #expect(samples == ["admission": 30, "rescue": 5])
        #expect(BenchMeter.samples(of: "other", by: "purpose", in: text) == nil)
    }

    private func reading(
        validators: BenchUse, verifiers: BenchUse?, disk: UInt64
    ) -> BenchReading {
        BenchReading(
            validators: validators, verifiers: verifiers, ownCPUMicroseconds: 0,
            bytesOnDisk: disk, peakMemoryBytes: 0)
    }

    @Test("costs are the differences of readings for each transfer, validators and verifiers apart")
    func cost() {
        let before = reading(
            validators: BenchUse(cpuMicroseconds: 1000, checks: ["admission": 10, "assigned": 5]),
            verifiers: BenchUse(cpuMicroseconds: 500, checks: ["assigned": 1]), disk: 100)
        let after = reading(
            validators: BenchUse(
                cpuMicroseconds: 9000, checks: ["admission": 110, "assigned": 30]),
            verifiers: BenchUse(cpuMicroseconds: 2500, checks: ["assigned": 91]), disk: 5100)
        let cost = BenchCost(before, after, transfers: 100, hasVerifiers: true)
        #expect(cost.cpuMicrosecondsPerTransfer == 80)
        #expect(cost.verifiersCpuMicrosecondsPerTransfer == 20)
        #expect(cost.validatorsChecksPerTransfer == 1.25)
        #expect(cost.verifiersChecksPerTransfer == 0.9)
        #expect(cost.signaturesCheckedPerTransfer == 2.15)
        #expect(cost.validatorsChecksByPurpose == ["admission": 1, "assigned": 0.25])
        #expect(cost.bytesOnDiskPerTransfer == 50)
        let without = BenchCost(
            before, reading(validators: after.validators, verifiers: nil, disk: 5100),
            transfers: 100, hasVerifiers: true)
        #expect(without.validatorsChecksPerTransfer == 1.25)
        #expect(without.signaturesCheckedPerTransfer == nil, "a part of the sum is missing")
    }

    /// Tenths of a second with so many transfers each.
    private func steps(_ parts: (seconds: Int, each: Int)...) -> [Int] {
        parts.flatMap { Array(repeating: $0.each, count: 10 * $0.seconds) }
    }

    @Test("an outage ends when the rate is back for good")
    func outage() {
        let dip = BenchOutage(steps: steps((5, 100), (3, 10), (7, 95)), killed: 50)
        #expect(dip.perSecondBefore == 1000)
        #expect(dip.perSecondWorst == 100)
        #expect(dip.perSecondAtEnd == 950)
        #expect(dip.finalizedEachSecond.count == 15)
        // 2 s from there on reach 90 % with one tenth of the outage among them.
        #expect(dip.recoveredAfterSeconds == 2.9)
        let none = BenchOutage(steps: steps((5, 100), (10, 100)), killed: 50)
        #expect(none.recoveredAfterSeconds == 0)
        let late = BenchOutage(steps: steps((5, 100), (3, 100), (7, 20)), killed: 50)
        #expect(late.recoveredAfterSeconds == nil, "a rate that falls later isn't back")
    }

    @Test("a process's time and memory are read from the system")
    func readings() {
        #expect(BenchMeter.cpuMicroseconds(of: 1) >= 0)
        #expect(BenchMeter.cpuMicroseconds(of: getpid()) > 0)
        #expect(BenchMeter.peakMemoryBytes(of: getpid()) > 1 << 20)
        #expect(BenchMeter.peakMemoryBytes(of: -1) == 0)
    }
}
