/// A storage write of a run, and how a crash meets it.
package struct CrashPoint: Sendable, Hashable {
    /// How the write that is met ends.
    package enum Mode: String, Sendable, Hashable, CaseIterable {
        /// The process is killed before it: what it hadn't handed to the system is gone.
        case before
        /// The process is killed after it, and everything that was written is there.
        case after
        /// The power fails in the middle of it: of several records the first half is there, of a
        /// sync's the first half, of a write that is whole or not nothing. Earlier ones are there.
        case torn
        /// The power fails, and nothing is there that wasn't synced.
        case lost

        var losesPower: Bool { self == .torn || self == .lost }
    }

    /// Who crashes.
    package enum Victim: String, Sendable, Hashable, CaseIterable {
        /// The first validator, whose writes alone are numbered.
        case one
        /// All nodes at once, whoever's write it is.
        case all
    }

    /// The write's number in the run, from 1.
    package let number: Int
    package let mode: Mode
    package let write: StorageWrite

    /// How many of a host's last records and writes survive although they weren't synced.
    struct Kept: Equatable {
        var records: Int
        var writes: Int
    }
}

extension CrashPoint.Mode {
    /// What survives on a machine whose write isn't the one that is met.
    func kept(on host: SimulatedHost) -> CrashPoint.Kept {
        let (records, writes) = (host.journal.unsyncedCount, host.store.unsyncedCount)
        return switch self {
        // A journal collects its records in the process until it syncs them.
        case .before: CrashPoint.Kept(records: 0, writes: host.store.flushedCount)
        case .after: CrashPoint.Kept(records: records, writes: writes)
        case .torn: CrashPoint.Kept(records: records / 2, writes: writes / 2)
        case .lost: CrashPoint.Kept(records: 0, writes: 0)
        }
    }
}
