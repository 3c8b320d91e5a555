internal import Glibc
package import Primitives
internal import Synchronization

/// Where a validator signed: views begin anew in each epoch.
package struct SigningPlace: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let epoch: Epoch
    package let view: View

    package init(epoch: Epoch, view: View) {
        self.epoch = epoch
        self.view = view
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.epoch, left.view) < (right.epoch, right.view)
    }

    package var description: String { epoch == 0 ? "\(view)" : "\(view) of epoch \(epoch)" }
}

/// The high-water mark beside the voting key: which signing record is in use, and a view that no
/// vote has passed. A journal that is older than the mark isn't the whole record.
///
/// Views are reserved in strides, so that most votes cost no sync of it. Within a stride the view
/// of the last vote and the journal's end are written over, unsynced: a crash of the process leaves
/// them exact, only a crash of the machine can take them back. The order is journal, mark, message:
/// after a crash the journal may be ahead of the mark, never the other way round.
///
/// File (96 bytes): magic `OPKMARK1`, instance id of the journal (16), epoch (u64 LE), bound
/// (u64 LE), checksum (16: the first bytes of BLAKE2b-256 over what stands before it); then the
/// last view, the journal's segment and its end in that segment (u64 LE each), and their checksum
/// (16: over the id and the three), which may be damaged: the bound alone counts then. So it does
/// in files of 80 bytes, as they were before the journal's end stood there.
package final class SigningMark: Sendable {
    /// Views that one write reserves: at a view a second 17 minutes.
    package static let stride: UInt64 = 1_000
    private static let magic = Array("OPKMARK1".utf8)
    private static let syncedBytes = 56
    private static let byteCount = 96
    private static let formerByteCount = 80

    /// What a mark says.
    package struct Content: Hashable, Sendable {
        package let instance: InstanceID
        package let epoch: Epoch
        /// No vote was sent in a view of the epoch above, or in a later epoch; some view above
        /// `bound - stride` was voted in.
        package let bound: View
        /// The last view that was voted in, as far as it is known.
        package let last: View
        /// How far the journal went when the last vote was on disk, as far as it is known.
        package let journal: ConsensusJournal.Position

        /// The least place that a whole journal knows of.
        package var lowerEdge: SigningPlace {
            SigningPlace(
                epoch: epoch, view: max(last, bound.clampedRetreat(by: SigningMark.stride)))
        }
    }

    /// What was found beside the key.
    package enum Found: Hashable, Sendable {
        case nothing
        case content(Content)
        /// The text says what is wrong.
        case damaged(String)
    }

    private let path: String
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var content: Content
        /// The file, to write the last view over.
        var file: PosixFile
        var highest = SigningPlace(epoch: 0, view: 0)
        /// Whether something was noted since the mark was written last.
        var isNoted = false
    }

    private init(_ path: String, _ content: Content) throws(StorageFault) {
        self.path = path
        state = Mutex(State(content: content, file: try SigningMark.reopen(path)))
    }

    /// Looks at the mark.
    /// - Throws: `StorageFault` for faults of the disk.
    package static func look(at path: String) throws(StorageFault) -> Found {
        guard PosixFolder.exists(path) else { return .nothing }
        let bytes: [UInt8]
        do throws(PosixFault) {
            bytes = try PosixFile(path, flags: O_RDONLY).readAll(maximum: 4_096)
        } catch {
            throw StorageFault("\(error)")
        }
        return decode(bytes).map(Found.content) ?? .damaged("\(path) is damaged")
    }

    /// Takes the mark into use as it is, or makes the first one of a record.
    package static func open(
        _ path: String, instance: InstanceID, found: Found
    ) throws(StorageFault) -> SigningMark {
        if case .content(let content) = found, content.instance == instance {
            return try SigningMark(path, content)
        }
        let content = Content(instance: instance, epoch: 0, bound: 0, last: 0, journal: .none)
        try write(content, to: path)
        return try SigningMark(path, content)
    }

    /// A vote in the epoch's view will be sent after the next `cover`.
    package func note(_ epoch: Epoch, _ view: View) {
        state.withLock {
            $0.highest = max($0.highest, SigningPlace(epoch: epoch, view: view))
            $0.isNoted = true
        }
    }

    /// Keeps the view of what was noted and the journal's end behind it, and reserves further views
    /// if it needs them: these are on disk when it returns.
    package func cover(_ journal: ConsensusJournal.Position) throws(StorageFault) {
        try state.withLock { (state) throws(StorageFault) in
            guard state.isNoted else { return }
            state.isNoted = false
            let (content, highest) = (state.content, state.highest)
            let known = SigningPlace(epoch: content.epoch, view: content.last)
            let last = max(highest, known)
            let passes = highest > SigningPlace(epoch: content.epoch, view: content.bound)
            let bound =
                passes
                ? highest.view.clampedAdvance(by: SigningMark.stride - 1) : content.bound
            let next = Content(
                instance: content.instance, epoch: last.epoch, bound: bound, last: last.view,
                journal: journal)
            if passes {
                try SigningMark.write(next, to: path)
                state.file = try SigningMark.reopen(path)
            } else {
                try SigningMark.overwriteLast(next, in: state.file)
            }
            state.content = next
        }
    }

    // MARK: Bytes

    private static func write(_ content: Content, to path: String) throws(StorageFault) {
        do throws(PosixFault) {
            try PosixFolder.writeWhole(encode(content), to: path, mode: 0o600)
        } catch {
            throw StorageFault("\(error): the mark beside the voting key can't be written")
        }
    }

    private static func reopen(_ path: String) throws(StorageFault) -> PosixFile {
        do throws(PosixFault) {
            return try PosixFile(path, flags: O_WRONLY)
        } catch {
            throw StorageFault("\(error): the mark beside the voting key can't be opened")
        }
    }

    private static func overwriteLast(
        _ content: Content, in file: borrowing PosixFile
    ) throws(StorageFault) {
        do throws(PosixFault) {
            try file.write(encodeLast(content), at: syncedBytes)
        } catch {
            throw StorageFault("\(error): the mark beside the voting key can't be written")
        }
    }

    private static func encode(_ content: Content) -> [UInt8] {
        var bytes = magic + content.instance.bytes
        bytes += content.epoch.rawValue.bcsLittleEndian + content.bound.rawValue.bcsLittleEndian
        return bytes + Digest.hash(.journal, bytes).bytes.prefix(16) + encodeLast(content)
    }

    private static func encodeLast(_ content: Content) -> [UInt8] {
        let words = [content.last.rawValue, content.journal.segment, content.journal.end]
        let bytes = words.flatMap(\.bcsLittleEndian)
        return bytes + Digest.hash(.journal, content.instance.bytes + bytes).bytes.prefix(16)
    }

    private static func decode(_ bytes: [UInt8]) -> Content? {
        if bytes.count == formerByteCount {
            return decode(bytes + [UInt8](repeating: 0, count: byteCount - formerByteCount))
        }
        guard bytes.count == byteCount, let instance = InstanceID(Array(bytes[8..<24])) else {
            return nil
        }
        let words = [24, 32, syncedBytes, syncedBytes + 8, syncedBytes + 16].map { start in
            bytes[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        func content(last: View, _ journal: ConsensusJournal.Position) -> Content {
            Content(
                instance: instance, epoch: Epoch(words[0]), bound: View(words[1]), last: last,
                journal: journal)
        }
        let journal = ConsensusJournal.Position(segment: words[3], end: words[4])
        let whole = content(last: View(words[2]), journal)
        if encode(whole) == bytes { return whole }
        let isSound = encode(whole).prefix(syncedBytes) == bytes.prefix(syncedBytes)
        return isSound ? content(last: 0, .none) : nil
    }
}
