internal import Glibc
internal import Primitives

/// Files without secrets; the name `-` means stdin or stdout.
enum TextFile {
    /// The bytes of a file of at most `maximum` bytes.
    /// - Throws: `CommandFault`, also for what is no regular file: see `InputFile`.
    static func read(_ path: String, maximum: Int) throws(CommandFault) -> [UInt8] {
        if path == "-" { return try readAll(STDIN_FILENO, "stdin", maximum: maximum) }
        let descriptor = try InputFile.open(path)
        defer { close(descriptor) }
        return try readAll(descriptor, path, maximum: maximum)
    }

    /// Writes a file whole or not at all; afterwards it outlasts a loss of power.
    /// - Parameter sync: `fsync`, of the file before it has its name, and of its folder after.
    /// - Throws: `CommandFault`, also for a file that is there unless `replacing`.
    static func write(
        _ text: String, to path: String, replacing: Bool = false,
        syncing sync: (Int32) -> Int32 = fsync
    ) throws(CommandFault) {
        if path == "-" { return Terminal.output.write(text) }
        if !replacing { try checkAbsent(path) }
        let temporary = "\(path).\(getpid()).new"
        try writeNew(text, to: temporary, sync)
        guard give(path, to: temporary, replacing: replacing) else {
            let fault =
                errno == EEXIST
                ? existing(path) : SecretFile.systemFault(path, "can't be written")
            unlink(temporary)
            throw fault
        }
        try syncFolder(of: path, sync)
    }

    /// Gives a new file its name; false with the system's error number in `errno`.
    private static func give(_ path: String, to temporary: String, replacing: Bool) -> Bool {
        if replacing { return rename(temporary, path) == 0 }
        // Unlike a rename it fails where another process has made the file meanwhile.
        if link(temporary, path) == 0 {
            unlink(temporary)
            return true
        }
        let hasNoLinks = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS
        return hasNoLinks && rename(temporary, path) == 0
    }

    /// Waits until the names in a file's folder are on the disk.
    static func syncFolder(
        of path: String, _ sync: (Int32) -> Int32 = fsync
    ) throws(CommandFault) {
        let place = path.lastIndex(of: "/")
        let folder = place.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SecretFile.systemFault(folder, "can't be opened") }
        defer { close(descriptor) }
        guard sync(descriptor) == 0 else {
            throw SecretFile.systemFault(folder, "can't be written")
        }
    }

    /// - Throws: `CommandFault` for a file that is there.
    static func checkAbsent(_ path: String) throws(CommandFault) {
        guard access(path, F_OK) != 0 else { throw existing(path) }
    }

    private static func existing(_ path: String) -> CommandFault {
        CommandFault("\(path) exists and isn't overwritten: choose another name")
    }

    private static func writeNew(
        _ text: String, to path: String, _ sync: (Int32) -> Int32
    ) throws(CommandFault) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SecretFile.systemFault(path, "can't be made") }
        defer { close(descriptor) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let step = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if step < 0 && errno == EINTR { continue }
            guard step > 0 else {
                let fault = SecretFile.systemFault(path, "can't be written")
                unlink(path)
                throw fault
            }
            bytes = bytes.dropFirst(step)
        }
        guard sync(descriptor) == 0 else {
            let fault = SecretFile.systemFault(path, "can't be written")
            unlink(path)
            throw fault
        }
    }

    private static func readAll(
        _ descriptor: Int32, _ name: String, maximum: Int
    ) throws(CommandFault) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let step = Glibc.read(descriptor, &chunk, chunk.count)
            if step < 0 && errno == EINTR { continue }
            guard step >= 0 else { throw SecretFile.systemFault(name, "can't be read") }
            if step == 0 { return bytes }
            bytes += chunk.prefix(step)
            guard bytes.count <= maximum else {
                throw CommandFault(
                    "\(name) has more than \(maximum) bytes, too many for such a file")
            }
        }
    }
}
