import Primitives
import Testing

@testable import Runtime

@Suite("Share: figures")
struct ShareFiguresTests {
    @Test("Holt's forecast follows the formula, by hand")
    func holt() {
        var forecast = HoltForecast(levelWeight: 0.5, trendWeight: 0.5)
        #expect(forecast.mean(ofNext: 3) == 0)
        // Level and trend after each value, in eighths where they need it.
        let steps: [(value: Double, level: Double, trend: Double)] = [
            (10, 10, 0),
            (20, 15, 2.5),  // 10 + 5; half of 5
            (30, 23.75, 5.625),  // half of 30 and of 17.5; half of 8.75 and of 2.5
            (10, 19.6875, 0.78125),  // half of 10 and of 29.375; half of -4.0625 and of 5.625
        ]
        for step in steps {
            forecast.observe(step.value)
            #expect(forecast.level == step.level)
            #expect(forecast.trend == step.trend)
        }
        // 19.6875 + 0.78125 h for h = 1...3, and their mean
        #expect(forecast.mean(ofNext: 1) == 20.46875)
        #expect(forecast.mean(ofNext: 3) == 21.25)
    }

    @Test("A steady value is its own forecast, a line is continued")
    func steady() {
        var flat = HoltForecast(levelWeight: 0.4, trendWeight: 0.2)
        for _ in 0..<50 { flat.observe(700) }
        #expect(abs(flat.mean(ofNext: 5) - 700) < 1e-6)
        var line = HoltForecast(levelWeight: 0.4, trendWeight: 0.2)
        for step in 0..<300 { line.observe(10 * Double(step)) }
        #expect(abs(line.mean(ofNext: 5) - (2_990 + 30)) < 0.01)
    }

    @Test("The kernel's processor times are read, in two forms")
    func processors() {
        let text = """
            cpu  100 5 40 9000 60 1 2 7 3 0
            cpu0 50 5 20 4500 30 1 1 3 3 0
            cpu1 50 0 20 4500 30 0 1 4 0 0
            intr 12345 1 2
            ctxt 99
            """
        let times = ProcessorTimes(parsing: text, ticksPerSecond: 100)
        #expect(times?.unusedNanoseconds == (9000 + 60 + 7) * 10_000_000)
        #expect(times?.cores == 2)
        let old = ProcessorTimes(parsing: "cpu 1 2 3 4\ncpu0 1 2 3 4", ticksPerSecond: 1000)
        #expect(old?.unusedNanoseconds == 4_000_000)
    }

    @Test(
        "What isn't such a file gives no times",
        arguments: [
            "", "\n", "cpu", "cpu  1 2 3", "cpu  1 2 3 x 5", "cpu  1 2 3 -4",
            "cpu0 1 2 3 4 5 6 7 8",
            "cpu  1 2 3 4 5 6 7 8", "intr 5\ncpu 1 2 3 4\ncpu0 1 2 3 4",
            "cpu  1 2 3 18446744073709551615\ncpu0 1 2 3 4",
            "cpu  1 2 3 99999999999999999999\ncpu0 1 2 3 4",
        ])
    func noProcessors(text: String) {
        #expect(ProcessorTimes(parsing: text, ticksPerSecond: 100) == nil)
    }

    @Test("The total of a pressure file is read")
    func pressure() {
        let text = """
            some avg10=42.50 avg60=29.39 avg300=42.63 total=318295059
            full avg10=0.00 avg60=0.00 avg300=0.00 total=17
            """
        #expect(ProcText.pressureTotal(text) == 318_295_059)
        #expect(ProcText.pressureTotal("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n") == 0)
    }

