internal import Primitives

/// What the watch over a machine knows: the governor with the reading before, and the advert.
///
/// Pure: readings, measured speed and time are given.
struct ShareWatch: Sendable {
    private static let secondMilliseconds: UInt64 = 1_000
    /// How often the speed is measured again while the machine is lent: it depends on heat and on
    /// the battery.
    private static let measureMilliseconds: UInt64 = 600_000

    /// What a machine in mode `always` gives in any case, in thousandths of the lent cores.
    private static let alwaysPermille = 250

    private var governor: ShareGovernor
    private var meter: CapacityMeter
    private var last: MachineReading
    private var measuredAt: Instant
    private var secondSince: Instant
    private(set) var decision: ShareDecision
    /// The newest; nil before the first.
    private(set) var sample: ShareSample?
    /// The advert that was told last.
    private(set) var told = Capacity()

    init(
        mode: ShareMode, settings: ShareSettings, machineCores: Int, speed: Double,
        first: MachineReading, at now: Instant
    ) {
        governor = ShareGovernor(mode: mode, settings: settings, machineCores: machineCores)
        meter = CapacityMeter(
            machineCores: machineCores, signaturesPerCore: speed,
            floorPermille: mode == .always ? ShareWatch.alwaysPermille : 0)
        decision = .notYet
        last = first
        measuredAt = now
        secondSince = now
    }

    var stepBacks: UInt64 { governor.stepBacks }

    /// Takes a reading; true if the machine is lent from now on, or no more.
    mutating func take(_ reading: MachineReading, at now: Instant, minuteOfDay: Int) -> Bool {
        guard let sample = reading.sample(since: last) else { return false }
        let before = decision
        decision = governor.take(sample, at: now, minuteOfDay: minuteOfDay)
        let duties = reading.dutiesPermille(since: last)
        meter.observe(decision, .init(others: sample.loadPermille ?? 0, duties: duties))
        self.sample = sample
        last = reading
        return decision.isLending != before.isLending
    }

    func mustMeasure(at now: Instant) -> Bool {
        decision.isLending
            && now.millisecondsSince(measuredAt) >= ShareWatch.measureMilliseconds
    }

    mutating func setSpeed(_ signaturesPerCore: Double, at now: Instant) {
        meter.signaturesPerCore = signaturesPerCore
        measuredAt = now
    }

    /// The advert if it must be told now: a step back at once, other changes once a second.
    mutating func advert(at now: Instant, queue: Double, bandwidth: Int?) -> Capacity? {
        let isSecond = now.millisecondsSince(secondSince) >= ShareWatch.secondMilliseconds
        if isSecond {
            meter.closeSecond()
            secondSince = now
        }
        let advert = meter.capacity(decision, queue: queue, bandwidth: bandwidth)
        let isStepBack = !decision.isLending && told.free > 0
        guard isSecond || isStepBack, advert != told else { return nil }
        told = advert
        return advert
    }
}

extension ShareDecision {
    /// Before the first sample.
    static let notYet = ShareDecision(reason: .settling, cores: 0, dutyPermille: 1000)
    static let off = ShareDecision(reason: .off, cores: 0, dutyPermille: 1000)
}

extension MachineReading {
    /// What this process did for itself since an earlier reading, in thousandths of all cores'
    /// time; 0 if the cores aren't known.
    func dutiesPermille(since earlier: MachineReading) -> Int {
        guard let cores = processors?.cores, nanoseconds > earlier.nanoseconds else { return 0 }
        let used = Double(own.processor) - Double(earlier.own.processor)
        let lent = Double(own.lent) - Double(earlier.own.lent)
        let all = Double(nanoseconds - earlier.nanoseconds) * Double(cores)
        return Int(1000 * max(0, min((used - lent) / all, 1)))
    }
}
