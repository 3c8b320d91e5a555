internal import Glibc

/// The right to be the only one at work on a file, among processes of this machine that ask for it.
///
/// An advisory lock (`flock`) on `PATH.lock`, which the kernel takes back however the process ends;
/// the file itself may be replaced meanwhile. What is left of the lock's file after a crash does no
/// harm.
struct FileLock: Sendable {
    private let path: String
    private let descriptor: Int32

    /// - Parameter refusal: What is said where another process has it.
    /// - Throws: `CommandFault`, at once, where another process has it.
    init(for file: String, refusal: String) throws(CommandFault) {
        path = file + ".lock"
        var opened: Int32
        repeat {
            opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard opened >= 0 else { throw SecretFile.systemFault(path, "can't be made") }
            guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
                let fault =
                    errno == EWOULDBLOCK
                    ? CommandFault(refusal) : SecretFile.systemFault(path, "can't be locked")
                close(opened)
                throw fault
            }
            // Who had it before took the file away after this process had opened it.
        } while !FileLock.keeps(opened, path)
        descriptor = opened
    }

    /// Whether the path still names the file that is open; closes it if not.
    private static func keeps(_ opened: Int32, _ path: String) -> Bool {
        var (own, named) = (stat(), stat())
        let isSame =
            fstat(opened, &own) == 0 && stat(path, &named) == 0 && own.st_ino == named.st_ino
            && own.st_dev == named.st_dev
        if !isSame { close(opened) }
        return isSame
    }

    /// Lets others go on. Not to be called twice.
    func release() {
        unlink(path)
        close(descriptor)
    }
}
