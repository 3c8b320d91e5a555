/// What the kernel counted since the start, read at one moment.
struct MachineReading: Hashable, Sendable {
    /// Time of the monotonic clock.
    var nanoseconds: UInt64
    var processors: ProcessorTimes?
    /// Time in which something waited, in microseconds; nil where the system doesn't tell.
    var processorPressure: UInt64?
    var memoryPressure: UInt64?
    var diskPressure: UInt64?
    /// What this process did itself.
    var own: OwnTimes

    /// What others did between an earlier reading and this one; nil without a time between.
    ///
    /// The time of others is what all cores had, less what they were idle, less what this process
    /// used. Idle time is counted exactly, busy time by the clock's ticks: the kernel's busy
    /// figures would see threads that pause in step with the ticks many times or never.
    func sample(since earlier: MachineReading) -> ShareSample? {
        guard nanoseconds > earlier.nanoseconds else { return nil }
        let nanosecondsPassed = Double(nanoseconds - earlier.nanoseconds)
        return ShareSample(
            milliseconds: max(1, UInt64(nanosecondsPassed / 1e6)),
            loadPermille: load(since: earlier, nanosecondsPassed),
            pressurePermille: pressure(since: earlier, nanosecondsPassed))
    }

    private func load(since earlier: MachineReading, _ passed: Double) -> Int? {
        guard let processors, let before = earlier.processors, processors.cores == before.cores
        else { return nil }
        let all = passed * Double(processors.cores)
        let unused = Double(processors.unusedNanoseconds) - Double(before.unusedNanoseconds)
        let own = max(0, Double(own.processor) - Double(earlier.own.processor))
        return MachineReading.permille(all - unused - own, of: all)
    }

    /// Waiting of this process counts in the kernel's figures too: its lent threads wait whenever
    /// anybody runs. Where it can't be told apart the processor's pressure says nothing.
    private func pressure(since earlier: MachineReading, _ passed: Double) -> Int? {
        func waited(_ figure: KeyPath<MachineReading, UInt64?>, less own: Double) -> Int? {
            guard let now = self[keyPath: figure], let before = earlier[keyPath: figure] else {
                return nil
            }
            let all = 1000 * (Double(now) - Double(before))
            // Sums over threads fall when one ends.
            return MachineReading.permille(all - max(0, own), of: passed)
        }
        var found = [
            waited(\.memoryPressure, less: 0),
            waited(\.diskPressure, less: Double(own.disk) - Double(earlier.own.disk)),
        ]
        if let wait = own.runQueue, let before = earlier.own.runQueue {
            found.append(waited(\.processorPressure, less: Double(wait) - Double(before)))
        }
        return found.compactMap { $0 }.max()
    }

    private static func permille(_ part: Double, of whole: Double) -> Int {
        Int((1000 * max(0, min(part / whole, 1))).rounded())
    }
}

/// What the threads of this process did, in nanoseconds.
struct OwnTimes: Hashable, Sendable {
    /// Time on the cores.
    var processor: UInt64 = 0
    /// Part of it that was lent.
    var lent: UInt64 = 0
    /// Time in which they could have run but waited for a core, summed; nil if the system doesn't
    /// tell.
    var runQueue: UInt64?
    /// Time in which the core waited for the disk.
    var disk: UInt64 = 0
}

/// The first line of `/proc/stat`, as far as it is needed here.
struct ProcessorTimes: Hashable, Sendable {
    /// Time of all cores together in which nobody used them: idle, idle with open reads or writes,
    /// or taken away by the host of a virtual machine.
    let unusedNanoseconds: UInt64
    /// Cores that are there.
    let cores: Int

    /// The times in the file's text, nil if it isn't as proc(5) describes it.
    /// - Parameter ticksPerSecond: the unit of the file, usually 100.
    init?(parsing text: String, ticksPerSecond: UInt64) {
        let lines = text.split(separator: "\n")
        guard ticksPerSecond > 0, let first = lines.first else { return nil }
        let words = first.split(separator: " ")
        let numbers = words.dropFirst().compactMap { UInt64($0) }
        // user, nice, system, idle, iowait, irq, softirq, steal
        guard words.first == "cpu", numbers.count == words.count - 1, numbers.count >= 4 else {
            return nil
        }
        let wanted = [3, 4, 7].filter { $0 < numbers.count }
        let ticks = wanted.reduce(UInt64(0)) { $0 &+ numbers[$1] }
        let (time, overflow) = ticks.multipliedReportingOverflow(
            by: 1_000_000_000 / ticksPerSecond)
        let cores = lines.dropFirst().prefix { $0.hasPrefix("cpu") }.count
        guard !overflow, cores > 0 else { return nil }
        unusedNanoseconds = time
        self.cores = cores
    }
}

/// The formats of the small files in `/proc`.
enum ProcText {
    /// Microseconds in which at least one task waited: the `total` of the line `some` of
    /// `/proc/pressure/*`, nil if it isn't there.
    static func pressureTotal(_ text: String) -> UInt64? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("some ") }
        let word = line?.split(separator: " ").last { $0.hasPrefix("total=") }
        return word.flatMap { UInt64($0.dropFirst("total=".count)) }
    }

    /// Nanoseconds that a thread could have run but waited: the second number of
    /// `/proc/self/task/*/schedstat`.
    static func runQueueWait(_ text: String) -> UInt64? {
        let words = text.split(whereSeparator: \.isWhitespace)
        return words.count == 3 ? UInt64(words[1]) : nil
    }
}
