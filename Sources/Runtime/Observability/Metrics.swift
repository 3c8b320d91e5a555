internal import Synchronization

/// The process's figures, as Prometheus reads them (text exposition format 0.0.4).
///
/// Names start with `offpeak_` and end with their unit: `_total` for counts, `_seconds`, `_bytes`.
package final class Metrics: Sendable {
    private let families = Mutex<[String: Family]>([:])

    private struct Family: Sendable {
        let help: String
        let type: String
        /// By rendered labels.
        var samples: [String: any MetricSample] = [:]
    }

    package init() {}

    /// A count that only rises. The same name and labels give the same counter.
    package func counter(
        _ name: String, _ help: String, labels: [(String, String)] = []
    ) -> Counter {
        precondition(name.hasSuffix("_total"), "the counter \(name) must end with _total")
        return register(name, help, "counter", labels) { Counter() }
    }

    /// A value that rises and falls.
    package func gauge(_ name: String, _ help: String, labels: [(String, String)] = []) -> Gauge {
        register(name, help, "gauge", labels) { Gauge() }
    }

    /// A value that is read when the figures are asked for.
    package func gauge(
        _ name: String, _ help: String, labels: [(String, String)] = [],
        reading read: @escaping @Sendable () -> Double
    ) {
        _ = register(name, help, "gauge", labels) { ReadSample(read: read) }
    }

    /// A count that is read when the figures are asked for.
    package func counter(
        _ name: String, _ help: String, labels: [(String, String)] = [],
        reading read: @escaping @Sendable () -> Double
    ) {
        precondition(name.hasSuffix("_total"), "the counter \(name) must end with _total")
        _ = register(name, help, "counter", labels) { ReadSample(read: read) }
    }

    /// How often values fell below rising bounds.
    package func histogram(
        _ name: String, _ help: String, labels: [(String, String)] = [],
        bounds: [Double] = Histogram.latencySeconds
    ) -> Histogram {
        register(name, help, "histogram", labels) { Histogram(bounds: bounds) }
    }

    private func register<Sample: MetricSample>(
        _ name: String, _ help: String, _ type: String, _ labels: [(String, String)],
        _ make: () -> Sample
    ) -> Sample {
        precondition(Metrics.isName(name), "\(name) isn't offpeak_ and small letters")
        let key = Metrics.render(labels)
        return families.withLock { families in
            var family = families[name] ?? Family(help: help, type: type)
            precondition(family.type == type, "\(name) is a \(family.type), not a \(type)")
            if let sample = family.samples[key] as? Sample { return sample }
            let sample = make()
            family.samples[key] = sample
            families[name] = family
            return sample
        }
    }

    /// Every figure in the text format, sorted by name and labels.
    package func text() -> String {
        let families = families.withLock { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text += "# HELP \(name) \(Metrics.escape(family.help, quotes: false))\n"
            text += "# TYPE \(name) \(family.type)\n"
            for (labels, sample) in family.samples.sorted(by: { $0.key < $1.key }) {
                sample.write(name, labels, to: &text)
            }
        }
        return text
    }

    private static func isName(_ name: String) -> Bool {
        name.hasPrefix("offpeak_")
            && name.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
            }
    }

    /// `a="x",b="y"` without braces.
    private static func render(_ labels: [(String, String)]) -> String {
        labels.map { "\($0.0)=\"\(escape($0.1, quotes: true))\"" }.joined(separator: ",")
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.append(character)
            }
        }
        return escaped
    }

    /// A value as Prometheus writes it: whole numbers without a point.
    fileprivate static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value.rounded() == value, abs(value) < 1e15 { return String(Int64(value)) }
        return String(value)
    }
}

/// A registered figure.
protocol MetricSample: Sendable {
    /// Adds the figure's lines; `labels` come without braces.
    func write(_ name: String, _ labels: String, to text: inout String)
}

extension MetricSample {
    fileprivate func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}

/// A count that only rises.
package final class Counter: MetricSample {
    private let count = Atomic<UInt64>(0)

    package func add(_ amount: UInt64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }

    package var value: UInt64 { count.load(ordering: .relaxed) }

    func write(_ name: String, _ labels: String, to text: inout String) {
        text += line(name, labels, String(value))
    }
}

/// A value that rises and falls.
package final class Gauge: MetricSample {
    private let bits = Atomic<UInt64>(0)

    package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func write(_ name: String, _ labels: String, to text: inout String) {
        text += line(name, labels, Metrics.number(value))
    }
}

/// How often values fell below rising bounds, with their sum.
package final class Histogram: MetricSample {
    /// 0.5 ms to 10 s: what a person or a validator waits for.
    package static let latencySeconds: [Double] = [
        0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
    ]

    private struct State {
        var counts: [UInt64]
        var total: UInt64 = 0
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        precondition(bounds == bounds.sorted() && !bounds.isEmpty, "bounds must rise: \(bounds)")
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count)))
    }

    package func record(_ value: Double) {
        let place = bounds.firstIndex { value <= $0 }
        state.withLock { state in
            if let place { state.counts[place] += 1 }
            state.total += 1
            state.sum += value
        }
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let state = state.withLock { $0 }
        let separator = labels.isEmpty ? "" : ","
        var below: UInt64 = 0
        for (bound, count) in zip(bounds, state.counts) {
            below += count
            let place = "\(labels)\(separator)le=\"\(Metrics.number(bound))\""
            text += line("\(name)_bucket", place, String(below))
        }
        text += line("\(name)_bucket", "\(labels)\(separator)le=\"+Inf\"", String(state.total))
        text += line("\(name)_sum", labels, Metrics.number(state.sum))
        text += line("\(name)_count", labels, String(state.total))
    }
}

/// A value that is read when it is asked for.
private struct ReadSample: MetricSample {
    let read: @Sendable () -> Double

    func write(_ name: String, _ labels: String, to text: inout String) {
        text += line(name, labels, Metrics.number(read()))
    }
}