    @Test(
        "What isn't such a file gives no total",
        arguments: [
            "", "some", "some avg10=1.00", "full avg10=0.00 total=17", "some total=",
            "some total=-1",
            "some total=1x", "some total=18446744073709551616", "something total=5", "\u{0}\u{1}",
        ])
    func noPressure(text: String) { #expect(ProcText.pressureTotal(text) == nil) }

    @Test("A thread's waiting is the second of three numbers")
    func schedstat() {
        #expect(ProcText.runQueueWait("123 456 7\n") == 456)
        for text in ["", "1 2", "1 2 3 4", "1 x 3"] { #expect(ProcText.runQueueWait(text) == nil) }
    }

    /// A reading of two cores after some milliseconds; times in milliseconds.
    private func reading(
        at: UInt64, unused: UInt64, own: UInt64 = 0, waited: UInt64? = nil, ownWait: UInt64? = nil,
        disk: UInt64? = nil, ownDisk: UInt64 = 0, memory: UInt64? = nil, cores: Int = 2
    ) -> MachineReading {
        let lines = (0..<cores).map { "cpu\($0) 0 0 0 0" }.joined(separator: "\n")
        var reading = MachineReading(nanoseconds: at * 1_000_000, own: OwnTimes())
        reading.processors = ProcessorTimes(
            parsing: "cpu 0 0 0 \(unused / 10)\n\(lines)", ticksPerSecond: 100)
        reading.processorPressure = waited.map { $0 * 1000 }
        reading.diskPressure = disk.map { $0 * 1000 }
        reading.memoryPressure = memory.map { $0 * 1000 }
        reading.own.processor = own * 1_000_000
        reading.own.runQueue = ownWait.map { $0 * 1_000_000 }
        reading.own.disk = ownDisk * 1_000_000
        return reading
    }

    @Test("Work of this process isn't taken for its owner's")
    func load() {
        let first = reading(at: 1_000, unused: 50_000, own: 700)
        // 200 ms of two cores: 100 ms idle, 240 ms ours, 60 ms of others.
        let second = reading(at: 1_200, unused: 50_100, own: 940)
        #expect(second.sample(since: first)?.loadPermille == 150)
        #expect(second.sample(since: first)?.milliseconds == 200)
        let busy = reading(at: 1_200, unused: 50_000, own: 700)
        #expect(busy.sample(since: first)?.loadPermille == 1000)
        let ours = reading(at: 1_200, unused: 50_000, own: 1_110)
        #expect(ours.sample(since: first)?.loadPermille == 0)
    }

    @Test("Waiting of this process isn't taken for its owner's, and the largest waiting counts")
    func waiting() {
        let first = reading(
            at: 1_000, unused: 0, waited: 10, ownWait: 30, disk: 5, ownDisk: 3, memory: 0)
        func found(
            _ waited: UInt64?, _ ownWait: UInt64?, _ disk: UInt64?, _ ownDisk: UInt64,
            _ memory: UInt64?
        ) -> Int? {
            reading(
                at: 1_200, unused: 0, waited: waited, ownWait: ownWait, disk: disk,
                ownDisk: ownDisk, memory: memory
            ).sample(since: first)?.pressurePermille
        }
        #expect(found(110, 90, 5, 3, 0) == 200)
        #expect(found(110, 430, 5, 3, 0) == 0)
        #expect(found(110, nil, 5, 3, 0) == 0)
        #expect(found(10, 30, 105, 43, 0) == 300)
        #expect(found(10, 30, 5, 3, 50) == 250)
        // A thread that ended took its waiting with it.
        #expect(found(110, 0, 5, 3, 0) == 500)
        #expect(found(nil, nil, nil, 3, nil) == nil)
    }

    @Test("Without a time between, or with other cores, nothing is said")
    func gaps() {
        let first = reading(at: 1_000, unused: 0)
        #expect(reading(at: 1_000, unused: 5).sample(since: first) == nil)
        #expect(reading(at: 900, unused: 5).sample(since: first) == nil)
        let plugged = reading(at: 1_200, unused: 0, cores: 4).sample(since: first)
        #expect(plugged != nil && plugged?.loadPermille == nil)
    }

    @Test("This machine's own figures can be read, or are left out")
    func here() throws {
        let probe = MachineProbe()
        let first = probe.reading(own: OwnTimes(), withPressure: true)
        let times = try #require(first.processors)
        #expect(times.cores >= 1)
        let nowhere = MachineProbe(folder: "/nonexistent")
        let empty = nowhere.reading(own: OwnTimes(processor: 5), withPressure: true)
        #expect(empty.processors == nil && empty.processorPressure == nil)
        #expect(empty.own == OwnTimes(processor: 5))
    }

    @Test("Bandwidth holds over time: bursts are made up for")
    func bucket() {
        let start = Instant(milliseconds: 50)
        // A megabit: 125,000 bytes a second.
        var bucket = ByteBucket(megabits: 1, at: start)
        #expect(bucket.kilobits(at: start) == 1_000)
        #expect(bucket.take(124_000, at: start) == true)
        #expect(bucket.kilobits(at: start) == 8)
        #expect(bucket.take(126_000, at: start) == true)
        #expect(bucket.kilobits(at: start) == 0)
        let half = start.advanced(byMilliseconds: 1_000)
        #expect(bucket.take(1, at: half) == false)
        #expect(bucket.take(1, at: half.advanced(byMilliseconds: 1)) == true)
        #expect(bucket.kilobits(at: half.advanced(byMilliseconds: 86_400_000)) == 1_000)
        #expect(bucket.take(.max, at: half.advanced(byMilliseconds: 86_400_000)) == true)
        #expect(bucket.take(1, at: Instant(milliseconds: .max)) == false)
        var large = ByteBucket(megabits: 100_000, at: start)
        #expect(large.kilobits(at: Instant(milliseconds: .max)) == 100_000_000)
    }

    private let lending = ShareDecision(reason: .lending, cores: 4, dutyPermille: 500)

    @Test("What is free is what cores, duty, others and own duties leave")
    func capacity() {
        var meter = CapacityMeter(machineCores: 8, signaturesPerCore: 10_000)
        meter.observe(lending, .init(others: 0, duties: 0))
        meter.closeSecond()
        let idle = meter.capacity(lending, queue: 2.6, bandwidth: nil)
        let expected = Capacity(
            signaturesPerSecond: 80_000, free: 20_000, forecast: 20_000, queueMilliseconds: 3,
            kilobitsPerSecond: 1_000_000)
        #expect(idle == expected)
        // Of eight cores two are left: less than may be lent.
        meter.observe(lending, .init(others: 500, duties: 250))
        meter.observe(lending, .init(others: 500, duties: 250))
        meter.closeSecond()
        #expect(meter.capacity(lending, queue: 0, bandwidth: 7).free == 10_000)
        #expect(meter.capacity(lending, queue: 0, bandwidth: 7).kilobitsPerSecond == 7)
        let back = meter.capacity(.off, queue: 0, bandwidth: 7)
        #expect(back.free == 0 && back.kilobitsPerSecond == 0)
        #expect(back.signaturesPerSecond == 80_000)
    }

    @Test("A machine that is lent whatever else runs on it has its floor free when it is busy")
    func floor() {
        var meter = CapacityMeter(
            machineCores: 8, signaturesPerCore: 10_000, floorPermille: 250)
        meter.observe(lending, .init(others: 900, duties: 100))
        meter.closeSecond()
        // A quarter of four cores, for half of the time.
        #expect(meter.capacity(lending, queue: 0, bandwidth: nil).free == 5_000)
        #expect(meter.capacity(.off, queue: 0, bandwidth: nil).free == 0)
    }

    @Test("The forecast falls with what is free, and never leaves what is possible")
    func forecast() {
        var meter = CapacityMeter(machineCores: 8, signaturesPerCore: 10_000)
        for _ in 0..<20 {
            meter.observe(lending, .init(others: 0, duties: 0))
            meter.closeSecond()
        }
        var last = meter.capacity(lending, queue: 0, bandwidth: nil).forecast
        #expect(last == 20_000)
        for _ in 0..<4 {
            meter.observe(.off, .init(others: 1000, duties: 0))
            meter.closeSecond()
            let next = meter.capacity(.off, queue: 0, bandwidth: nil).forecast
            #expect(next < last || last == 0)
            last = next
        }
        #expect(last == 0)
    }

    @Test("A step back is told at once, other changes once a second")
    func adverts() {
        var settings = ShareSettings()
        settings.loadMax = 50
        var now = Instant(milliseconds: 10_000)
        var unused: UInt64 = 0
        var watch = ShareWatch(
            mode: .idle, settings: settings, machineCores: 2, speed: 1_000,
            first: reading(at: 10_000, unused: 0), at: now)
        var told: [(at: UInt64, free: UInt32)] = []
        for step in 1...80 {
            now = now.advanced(byMilliseconds: 100)
            // Idle for five seconds and a half, then all cores are taken.
            unused += step <= 55 ? 200 : 0
            let next = reading(at: now.milliseconds, unused: unused)
            let changed = watch.take(next, at: now, minuteOfDay: 0)
            #expect(changed == (step == 31 || step == 58), "\(step)")
            if let advert = watch.advert(at: now, queue: 0, bandwidth: nil) {
                told.append((now.milliseconds, advert.free))
            }
        }
        let free = told.map(\.free)
        #expect(free.first == 0)
        #expect(free.contains(2_000))
        let back = told.first { $0.at > 15_500 && $0.free == 0 }
        #expect(back?.at == 15_800)
        #expect(watch.told.free == 0 && watch.stepBacks == 1)
        #expect(zip(told, told.dropFirst()).allSatisfy { $1.free == 0 || $1.at >= $0.at + 1_000 })
    }

    @Test("The speed of checking is measured, and believable")
    func speed() {
        let speed = CheckSpeed.measure()
        #expect((500...1_000_000).contains(speed), "\(speed) signatures a second")
    }
}
