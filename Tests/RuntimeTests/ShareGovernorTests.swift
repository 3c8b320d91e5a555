import Primitives
import Testing

@testable import Runtime

@Suite("Share: governor")
struct ShareGovernorTests {
    /// A machine of eight cores in virtual time, with a sample every 100 ms.
    private struct Machine {
        var governor: ShareGovernor
        var now = Instant(milliseconds: 1_000_000)
        var minute = 12 * 60
        var decisions: [ShareDecision] = []

        init(mode: ShareMode = .idle, _ change: (inout ShareSettings) -> Void = { _ in }) {
            var settings = ShareSettings()
            change(&settings)
            governor = ShareGovernor(mode: mode, settings: settings, machineCores: 8)
        }

        /// Lets time pass with one load and pressure, in percent; gives the last decision.
        @discardableResult
        mutating func pass(
            _ milliseconds: UInt64, load: Int? = 0, pressure: Int? = 0, step: UInt64 = 100
        ) -> ShareDecision {
            for _ in 0..<milliseconds / step {
                now = now.advanced(byMilliseconds: step)
                let sample = ShareSample(
                    milliseconds: step, loadPermille: load.map { 10 * $0 },
                    pressurePermille: pressure.map { 10 * $0 })
                decisions.append(governor.take(sample, at: now, minuteOfDay: minute))
            }
            return decisions[decisions.count - 1]
        }

        /// Milliseconds of calm until the machine is lent, nil if it isn't within ten minutes.
        mutating func timeToLend(load: Int? = 0, pressure: Int? = 0) -> UInt64? {
            let start = now
            while now.millisecondsSince(start) < 600_000 {
                if pass(100, load: load, pressure: pressure).isLending {
                    return now.millisecondsSince(start)
                }
            }
            return nil
        }

        /// Milliseconds until the machine isn't lent any more, nil if it is for ten seconds.
        mutating func timeToStepBack(load: Int? = 0, pressure: Int? = 0) -> UInt64? {
            let start = now
            while now.millisecondsSince(start) < 10_000 {
                if !pass(100, load: load, pressure: pressure).isLending {
                    return now.millisecondsSince(start)
                }
            }
            return nil
        }
    }

    @Test("A quiet machine is lent after the quiet time, with its cores and duty")
    func lends() {
        var machine = Machine {
            $0.cores = 6
            $0.cpuPercent = 40
        }
        #expect(machine.pass(100).reason == .settling)
        #expect(machine.decisions[0].cores == 0)
        #expect(machine.timeToLend() == 3_000)
        let decision = machine.pass(100)
        #expect(decision == ShareDecision(reason: .lending, cores: 6, dutyPermille: 400))
        #expect(machine.governor.stepBacks == 0)
    }

    @Test("More cores than there are, or none named, lend all of them", arguments: [0, 8, 200])
    func cores(configured: Int) {
        var machine = Machine { $0.cores = configured }
        #expect(machine.pass(4_000).cores == 8)
    }

    /// Load and pressure in percent, and what is decided of a lent machine after a second of it.
    private static let table: [(load: Int?, pressure: Int?, reason: ShareDecision.Reason)] = [
        (0, 0, .lending), (20, 10, .lending), (20, nil, .lending), (21, 0, .load),
        (100, nil, .load), (0, 11, .pressure), (0, 100, .pressure), (21, 11, .load),
        (nil, 0, .unknown), (nil, nil, .unknown),
    ]

    @Test("Above a ceiling the machine is wanted, at it and below it is lent", arguments: table)
    func ceilings(load: Int?, pressure: Int?, reason: ShareDecision.Reason) {
        var machine = Machine()
        #expect(machine.pass(4_000).isLending)
        let decision = machine.pass(1_000, load: load, pressure: pressure)
        #expect(decision.reason == reason)
        #expect(decision.cores == (reason == .lending ? 8 : 0))
        #expect(machine.governor.stepBacks == (reason == .lending ? 0 : 1))
    }

    @Test("Every load or pressure above its ceiling is seen within half a second")
    func delay() {
        for percent in 21...100 {
            var machine = Machine()
            machine.pass(4_000, load: 0)
            let delay = machine.timeToStepBack(load: percent)
            #expect(delay.map { $0 <= 400 } == true, "\(percent) %: \(String(describing: delay))")
        }
        for percent in 11...100 {
            var machine = Machine()
            machine.pass(4_000)
            let delay = machine.timeToStepBack(pressure: percent)
            #expect(delay.map { $0 <= 400 } == true, "\(percent) %: \(String(describing: delay))")
        }
    }

    @Test("A full load is seen by the first sample, whatever was before")
    func fullLoad() {
        var machine = Machine()
        machine.pass(20_000, load: 19)
        #expect(machine.timeToStepBack(load: 100) == 100)
    }

    @Test("A short burst isn't taken for an owner")
    func burst() {
        var machine = Machine()
        machine.pass(4_000)
        for _ in 0..<20 {
            #expect(machine.pass(100, load: 70).isLending)
            #expect(machine.pass(400, load: 0).isLending)
        }
    }

    @Test("Between three quarters of the ceiling and the ceiling nothing changes")
    func hysteresis() {
        var lent = Machine()
        lent.pass(4_000)
        #expect(lent.pass(60_000, load: 18, pressure: 9).isLending)
        var wanted = Machine()
        #expect(wanted.pass(60_000, load: 18).reason == .load)
        #expect(wanted.pass(60_000, load: 0, pressure: 9).reason == .pressure)
        #expect(wanted.timeToLend(load: 15, pressure: 7) != nil)
    }

    @Test("One busy moment starts the quiet time anew")
    func quiet() {
        var machine = Machine()
        machine.pass(2_500)
        #expect(machine.pass(400, load: 100).reason == .load)
        // The window forgets the load after four samples, then the quiet time begins.
        #expect(machine.timeToLend() == 3_400)
    }

