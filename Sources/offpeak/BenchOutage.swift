/// That verifiers are killed during a measurement.
struct BenchStrike: Sendable {
    /// Since the measured time began.
    let after: Duration
    let carryOut: @Sendable () -> Void
}

/// What became of finality when the verifiers were killed.
struct BenchOutage: Encodable, Sendable {
    /// Since the measured time began.
    let killedAtSeconds: Double
    /// Transfers finalized in each second of the measured time.
    let finalizedEachSecond: [Int]
    /// On average from the beginning until the kill.
    let perSecondBefore: Double
    /// In the worst second after the kill.
    let perSecondWorst: Double
    /// On average over the last five seconds, or over what there is after the kill.
    let perSecondAtEnd: Double
    /// From the kill until the rate was back at 90 % of what it was, for good: over the two
    /// seconds from then on, and on average until the end. Absent if it wasn't.
    let recoveredAfterSeconds: Double?

    /// Parts of a second that finalized transfers are counted by.
    static let stepsPerSecond = 10
    private static let share = 0.9
    private static let windowSeconds = 2
    private static let endSeconds = 5

    /// - Parameters:
    ///   - steps: transfers finalized in each tenth of a second of the measured time.
    ///   - killed: the step in which the verifiers were killed.
    init(steps: [Int], killed: Int) {
        let perSecond = BenchOutage.stepsPerSecond
        let before = BenchOutage.rate(steps, 0..<killed)
        let after = min(killed, steps.count)..<steps.count
        killedAtSeconds = Double(killed) / Double(perSecond)
        finalizedEachSecond = stride(from: 0, to: steps.count, by: perSecond).map {
            steps[$0..<min($0 + perSecond, steps.count)].reduce(0, +)
        }
        perSecondBefore = BenchReport.rounded(before)
        let worst = after.dropLast(perSecond - 1).map {
            BenchOutage.rate(steps, $0..<$0 + perSecond)
        }
        perSecondWorst = BenchReport.rounded(worst.min() ?? 0)
        let end = max(after.lowerBound, steps.count - BenchOutage.endSeconds * perSecond)
        perSecondAtEnd = BenchReport.rounded(BenchOutage.rate(steps, end..<steps.count))
        let wanted = before * BenchOutage.share
        let window = BenchOutage.windowSeconds * perSecond
        let recovered = after.dropLast(window - 1).first {
            BenchOutage.rate(steps, $0..<$0 + window) >= wanted
                && BenchOutage.rate(steps, $0..<steps.count) >= wanted
        }
        recoveredAfterSeconds = recovered.map { Double($0 - killed) / Double(perSecond) }
    }

    /// Transfers a second over some steps.
    private static func rate(_ steps: [Int], _ range: Range<Int>) -> Double {
        let range = range.clamped(to: 0..<steps.count)
        guard !range.isEmpty else { return 0 }
        return Double(steps[range].reduce(0, +) * stepsPerSecond) / Double(range.count)
    }

    /// For people.
    var text: String {
        let back = recoveredAfterSeconds.map { "back at 90 % after \($0) s" } ?? "not back at 90 %"
        return """
            after \(killedAtSeconds) s; \(perSecondBefore) a second before, \(perSecondWorst) in \
            the worst second after, \(perSecondAtEnd) at the end; \(back)
            """
    }
}
