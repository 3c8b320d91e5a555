internal import Glibc
package import Primitives
internal import Synchronization

/// The log of everything that this validator signed, and of what it must know again to sign on.
///
/// `append` collects records in order; `sync` writes them and waits for the disk. A vote leaves
/// the node only after the `sync` that followed its `append`. The format is `JournalFormat`'s, in
/// one segment file under `folder`; `compact` replaces it as a whole. The choice of a log of our
/// own is explained in Sources/decisions/0001-consensus-journal.md.
package final class ConsensusJournal: Sendable {
    /// The end of the file that a crash left unfinished, and that was cut off.
    package struct Cut: Hashable, Sendable, CustomStringConvertible {
        package let file: String
        package let offset: Int
        package let byteCount: Int

        package var description: String {
            "\(file): cut \(byteCount) bytes of an unfinished record at offset \(offset)"
        }
    }

    /// How far a journal goes: the number of its segment, and the bytes of that file.
    package struct Position: Hashable, Sendable {
        package let segment: UInt64
        package let end: UInt64
        /// Before every journal.
        package static let none = Position(segment: 0, end: 0)

        package init(segment: UInt64, end: UInt64) {
            self.segment = segment
            self.end = end
        }
    }

    /// What a journal holds, read without touching it.
    package struct Contents: Sendable {
        package let instance: InstanceID
        package let records: [JournalRecord]
        /// Behind the last whole record.
        package let position: Position
        package let cut: Cut?
    }

    /// A journal with what it held.
    package struct Opened: Sendable {
        package let journal: ConsensusJournal
        package let records: [JournalRecord]
        package let cut: Cut?
    }

    /// The id that the store beside it must carry.
    package let instance: InstanceID
    private let folder: String
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var format: JournalFormat
        var file: PosixFile
        /// The file's size, without `pending`.
        var written: Int
        var pending: [UInt8] = []
        /// A fault of the disk that was met once: what the file holds isn't known any more.
        var fault: StorageFault?
    }

    private init(
        _ folder: String, _ format: JournalFormat, _ file: consuming PosixFile, _ size: Int
    ) {
        self.folder = folder
        instance = format.instance
        state = Mutex(State(format: format, file: file, written: size))
    }

    /// Whether the folder holds a journal.
    package static func exists(in folder: String) -> Bool {
        !((try? segments(in: folder)) ?? []).isEmpty
    }

    /// Makes an empty journal in a folder that holds none.
    package static func create(
        in folder: String, instance: InstanceID
    ) throws(StorageFault) -> ConsensusJournal {
        precondition(!exists(in: folder), "\(folder) already holds a journal")
        let format = JournalFormat(instance: instance, segment: 1)
        return try attempt { () throws(PosixFault) -> ConsensusJournal in
            try PosixFolder.create(folder)
            try PosixFolder.writeWhole(format.header, to: path(folder, 1))
            let file = try PosixFile(path(folder, 1), flags: O_WRONLY | O_APPEND)
            return ConsensusJournal(folder, format, file, JournalFormat.headerBytes)
        }
    }

    /// Moves the folder with its journal to a name of its own beside it, for study.
    /// - Returns: the new name, nil if there was no journal.
    package static func putAside(_ folder: String) throws(StorageFault) -> String? {
        guard exists(in: folder) else { return nil }
        var number = 1
        while PosixFolder.exists("\(folder).old-\(number)") { number += 1 }
        let aside = "\(folder).old-\(number)"
        try attempt { () throws(PosixFault) in
            try PosixFolder.rename(folder, to: aside)
            let slash = folder.lastIndex(of: "/") ?? folder.startIndex
            try PosixFolder.sync(slash == folder.startIndex ? "." : String(folder[..<slash]))
        }
        return aside
    }

    /// Reads the journal in `folder`.
    /// - Throws: `StorageFault` for damage anywhere but in an unfinished last record, with the
    ///   file, the offset and what to do.
    package static func look(in folder: String) throws(StorageFault) -> Contents {
        let (found, _, _) = try read(folder)
        return found
    }

    /// Reads the journal in `folder` and leaves it ready for more.
    /// - Throws: as `look`.
    package static func open(in folder: String) throws(StorageFault) -> Opened {
        let (found, format, numbers) = try read(folder)
        let journal = try attempt { () throws(PosixFault) in
            // A segment holds all that is live: older ones are left-overs of a crash.
            for number in numbers.dropLast() { try PosixFolder.remove(path(folder, number)) }
            return try reopen(folder, format, found)
        }
        return Opened(journal: journal, records: found.records, cut: found.cut)
    }

    private static func read(
        _ folder: String
    ) throws(StorageFault) -> (Contents, JournalFormat, [UInt64]) {
        let numbers = try attempt { () throws(PosixFault) in try segments(in: folder) }
        guard let newest = numbers.last else {
            throw StorageFault("\(folder): no journal there")
        }
        let name = path(folder, newest)
        let bytes = try attempt { () throws(PosixFault) in try readSegment(name) }
        guard let format = JournalFormat(header: bytes), format.segment == newest else {
            throw damage(name, 0, "its header is damaged")
        }
        let scan: JournalScan
        do throws(JournalScan.Damage) {
            scan = try JournalScan(bytes, format: format)
        } catch {
            throw damage(
                name, error.offset, "a whole record follows at offset \(error.laterOffset)")
        }
        let cut = Cut(file: name, offset: scan.end, byteCount: bytes.count - scan.end)
        let found = Contents(
            instance: format.instance, records: scan.records,
            position: Position(segment: newest, end: UInt64(scan.end)),
            cut: scan.isTorn ? cut : nil)
        return (found, format, numbers)
    }

    private static func reopen(
        _ folder: String, _ format: JournalFormat, _ found: Contents
    ) throws(PosixFault) -> ConsensusJournal {
        let file = try PosixFile(path(folder, format.segment), flags: O_WRONLY | O_APPEND)
        let end = Int(found.position.end)
        if found.cut != nil {
            try file.truncate(to: end)
            try file.syncAll()
        }
        return ConsensusJournal(folder, format, file, end)
    }

    /// Collects a record; it counts for nothing before the next `sync`.
    package func append(_ record: JournalRecord) {
        state.withLock { state in
            let offset = state.written + state.pending.count
            state.format.append(record, at: offset, to: &state.pending)
        }
    }

    /// Waits until every record collected so far is on the disk.
    /// - Throws: `StorageFault`; after one, every later call throws it again, since a failed write
    ///   may have lost what it said it kept.
    package func sync() throws(StorageFault) {
        try withState { (state) throws(PosixFault) in
            if state.pending.isEmpty { return }
            try state.file.write(state.pending)
            try state.file.syncData()
            state.written += state.pending.count
            state.pending.removeAll(keepingCapacity: state.pending.capacity < 1 << 20)
        }
    }

    /// Replaces everything, records not yet synced included, by `records`: these are all that a
    /// restart still needs. Durable when it returns; a crash on the way leaves the old journal.
    package func compact(to records: [JournalRecord]) throws(StorageFault) {
        try withState { (state) throws(PosixFault) in
            let next = JournalFormat(instance: instance, segment: state.format.segment + 1)
            var bytes = next.header
            for record in records { next.append(record, at: bytes.count, to: &bytes) }
            let path = ConsensusJournal.path(folder, next.segment)
            try PosixFolder.writeWhole(bytes, to: path)
            try PosixFolder.remove(ConsensusJournal.path(folder, state.format.segment))
            state.file = try PosixFile(path, flags: O_WRONLY | O_APPEND)
            state.format = next
            state.written = bytes.count
            state.pending.removeAll()
        }
    }

    /// How far it goes on the disk, by the last `sync`.
    package var position: Position {
        state.withLock { Position(segment: $0.format.segment, end: UInt64($0.written)) }
    }

    /// Bytes of the journal, those not yet synced included.
    package var byteCount: Int { state.withLock { $0.written + $0.pending.count } }

    private func withState(
        _ body: (inout State) throws(PosixFault) -> Void
    ) throws(StorageFault) {
        try state.withLock { (state) throws(StorageFault) in
            if let fault = state.fault { throw fault }
            do throws(PosixFault) {
                try body(&state)
            } catch {
                let fault = StorageFault("\(error): \(ConsensusJournal.diskAdvice)")
                state.fault = fault
                throw fault
            }
        }
    }
}