    @Test("Who is wanted again and again waits longer each time, up to a maximum")
    func flapping() {
        var machine = Machine()
        var waits: [UInt64] = []
        for _ in 0..<9 {
            waits.append(machine.timeToLend() ?? 0)
            machine.pass(500, load: 100)
        }
        let expected: [UInt64] = [3_000, 6_000, 12_000, 24_000, 48_000, 96_000]
        // The time until the window has forgotten the load comes on top.
        #expect(waits.prefix(6).enumerated().allSatisfy { $1 - expected[$0] <= 500 }, "\(waits)")
        #expect(waits.suffix(3).allSatisfy { (120_000...120_500).contains($0) }, "\(waits)")
        #expect(machine.governor.stepBacks == 9)
    }

    @Test("After a long calm the machine comes back soon again")
    func steady() {
        var machine = Machine()
        for _ in 0..<4 {
            _ = machine.timeToLend()
            machine.pass(500, load: 100)
        }
        #expect(machine.timeToLend().map { $0 > 20_000 } == true)
        machine.pass(61_000)
        machine.pass(500, load: 100)
        #expect(machine.timeToLend().map { $0 <= 3_500 } == true)
    }

    @Test("One missing figure of the load takes the machine back")
    func missing() {
        var machine = Machine()
        machine.pass(4_000)
        #expect(machine.pass(100, load: nil).reason == .unknown)
    }

    @Test("A sample without a length changes nothing, a long one replaces all before it")
    func oddSamples() {
        var machine = Machine()
        machine.pass(4_000)
        let empty = ShareSample(milliseconds: 0, loadPermille: 1000, pressurePermille: 1000)
        #expect(machine.governor.take(empty, at: machine.now, minuteOfDay: 0).isLending)
        let long = ShareSample(milliseconds: .max, loadPermille: 1000, pressurePermille: nil)
        #expect(machine.governor.take(long, at: machine.now, minuteOfDay: 0).reason == .load)
    }

    @Test("off never lends, always lends at once and under any load")
    func modes() {
        var off = Machine(mode: .off)
        #expect(off.pass(100_000).reason == .off)
        var always = Machine(mode: .always)
        #expect(always.pass(100, load: nil, pressure: nil).isLending)
        #expect(always.pass(5_000, load: 100, pressure: 100).isLending)
        #expect(always.governor.stepBacks == 0)
    }

    @Test(
        "Outside of its hours nothing is lent, in idle and in always",
        arguments: [
            ShareMode.idle, .always,
        ])
    func hours(mode: ShareMode) throws {
        let span = try #require(DaySpan("22:00-07:00"))
        var machine = Machine(mode: mode) { $0.hours = [span] }
        machine.minute = 21 * 60 + 59
        #expect(machine.pass(10_000).reason == .hours)
        machine.minute = 22 * 60
        #expect(machine.timeToLend().map { $0 <= 3_100 } == true)
        machine.minute = 0
        #expect(machine.pass(1_000).isLending)
        machine.minute = 7 * 60
        #expect(machine.pass(100).reason == .hours)
        // The end of the hours is no sign of a busy owner.
        #expect(machine.governor.stepBacks == 0)
    }

    @Test(
        "Spans of the day contain their minutes, also over midnight",
        arguments: [
            ("22:00-07:00", [1320, 1439, 0, 419], [420, 720, 1319]),
            ("09:30-17:00", [570, 1019], [569, 1020, 0, 1439]),
            ("00:00-24:00", [0, 720, 1439], []),
            ("23:59-00:01", [1439, 0], [1, 1438]),
            ("12:00-24:00", [720, 1439], [719, 0]),
        ])
    func spans(text: String, inside: [Int], outside: [Int]) throws {
        let span = try #require(DaySpan(text))
        #expect(inside.allSatisfy(span.contains))
        #expect(!outside.contains(where: span.contains))
        #expect(span.description == text)
    }

    @Test("Midnight ends a day too")
    func midnight() {
        #expect(DaySpan("22:00-00:00") == DaySpan("22:00-24:00"))
    }

    @Test(
        "What isn't a span is refused",
        arguments: [
            "", "22:00", "22:00-", "-07:00", "22-07", "22:00-07:00-08:00", "24:00-07:00",
            "22:60-07:00",
            "25:00-07:00", "7:00-22:00", "22:00 - 07:00", "08:00-08:00", "22:00-24:01",
            "00:00-00:00",
            "2a:00-07:00",
            "22.00-07.00", "２２:00-07:00", "+1:00-07:00",
        ])
    func noSpans(text: String) { #expect(DaySpan(text) == nil) }

    /// Rules that hold for any course of load and pressure.
    @Test("No course of samples lends above a ceiling for half a second, or too soon after")
    func anyCourse() {
        for seed in UInt64(1)...200 {
            var random = SplitMix(seed)
            var machine = Machine()
            var busy: UInt64 = 0
            var wantedAt: Instant?
            for _ in 0..<400 {
                let load = Int(random.next() % 4 == 0 ? random.next() % 101 : random.next() % 20)
                let length = (1 + random.next() % 10) * 100
                let decision = machine.pass(length, load: load)
                busy = load > 20 ? busy + length : 0
                if busy >= 500 { #expect(!decision.isLending, "seed \(seed)") }
                if !decision.isLending, load > 20, length >= 400 { wantedAt = machine.now }
                guard decision.isLending, let last = wantedAt else { continue }
                #expect(machine.now.millisecondsSince(last) >= 3_000, "seed \(seed)")
            }
        }
    }

    private struct SplitMix {
        var state: UInt64
        init(_ seed: UInt64) { state = seed }
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
