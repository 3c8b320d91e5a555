internal import FoundationEssentials
internal import Glibc
internal import RPC

/// What a network has used so far; differences tell what a measured time cost.
struct BenchReading: Sendable {
    /// User and system time of the nodes' processes.
    let cpuMicroseconds: Double
    /// The same of this process.
    let ownCPUMicroseconds: Double
    let bytesOnDisk: UInt64
    /// Summed over the nodes; nil if a node doesn't tell.
    let signaturesChecked: Double?
    /// The most memory that the largest node ever had resident, in bytes.
    let peakMemoryBytes: UInt64
}

/// Reads what the nodes of a local network have used from `/proc`, their folders and `/metrics`.
struct BenchMeter: Sendable {
    let network: TestnetNetwork

    func read() async -> BenchReading {
        let nodes = network.record.nodes.map(\.index)
        let pids = nodes.compactMap { network.process($0).pid }
        let cpu = pids.reduce(0) { $0 + BenchMeter.cpuMicroseconds(of: $1) }
        let own = BenchMeter.ownCPUMicroseconds
        return BenchReading(
            cpuMicroseconds: cpu, ownCPUMicroseconds: own,
            bytesOnDisk: nodes.reduce(0) { $0 + network.folder.bytesOnDisk($1) },
            signaturesChecked: await signaturesChecked(),
            peakMemoryBytes: pids.map(BenchMeter.peakMemoryBytes).max() ?? 0)
    }

    /// `utime` and `stime`, the 14th and 15th field of `/proc/PID/stat`; the name in parentheses
    /// may hold blanks.
    static func cpuMicroseconds(of pid: pid_t) -> Double {
        let text = read("/proc/\(pid)/stat")
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12])
        else { return 0 }
        return (user + system) * 1_000_000 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static var ownCPUMicroseconds: Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) {
            $0 + Double($1.tv_sec) * 1_000_000 + Double($1.tv_usec)
        }
    }

    /// `VmHWM` of `/proc/PID/status`, which is in KiB.
    static func peakMemoryBytes(of pid: pid_t) -> UInt64 {
        for line in read("/proc/\(pid)/status").split(separator: "\n")
        where line.hasPrefix("VmHWM:") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return (words.dropFirst().first.flatMap { UInt64($0) } ?? 0) * 1024
        }
        return 0
    }

    private static func read(_ file: String) -> String {
        String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
    }

    private func signaturesChecked() async -> Double? {
        var sum = 0.0
        for client in network.clients {
            guard let answer = try? await client.get("/metrics"),
                let value = BenchMeter.sum(of: "offpeak_signatures_checked_total", in: answer.text)
            else { return nil }
            sum += value
        }
        return sum
    }

    /// The sum of a metric's samples in Prometheus text; only those of users' transactions where
    /// samples have a `kind`. Nil if the metric isn't there.
    static func sum(of metric: String, in text: String) -> Double? {
        var sum: Double?
        for line in text.split(separator: "\n") where line.hasPrefix(metric) {
            let rest = line.dropFirst(metric.count)
            guard let first = rest.first, first == " " || first == "{",
                !rest.contains("kind=") || rest.contains("kind=\"transaction\""),
                let value = rest.split(separator: " ").last.flatMap({ Double($0) })
            else { continue }
            sum = (sum ?? 0) + value
        }
        return sum
    }
}