// Files and texts.
extension ConsensusJournal {
    /// Bytes of a segment that are read at a start: far above what `compact` lets it grow to.
    private static let segmentBytesMax = 1 << 30
    private static let suffix = ".journal"

    private static func path(_ folder: String, _ segment: UInt64) -> String {
        let digits = String(segment, radix: 16)
        let zeros = String(repeating: "0", count: 16 - digits.count)
        return "\(folder)/\(zeros)\(digits)\(suffix)"
    }

    /// The numbers of the segments in rising order.
    private static func segments(in folder: String) throws(PosixFault) -> [UInt64] {
        guard PosixFolder.exists(folder) else { return [] }
        var numbers: [UInt64] = []
        for name in try PosixFolder.names(in: folder) where name.hasSuffix(suffix) {
            let digits = name.dropLast(suffix.count)
            if digits.count == 16, let number = UInt64(digits, radix: 16) { numbers.append(number) }
        }
        return numbers.sorted()
    }

    private static func readSegment(_ path: String) throws(PosixFault) -> [UInt8] {
        try PosixFile(path, flags: O_RDONLY).readAll(maximum: segmentBytesMax)
    }

    private static let diskAdvice =
        "check the disk's free space (df), permissions and health (dmesg), then start again"

    private static func attempt<Result: ~Copyable>(
        _ body: () throws(PosixFault) -> Result
    ) throws(StorageFault) -> Result {
        do throws(PosixFault) {
            return try body()
        } catch {
            throw StorageFault("\(error): \(diskAdvice)")
        }
    }

    private static func damage(_ file: String, _ offset: Int, _ what: String) -> StorageFault {
        StorageFault(
            """
            \(file): damaged at offset \(offset): \(what), so the damage isn't the unfinished end \
            of a write. This validator must not vote with a damaged record of what it signed: it \
            could sign twice. Check the disk (dmesg), run `offpeak db forget-signatures --home \
            \(StoreAdvice.home(of: file))`, which keeps this folder for study, and start again: \
            the node then asks the other validators how far its key got, and votes above that.
            """)
    }
}
