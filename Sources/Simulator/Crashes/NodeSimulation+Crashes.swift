internal import NodeCore
internal import Primitives

// Crashes at storage writes: one by one, each from the same run.
extension NodeSimulation {
    /// Virtual milliseconds that a node that crashed stays away.
    private static let absence: ClosedRange<UInt64> = 50...1_500

    /// Numbers the writes of an effect before it is carried out, nil for the flush after the last.
    /// - Returns: whether the host crashed there.
    mutating func meetsCrash(in effect: NodeEffect?, of host: SimulatedHost) -> Bool {
        // Most calls leave nothing to flush.
        if effect == nil, host.store.flushedCount == host.store.unsyncedCount { return false }
        for write in StorageWrite.all(of: effect) {
            guard let number = crashes?.count,
                let modes = crashes?.number(write, of: host)
            else { return false }
            for mode in modes {
                let point = CrashPoint(number: number + 1, mode: mode, write: write)
                guard case .once = crashes?.choice else {
                    split(at: point, effect, host)
                    continue
                }
                crash(at: point, effect, host)
                return true
            }
        }
        return false
    }

    /// Lets the run crash and go on to its end, then comes back.
    private mutating func split(
        at point: CrashPoint, _ effect: NodeEffect?, _ host: SimulatedHost
    ) {
        let saved = self
        let machines = hosts.map { $0.save() }
        crash(at: point, effect, host)
        runOn()
        let run = CrashRun(
            point: point, violation: report.violation,
            recoveryMilliseconds: report.recoveryMilliseconds, traceHash: report.traceHash)
        self = saved
        for (host, machine) in zip(hosts, machines) { host.restore(machine) }
        crashes?.runs.append(run)
    }

    private mutating func crash(
        at point: CrashPoint, _ effect: NodeEffect?, _ host: SimulatedHost
    ) {
        crashes?.trying(point)
        let kept = carryOut(upTo: point, effect, host)
        let others = hosts.filter { $0.index != host.index && crashes?.victim == .all }
        for other in others {
            other.crash(keeping: point.mode.kept(on: other), losesPower: point.mode.losesPower)
        }
        host.crash(keeping: kept, losesPower: point.mode.losesPower)
        crashes?.isOver = true
        isHealed = true
        recovered = false
        report.recoveryMilliseconds = nil
        healedAt = now
        heightAtHealing = checks.height
        blocksWanted = checks.height + (crashes?.blocksAfter ?? 0)
        for fallen in [host] + others { bury(fallen, point.mode) }
    }

    private mutating func bury(_ host: SimulatedHost, _ mode: CrashPoint.Mode) {
        trace.note(now, 2, host.index, mode.losesPower ? 1 : 0)
        trace.show(now, host.index, mode.losesPower ? "LOSES POWER" : "IS KILLED")
        disconnect(host)
        let pause = random.number(in: NodeSimulation.absence)
        healedAt = max(healedAt, now + pause)
        schedule(.start(host.index), after: pause)
    }

    /// Carries out so much of the effect as happens before the crash.
    /// - Returns: what survives of what wasn't synced.
    private mutating func carryOut(
        upTo point: CrashPoint, _ effect: NodeEffect?, _ host: SimulatedHost
    ) -> CrashPoint.Kept {
        switch point.mode {
        case .before, .lost: return point.mode.kept(on: host)
        case .after:
            finish(point.write, effect, host)
            return point.mode.kept(on: host)
        case .torn: return tear(point.write, effect, host)
        }
    }

    private mutating func finish(
        _ write: StorageWrite, _ effect: NodeEffect?, _ host: SimulatedHost
    ) {
        guard let effect else { return host.store.flush() }
        guard write == .journalAppend, case .journal(let records, _) = effect else {
            return carryOut(effect, of: host)
        }
        carryOut(.journal(records, sync: false), of: host)
    }

    private mutating func tear(
        _ write: StorageWrite, _ effect: NodeEffect?, _ host: SimulatedHost
    ) -> CrashPoint.Kept {
        let before = CrashPoint.Mode.after.kept(on: host)
        if case .journal(let records, _) = effect {
            carryOut(.journal(records, sync: false), of: host)
            let torn =
                write == .journalAppend
                ? before.records + records.count / 2 : host.journal.unsyncedCount / 2
            return CrashPoint.Kept(records: torn, writes: before.writes)
        }
        switch write {
        case .storeSync, .storeFlush:
            return CrashPoint.Kept(records: before.records, writes: before.writes / 2)
        // A write of the store is whole or not there at all; before a compaction comes a sync.
        default: return before
        }
    }
}
