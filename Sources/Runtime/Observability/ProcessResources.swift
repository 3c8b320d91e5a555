internal import Glibc

/// What a process used so far, as the system counts it.
package struct ProcessResources: Hashable, Sendable {
    /// Time on the cores in user and system mode together.
    package let cpuMicroseconds: UInt64
    /// Memory in use now (resident set).
    package let residentBytes: UInt64
    /// The most memory in use at once so far.
    package let peakResidentBytes: UInt64
    /// Open files and sockets; 0 where the system doesn't tell.
    package let openDescriptors: Int

    /// This process, now.
    package static var current: ProcessResources {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let (resident, peak) = memory("/proc/self")
        return ProcessResources(
            cpuMicroseconds: microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
            residentBytes: resident, peakResidentBytes: peak,
            openDescriptors: descriptors("/proc/self"))
    }

    /// The process `pid`, or nil if there is none; its time on the cores is counted in ticks of
    /// the system, 10 ms each.
    package static func of(pid: Int32) -> ProcessResources? {
        let folder = "/proc/\(pid)"
        guard let text = read("\(folder)/stat"), let close = text.lastIndex(of: ")") else {
            return nil
        }
        // Behind the name in parentheses: user and system ticks are fields 12 and 13.
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12])
        else { return nil }
        let tick = 1_000_000 / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        let (resident, peak) = memory(folder)
        return ProcessResources(
            cpuMicroseconds: (user &+ system) &* tick, residentBytes: resident,
            peakResidentBytes: peak, openDescriptors: descriptors(folder))
    }

    /// Registers the process's figures.
    package static func register(in metrics: Metrics) {
        metrics.counter(
            "offpeak_process_cpu_seconds_total", "Time on the cores, user and system."
        ) { Double(current.cpuMicroseconds) / 1e6 }
        metrics.gauge("offpeak_process_resident_memory_bytes", "Memory in use.") {
            Double(current.residentBytes)
        }
        metrics.gauge("offpeak_process_peak_memory_bytes", "The most memory in use at once.") {
            Double(current.peakResidentBytes)
        }
        metrics.gauge("offpeak_process_open_descriptors", "Open files and sockets.") {
            Double(current.openDescriptors)
        }
    }

    private static func microseconds(_ time: timeval) -> UInt64 {
        UInt64(max(0, time.tv_sec)) * 1_000_000 + UInt64(max(0, time.tv_usec))
    }

    private static func memory(_ folder: String) -> (resident: UInt64, peak: UInt64) {
        let text = read("\(folder)/status") ?? ""
        func kilobytes(_ name: String) -> UInt64 {
            for line in text.split(separator: "\n") where line.hasPrefix(name) {
                let number = line.dropFirst(name.count).split(whereSeparator: \.isWhitespace).first
                return number.flatMap { UInt64($0) } ?? 0
            }
            return 0
        }
        return (kilobytes("VmRSS:") * 1024, kilobytes("VmHWM:") * 1024)
    }

    private static func descriptors(_ folder: String) -> Int {
        (try? PosixFolder.names(in: "\(folder)/fd"))?.count ?? 0
    }

    /// A file of /proc, whose size isn't known beforehand.
    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
