internal import FoundationEssentials
internal import Glibc
internal import RPC

/// What a network has used so far; differences tell what a measured time cost.
struct BenchReading: Sendable {
    let validators: BenchUse
    /// Nil without verifiers, or while one of them doesn't run.
    let verifiers: BenchUse?
    /// User and system time of this process.
    let ownCPUMicroseconds: Double
    /// Summed over the validators.
    let bytesOnDisk: UInt64
    /// The most memory that the largest validator ever had resident, in bytes.
    let peakMemoryBytes: UInt64
}

/// What nodes of one role have used so far, summed.
struct BenchUse: Sendable {
    /// User and system time of their processes.
    let cpuMicroseconds: Double
    /// Users' signatures checked, by purpose; nil if a node doesn't tell.
    let checks: [String: Double]?

    /// What was used since `earlier`, for each of `transfers`.
    func since(_ earlier: BenchUse, transfers: Int) -> BenchUse {
        let count = Double(max(1, transfers))
        return BenchUse(
            cpuMicroseconds: (cpuMicroseconds - earlier.cpuMicroseconds) / count,
            checks: checks.flatMap { checks in
                earlier.checks.map { earlier in
                    checks.merging(earlier) { $0 - $1 }.mapValues { $0 / count }
                }
            })
    }
}

/// Reads what the nodes of a local network have used from `/proc`, their folders and `/metrics`.
struct BenchMeter: Sendable {
    let network: TestnetNetwork

    func read() async -> BenchReading {
        let record = network.record
        let validators = record.nodes(.validator)
        let verifiers = record.nodes(.verifier)
        let pids = validators.compactMap { network.process($0).pid }
        let isWhole =
            !verifiers.isEmpty && verifiers.allSatisfy { network.process($0).pid != nil }
        return BenchReading(
            validators: await use(of: validators),
            verifiers: isWhole ? await use(of: verifiers) : nil,
            ownCPUMicroseconds: BenchMeter.ownCPUMicroseconds,
            bytesOnDisk: validators.reduce(0) { $0 + network.folder.bytesOnDisk($1) },
            peakMemoryBytes: pids.map(BenchMeter.peakMemoryBytes).max() ?? 0)
    }

    private func use(of nodes: [Int]) async -> BenchUse {
        let pids = nodes.compactMap { network.process($0).pid }
        return BenchUse(
            cpuMicroseconds: pids.reduce(0) { $0 + BenchMeter.cpuMicroseconds(of: $1) },
            checks: await checks(of: nodes))
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

    private static let metric = "offpeak_signatures_checked_by_purpose_total"

    /// All nodes are asked at once: what they check meanwhile is nobody's.
    private func checks(of nodes: [Int]) async -> [String: Double]? {
        let clients = nodes.map { network.clients[$0] }
        return await withTaskGroup(of: [String: Double]?.self) { group in
            for client in clients {
                group.addTask {
                    guard let answer = try? await client.get("/metrics") else { return nil }
                    return BenchMeter.samples(
                        of: BenchMeter.metric, by: "purpose", in: answer.text)
                }
            }
            var sums: [String: Double]? = [:]
            for await samples in group {
                guard let samples else {
                    sums = nil
                    continue
                }
                sums?.merge(samples) { $0 + $1 }
            }
            return sums
        }
    }

    /// A metric's samples in Prometheus text by the value of one label; nil if the metric isn't
    /// there.
    static func samples(
        of metric: String, by label: String, in text: String
    ) -> [String: Double]? {
        var samples: [String: Double]?
        let start = "\(label)=\""
        for line in text.split(separator: "\n") where line.hasPrefix("\(metric){") {
            let labels = line.dropFirst(metric.count + 1).prefix { $0 != "}" }
            guard let pair = labels.split(separator: ",").first(where: { $0.hasPrefix(start) }),
                let value = line.split(separator: " ").last.flatMap({ Double($0) })
            else { continue }
            let name = String(pair.dropFirst(start.count).prefix { $0 != "\"" })
            samples = (samples ?? [:]).merging([name: value]) { $0 + $1 }
        }
        return samples
    }
}
