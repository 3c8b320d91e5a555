internal import Primitives

/// Makes of measured speed, of what may be used and of what is in use the advert of this machine.
///
/// Pure: measurements and time are given.
struct CapacityMeter: Sendable {
    /// The figures' smoothing: a step of the load is followed within some three seconds.
    private static let levelWeight = 0.4
    private static let trendWeight = 0.2
    /// What the forecast is for.
    private static let secondsAhead = 5
    /// What is told of a link without a limit: a gigabit a second.
    private static let kilobitsMax = 1_000_000

    /// What is in use of the machine, in thousandths of all its cores' time.
    struct Use: Hashable, Sendable {
        var others: Int
        /// What this node does for itself.
        var duties: Int
    }

    private let machineCores: Int
    /// What is free of the lent cores in any case, in thousandths: a machine that is lent whatever
    /// else runs on it gives its share of busy cores too.
    private let floorPermille: Int
    /// Signatures that one core checks in a second.
    var signaturesPerCore: Double
    private var forecast = HoltForecast(
        levelWeight: CapacityMeter.levelWeight, trendWeight: CapacityMeter.trendWeight)
    private var moments = (sum: 0.0, count: 0.0)
    /// Signatures a second that were free over the last whole second.
    private var free = 0.0

    init(machineCores: Int, signaturesPerCore: Double, floorPermille: Int = 0) {
        self.machineCores = machineCores
        self.floorPermille = floorPermille
        self.signaturesPerCore = signaturesPerCore
    }

    /// Notes what could be checked for others over a moment.
    mutating func observe(_ decision: ShareDecision, _ use: Use) {
        moments.sum += free(decision, use)
        moments.count += 1
    }

    /// Signatures a second.
    private func free(_ decision: ShareDecision, _ use: Use) -> Double {
        guard decision.isLending else { return 0 }
        let idle = Double(machineCores) * Double(max(0, 1000 - use.others - use.duties)) / 1000
        let floor = Double(decision.cores) * Double(floorPermille) / 1000
        let cores = max(floor, min(Double(decision.cores), idle))
        return cores * signaturesPerCore * Double(decision.dutyPermille) / 1000
    }

    /// Closes a second: the mean of its moments is what is free, and goes into the forecast.
    mutating func closeSecond() {
        guard moments.count > 0 else { return }
        free = moments.sum / moments.count
        forecast.observe(free)
        moments = (0, 0)
    }

    /// The advert; nothing is free while nothing is lent.
    /// - Parameter queue: milliseconds of work that wait.
    /// - Parameter bandwidth: kilobits a second that may still come; nil without a limit.
    func capacity(_ decision: ShareDecision, queue: Double, bandwidth: Int?) -> Capacity {
        let all = Double(machineCores) * signaturesPerCore
        let expected = forecast.mean(ofNext: CapacityMeter.secondsAhead)
        let kilobits = decision.isLending ? bandwidth ?? CapacityMeter.kilobitsMax : 0
        return Capacity(
            signaturesPerSecond: CapacityMeter.number(all),
            free: CapacityMeter.number(decision.isLending ? min(free, all) : 0),
            forecast: CapacityMeter.number(min(expected, all)),
            queueMilliseconds: CapacityMeter.number(queue),
            kilobitsPerSecond: UInt32(clamping: kilobits))
    }

    private static func number(_ value: Double) -> UInt32 {
        UInt32(max(0, min(value.rounded(), Double(UInt32.max))))
    }
}
