internal import Glibc
internal import Primitives
internal import Runtime

/// Files that hold a secret: readable by their owner only, and read into locked memory.
enum SecretFile {
    /// The bytes of a file that nobody else can read.
    /// - Throws: `CommandFault` with the command that mends a file that is too open.
    static func read(_ path: String, maximum: Int) throws(CommandFault) -> SecureBytes {
        let descriptor = try InputFile.open(path)
        defer { close(descriptor) }
        try checkMode(path)
        return try readAll(descriptor, path, maximum: maximum)
    }

    private static func checkMode(_ path: String) throws(CommandFault) {
        do throws(HomeFault) {
            try Home(".").checkSecret(path)
        } catch {
            throw CommandFault(error.description)
        }
    }

    /// All of stdin, without the line end at its end.
    static func readInput(maximum: Int) throws(CommandFault) -> SecureBytes {
        trimmed(try readAll(STDIN_FILENO, "stdin", maximum: maximum))
    }

    /// The first line from `descriptor`, which is read no further.
    static func readLine(_ descriptor: Int32, maximum: Int) throws(CommandFault) -> SecureBytes {
        var count = 0
        let line = SecureBytes(count: maximum) { buffer in
            while count < buffer.count, let base = buffer.baseAddress {
                guard Glibc.read(descriptor, base + count, 1) == 1 else { return }
                if buffer[count] == UInt8(ascii: "\n") { return }
                count += 1
            }
        }
        guard count > 0 else { throw CommandFault("nothing was entered") }
        return trimmed(line.slice(0..<count))
    }

    /// A password or words in a file, without the line end at its end.
    static func readText(_ path: String, maximum: Int = 4096) throws(CommandFault) -> SecureBytes {
        trimmed(try read(path, maximum: maximum))
    }

    /// Makes a file of mode 0600.
    /// - Throws: `CommandFault`, also if the file is there already.
    static func create(_ path: String, _ content: SecureBytes) throws(CommandFault) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST {
                throw CommandFault("\(path) exists and isn't overwritten: choose another name")
            }
            throw systemFault(path, "can't be made")
        }
        defer { close(descriptor) }
        let count = content.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == content.count, fsync(descriptor) == 0 else {
            let fault = systemFault(path, "can't be written")
            unlink(path)
            throw fault
        }
        try TextFile.syncFolder(of: path)
    }

    /// The system's reason why `path` can't be used.
    static func systemFault(_ path: String, _ what: String) -> CommandFault {
        CommandFault("\(path) \(what): \(String(cString: strerror(errno)))")
    }

    private static func readAll(
        _ descriptor: Int32, _ name: String, maximum: Int
    ) throws(CommandFault) -> SecureBytes {
        var count = 0
        var code: Int32 = 0
        let bytes = SecureBytes(count: maximum + 1) { buffer in
            while count < buffer.count, let base = buffer.baseAddress {
                let step = Glibc.read(descriptor, base + count, buffer.count - count)
                if step < 0 && errno == EINTR { continue }
                if step < 0 { code = errno }
                guard step > 0 else { return }
                count += step
            }
        }
        guard code == 0 else {
            throw CommandFault("\(name) can't be read: \(String(cString: strerror(code)))")
        }
        guard count <= maximum else {
            throw CommandFault("\(name) has more than \(maximum) bytes: it isn't what it should be")
        }
        guard count > 0 else { throw CommandFault("\(name) is empty") }
        return bytes.slice(0..<count)
    }

    private static func trimmed(_ bytes: SecureBytes) -> SecureBytes {
        let count = bytes.withUnsafeBytes { buffer in
            buffer.lastIndex { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
                .map { $0 + 1 } ?? 0
        }
        return bytes.slice(0..<count)
    }
}
