internal import Foundation
internal import Glibc

/// A file opened by its path; closed with the last copy of the descriptor.
///
/// Every fault names the path, the call and the system's reason.
struct PosixFile: ~Copyable {
    let path: String
    private let descriptor: Int32

    /// - Throws: `PosixFault`.
    init(_ path: String, flags: Int32, mode: mode_t = 0o600) throws(PosixFault) {
        let descriptor = open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw PosixFault("open", path) }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    /// The number of bytes; leaves the file's place at its end.
    func size() throws(PosixFault) -> Int {
        let count = lseek(descriptor, 0, SEEK_END)
        guard count >= 0 else { throw PosixFault("seek", path) }
        return Int(count)
    }

    /// Everything from the start, at most `maximum` bytes.
    /// - Throws: `PosixFault`, also for a larger file.
    func readAll(maximum: Int) throws(PosixFault) -> [UInt8] {
        let count = try size()
        guard count <= maximum else { throw PosixFault("read", path, code: EFBIG) }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let step = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(done))
            }
            if step < 0 && errno == EINTR { continue }
            guard step > 0 else { throw PosixFault("read", path, code: step == 0 ? EIO : errno) }
            done += step
        }
        return bytes
    }

    /// Writes all of `bytes` at the file's place.
    func write(_ bytes: [UInt8]) throws(PosixFault) {
        var done = 0
        while done < bytes.count {
            let step = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done)
            }
            if step < 0 && errno == EINTR { continue }
            guard step > 0 else { throw PosixFault("write", path, code: step == 0 ? EIO : errno) }
            done += step
        }
    }

    /// Writes all of `bytes` at `offset`, and leaves the file's place alone.
    func write(_ bytes: [UInt8], at offset: Int) throws(PosixFault) {
        var done = 0
        while done < bytes.count {
            let step = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done,
                    off_t(offset + done))
            }
            if step < 0 && errno == EINTR { continue }
            guard step > 0 else { throw PosixFault("write", path, code: step == 0 ? EIO : errno) }
            done += step
        }
    }

    /// Waits until the bytes, and the size they need, are on the disk.
    func syncData() throws(PosixFault) {
        guard fdatasync(descriptor) == 0 else { throw PosixFault("fdatasync", path) }
    }

    /// Waits until the bytes and all that is known of the file are on the disk.
    func syncAll() throws(PosixFault) {
        guard fsync(descriptor) == 0 else { throw PosixFault("fsync", path) }
    }

    /// Cuts the file to `count` bytes.
    func truncate(to count: Int) throws(PosixFault) {
        guard ftruncate(descriptor, off_t(count)) == 0 else { throw PosixFault("truncate", path) }
    }

    /// Takes the exclusive lock of the open file; false if another process holds it.
    func tryLock() throws(PosixFault) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw PosixFault("lock", path) }
        return false
    }

    /// Whether the file wasn't removed since it was opened.
    func isStillNamed() -> Bool {
        var name = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/fd/\(descriptor)", &name, name.count)
        let text = name.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return count > 0 && !text.ends(with: Array(" (deleted)".utf8))
    }
}

extension [UInt8] {
    fileprivate func ends(with end: [UInt8]) -> Bool { suffix(end.count).elementsEqual(end) }
}

/// A call of the system that failed on a path.
struct PosixFault: Error, CustomStringConvertible {
    let call: String
    let path: String
    /// The system's error number.
    let code: Int32

    init(_ call: String, _ path: String, code: Int32 = errno) {
        self.call = call
        self.path = path
        self.code = code
    }

    /// The system's text of the error.
    var reason: String { String(cString: strerror(code)) }

    var description: String { "\(path): \(call): \(reason)" }
}

/// Folders and names, without what a descriptor is needed for.
enum PosixFolder {
    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// The permission bits of a file or folder.
    static func permissions(of path: String) throws(PosixFault) -> UInt16 {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let mode = attributes[.posixPermissions] as? NSNumber
        else { throw PosixFault("look at", path, code: exists(path) ? EACCES : ENOENT) }
        return mode.uint16Value & 0o777
    }

    /// Makes the folder and its parents; a folder that is there is left alone.
    static func create(_ path: String, mode: mode_t = 0o700) throws(PosixFault) {
        if exists(path) { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try create(String(path[..<slash]), mode: mode)
        }
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw PosixFault("mkdir", path) }
    }

    /// The names in the folder without `.` and `..`, sorted.
    static func names(in path: String) throws(PosixFault) -> [String] {
        guard let stream = opendir(path) else { throw PosixFault("list", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Waits until names that were made, renamed or removed in the folder are on the disk.
    static func sync(_ path: String) throws(PosixFault) {
        let folder = try PosixFile(path, flags: O_RDONLY | O_DIRECTORY)
        try folder.syncAll()
    }

    static func rename(_ path: String, to other: String) throws(PosixFault) {
        guard Glibc.rename(path, other) == 0 else { throw PosixFault("rename", path) }
    }

    /// Removes a file; one that isn't there is fine.
    static func remove(_ path: String) throws(PosixFault) {
        guard unlink(path) == 0 || errno == ENOENT else { throw PosixFault("remove", path) }
    }

    /// The summed sizes of the files directly in the folder; 0 for a missing one.
    static func byteCount(of path: String) -> UInt64 {
        guard let names = try? names(in: path) else { return 0 }
        var total: UInt64 = 0
        for name in names {
            // A file may vanish between the listing and the look: then it takes no room.
            let inner = "\(path)/\(name)"
            let isFolder = (try? PosixFile(inner, flags: O_RDONLY | O_DIRECTORY)) != nil
            if isFolder { continue }
            total += UInt64(max(0, (try? PosixFile(inner, flags: O_RDONLY).size()) ?? 0))
        }
        return total
    }

    /// Writes a new file so that it is there whole or not at all, also after a loss of power.
    static func writeWhole(
        _ bytes: [UInt8], to path: String, mode: mode_t = 0o600
    ) throws(PosixFault) {
        let temporary = path + ".new"
        let file = try PosixFile(temporary, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        try file.write(bytes)
        try file.syncAll()
        try rename(temporary, to: path)
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        try sync(slash == path.startIndex ? "." : String(path[..<slash]))
    }
}
