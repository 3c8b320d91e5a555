internal import Glibc
internal import Primitives
internal import Synchronization

/// The file `MARK` inside the store's folder: how much the disk has said it keeps.
///
/// RocksDB takes a log or a list of files that was cut off for the unfinished end of a write, and
/// opens with what is left. The mark tells that apart from a loss of power: what was synced can't
/// be unfinished. It is written in place after each sync, without a sync of its own: it may be
/// behind what the disk holds, never ahead. A damaged mark is made anew.
///
/// File (48 bytes): magic `OPKSTOR1`, RocksDB's sequence (u64 LE), number of the list of files (u64
/// LE), bytes of that list (u64 LE), checksum (16: the first bytes of BLAKE2b-256 over what stands
/// before it).
final class StoreMark: Sendable {
    struct Content: Hashable, Sendable {
        /// The store holds every write up to this one.
        var sequence: UInt64 = 0
        /// The number in the name of the list of files (`MANIFEST-...`), and its least size.
        var manifest: UInt64 = 0
        var manifestBytes: UInt64 = 0
    }

    static let name = "MARK"
    private static let magic = Array("OPKSTOR1".utf8)
    private static let byteCount = 48
    /// Milliseconds between two looks at the list of files.
    private static let manifestInterval: UInt64 = 1_000

    private let folder: String
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var content: Content
        var file: PosixFile
        var lookedAt: Instant?
    }

    /// Opens the mark of a store that is open, or makes it.
    init(folder: String, sequence: UInt64) throws(StorageFault) {
        self.folder = folder
        let path = "\(folder)/\(StoreMark.name)"
        do throws(PosixFault) {
            var content = Content(sequence: sequence)
            StoreMark.lookAtManifest(of: folder, &content)
            try PosixFolder.writeWhole(StoreMark.encode(content), to: path)
            let file = try PosixFile(path, flags: O_WRONLY)
            state = Mutex(State(content: content, file: file))
        } catch {
            throw StorageFault("\(error): check the disk's free space (df) and permissions")
        }
    }

    /// Notes that the disk keeps everything up to `sequence`.
    func note(_ sequence: UInt64, at now: Instant) throws(StorageFault) {
        try state.withLock { (state) throws(StorageFault) in
            let isLookDue =
                state.lookedAt.map { now.millisecondsSince($0) >= StoreMark.manifestInterval }
                ?? true
            guard isLookDue || sequence > state.content.sequence else { return }
            if isLookDue {
                state.lookedAt = now
                StoreMark.lookAtManifest(of: folder, &state.content)
            }
            state.content.sequence = max(state.content.sequence, sequence)
            do throws(PosixFault) {
                try state.file.write(StoreMark.encode(state.content), at: 0)
            } catch {
                throw StorageFault("\(error): check the disk's free space (df) and health (dmesg)")
            }
        }
    }

    // MARK: What a store without its mark's contents means

    /// The mark of a folder; nil if it has none, or a damaged one.
    static func read(in folder: String) -> Content? {
        let path = "\(folder)/\(name)"
        let bytes = try? PosixFile(path, flags: O_RDONLY).readAll(maximum: 4_096)
        return bytes.flatMap(decode)
    }

    /// What is wrong with the files as they lie, before the store is opened; nil if nothing is.
    static func lossBeforeOpening(_ folder: String) -> String? {
        guard let mark = read(in: folder), let current = currentManifest(of: folder),
            current.number == mark.manifest, current.byteCount < mark.manifestBytes
        else { return nil }
        return "\(folder)/\(current.name) has \(current.byteCount) bytes, but once had"
            + " \(mark.manifestBytes): its end is gone"
    }

    /// What is wrong with an open store; nil if nothing is.
    static func loss(_ mark: Content?, sequence: UInt64, in folder: String) -> String? {
        guard let mark, sequence < mark.sequence else { return nil }
        return "\(folder): the store ends with write \(sequence), but the disk once kept"
            + " \(mark.sequence): the end of its log (*.log) is damaged or gone"
    }

    private struct Manifest {
        let name: String
        let number: UInt64
        let byteCount: UInt64
    }

    private static func currentManifest(of folder: String) -> Manifest? {
        let bytes = try? PosixFile("\(folder)/CURRENT", flags: O_RDONLY).readAll(maximum: 256)
        guard let bytes, let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let name = text.filter { !$0.isNewline }
        guard name.hasPrefix("MANIFEST-"), let number = UInt64(name.dropFirst(9)),
            let size = try? PosixFile("\(folder)/\(name)", flags: O_RDONLY).size()
        else { return nil }
        return Manifest(name: name, number: number, byteCount: UInt64(max(0, size)))
    }

    private static func lookAtManifest(of folder: String, _ content: inout Content) {
        guard let found = currentManifest(of: folder) else { return }
        content.manifest = found.number
        content.manifestBytes = found.byteCount
    }

    // MARK: Bytes

    private static func encode(_ content: Content) -> [UInt8] {
        var bytes = magic
        for word in [content.sequence, content.manifest, content.manifestBytes] {
            bytes += word.bcsLittleEndian
        }
        return bytes + Digest.hash(.journal, bytes).bytes.prefix(16)
    }

    private static func decode(_ bytes: [UInt8]) -> Content? {
        guard bytes.count == byteCount else { return nil }
        let words = [bytes[8..<16], bytes[16..<24], bytes[24..<32]].map { word in
            word.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        let content = Content(sequence: words[0], manifest: words[1], manifestBytes: words[2])
        return encode(content) == bytes ? content : nil
    }
}
