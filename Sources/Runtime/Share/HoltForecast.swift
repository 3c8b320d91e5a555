/// A short-term forecast by Holt's double exponential smoothing: a level and a trend, each an
/// exponentially weighted mean.
///
/// Upon a value y: level' = a y + (1 - a) (level + trend),
/// trend' = b (level' - level) + (1 - b) trend; h steps ahead: level + h trend. The first value is
/// the first level, with no trend. Source: C. C. Holt, "Forecasting seasonals and trends by
/// exponentially weighted moving averages" (1957).
package struct HoltForecast: Hashable, Sendable {
    /// The weight of the newest value in the level, 0...1.
    private let levelWeight: Double
    /// The weight of the newest step in the trend, 0...1.
    private let trendWeight: Double
    /// Nil before the first value.
    private(set) var level: Double?
    private(set) var trend = 0.0

    package init(levelWeight: Double, trendWeight: Double) {
        precondition((0...1).contains(levelWeight), "a weight of \(levelWeight)")
        precondition((0...1).contains(trendWeight), "a weight of \(trendWeight)")
        self.levelWeight = levelWeight
        self.trendWeight = trendWeight
    }

    package mutating func observe(_ value: Double) {
        guard let last = level else {
            level = value
            return
        }
        let next = levelWeight * value + (1 - levelWeight) * (last + trend)
        trend = trendWeight * (next - last) + (1 - trendWeight) * trend
        level = next
    }

    /// The mean of the next `steps` values, at least 1; 0 before the first value.
    package func mean(ofNext steps: Int) -> Double {
        precondition(steps > 0, "\(steps) steps")
        // The mean of 1...h is (h + 1) / 2.
        return (level ?? 0) + trend * Double(steps + 1) / 2
    }
}
