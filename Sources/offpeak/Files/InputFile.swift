internal import Glibc

/// Files that are read from their beginning to their end.
enum InputFile {
    /// A descriptor to read from, which the caller closes.
    ///
    /// Nothing that could wait for ever is read, such as a named pipe in a folder that others write
    /// to; what this process was given itself (`/dev/stdin`, `/dev/fd/3`) may be a pipe.
    /// - Throws: `CommandFault` for what can't be opened, or is no regular file.
    static func open(_ path: String) throws(CommandFault) -> Int32 {
        let descriptor = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SecretFile.systemFault(path, "can't be opened") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let fault = SecretFile.systemFault(path, "can't be read")
            close(descriptor)
            throw fault
        }
        if status.st_mode & S_IFMT == S_IFREG { return descriptor }
        guard isOwn(path), status.st_mode & S_IFMT != S_IFDIR else {
            close(descriptor)
            throw notRegular(path, status.st_mode)
        }
        // A pipe has nothing yet when its writer is slow: then reading waits.
        guard fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK) == 0 else {
            let fault = SecretFile.systemFault(path, "can't be read")
            close(descriptor)
            throw fault
        }
        return descriptor
    }

    /// Whether something that isn't read is there: neither a file nor a folder.
    static func isSpecial(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        return status.st_mode & S_IFMT != S_IFREG && status.st_mode & S_IFMT != S_IFDIR
    }

    /// Whether the path is of something that the process was started with.
    private static func isOwn(_ path: String) -> Bool {
        path == "/dev/stdin" || path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/")
    }

    private static func notRegular(_ path: String, _ mode: mode_t) -> CommandFault {
        let kind =
            switch mode & S_IFMT {
            case S_IFDIR: "a folder"
            case S_IFIFO: "a named pipe"
            case S_IFCHR, S_IFBLK: "a device"
            default: "no regular file"
            }
        return CommandFault("\(path) is \(kind): a regular file is wanted, or - for stdin")
    }
}
