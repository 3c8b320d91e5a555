internal import Consensus
internal import Primitives

/// The record of what a node signed. A crash keeps what was synced and an arbitrary part of the
/// rest: a torn last record is cut off, as the checksum of each record allows.
struct SimulatedJournal {
    /// In the order of writing; the first `synced` survive every crash.
    private(set) var records: [JournalRecord] = []
    private var synced = 0
    /// Every vote that was ever on disk.
    private(set) var recorded: Set<Vote> = []

    mutating func append(_ new: [JournalRecord]) { records += new }

    mutating func sync() {
        for case .vote(let vote) in records[synced...] { recorded.insert(vote) }
        synced = records.count
    }

    mutating func compact(to new: [JournalRecord]) {
        sync()
        records = new
        synced = new.count
    }

    /// Records that a crash may take.
    var unsyncedCount: Int { records.count - synced }

    /// - Returns: how many records were lost.
    mutating func crash(_ random: inout SeededRandom) -> Int {
        let kept = Int(random.number(in: UInt64(synced)...UInt64(records.count)))
        let lost = records.count - kept
        crash(keeping: kept - synced)
        return lost
    }

    /// - Parameter kept: how many of the records that weren't synced stay, the oldest.
    mutating func crash(keeping kept: Int) {
        records.removeLast(max(0, unsyncedCount - kept))
        sync()
    }
}
