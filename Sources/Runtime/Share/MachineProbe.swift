internal import Glibc
internal import Synchronization

/// Reads what the kernel counts, from `/proc`. What isn't there is left out, as in many containers.
struct MachineProbe: Sendable {
    /// The folder, `/proc`.
    private let folder: String
    private let ticksPerSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))

    init(folder: String = "/proc") { self.folder = folder }

    /// What is counted now.
    /// - Parameter own: this process's times without its run queue's, which is read here.
    /// - Parameter withPressure: whether waiting is read too, which takes a file for each thread.
    func reading(own: OwnTimes, withPressure: Bool) -> MachineReading {
        var reading = MachineReading(nanoseconds: Monotonic.nanoseconds, own: own)
        reading.processors = read("stat", maximum: 1 << 18).flatMap {
            ProcessorTimes(parsing: $0, ticksPerSecond: ticksPerSecond)
        }
        guard withPressure else { return reading }
        reading.memoryPressure = pressure("memory")
        reading.diskPressure = pressure("io")
        reading.processorPressure = pressure("cpu")
        if reading.processorPressure != nil { reading.own.runQueue = runQueueWait() }
        return reading
    }

    private func pressure(_ name: String) -> UInt64? {
        read("pressure/\(name)", maximum: 4_096).flatMap(ProcText.pressureTotal)
    }

    /// Summed over the process's threads; nil if the kernel doesn't tell.
    private func runQueueWait() -> UInt64? {
        guard let names = try? PosixFolder.names(in: "\(folder)/self/task") else { return nil }
        var sum: UInt64 = 0
        var isKnown = false
        for name in names {
            // A thread may end between the listing and the look.
            guard let text = read("self/task/\(name)/schedstat", maximum: 256),
                let wait = ProcText.runQueueWait(text)
            else { continue }
            isKnown = true
            sum &+= wait
        }
        return isKnown ? sum : nil
    }

    /// A file's text, nil if it can't be read. The files of `/proc` have no size beforehand.
    private func read(_ name: String, maximum: Int) -> String? {
        let descriptor = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: min(maximum, 16_384))
        var done = 0
        while true {
            let step = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
            }
            if step < 0 && errno == EINTR { continue }
            guard step >= 0 else { return nil }
            if step == 0 { break }
            done += step
            guard done == bytes.count else { continue }
            guard bytes.count < maximum else { break }
            bytes.append(contentsOf: [UInt8](repeating: 0, count: bytes.count))
        }
        return String(decoding: bytes.prefix(done), as: UTF8.self)
    }
}

/// Time that a part of the program spent on something, from any thread.
final class TimeCount: Sendable {
    private let sum = Atomic<UInt64>(0)

    var nanoseconds: UInt64 { sum.load(ordering: .relaxed) }

    /// Runs `body` and adds how long it took.
    func measure<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let start = Monotonic.nanoseconds
        defer { sum.wrappingAdd(Monotonic.nanoseconds &- start, ordering: .relaxed) }
        return try body()
    }
}

/// The machine's local time.
enum LocalTime {
    /// Minutes since midnight, 0...1439.
    static var minuteOfDay: Int {
        var seconds = time(nil)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return 0 }
        return max(0, min(60 * Int(parts.tm_hour) + Int(parts.tm_min), 1439))
    }
}
