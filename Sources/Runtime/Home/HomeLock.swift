internal import Glibc

/// The right to run on a home folder: held by one process at a time, and given back by the system
/// when that process ends in whatever way.
package final class HomeLock: Sendable {
    private let file: PosixFile

    /// - Throws: `HomeFault` with the process id of the node that holds the lock, or if there is no
    ///   such folder.
    package init(_ home: Home) throws(HomeFault) {
        do throws(PosixFault) {
            file = try HomeLock.take(home.lock)
        } catch {
            guard error.code != ENOENT else {
                throw HomeFault(
                    "\(home): there is no such home folder; `offpeak init \(home)` makes one")
            }
            guard error.code == EWOULDBLOCK else {
                throw HomeFault(error, "The home folder must be one that can be written.")
            }
            throw HomeLock.held(home)
        }
    }

    /// Removes the file while it is still held: who opened it meanwhile sees that its name is gone.
    package func release() { try? PosixFolder.remove(file.path) }

    deinit { release() }

    /// Opens and locks; starts anew when the former holder removed the file in between.
    private static func take(_ path: String) throws(PosixFault) -> PosixFile {
        while true {
            let file = try PosixFile(path, flags: O_RDWR | O_CREAT)
            guard try file.tryLock() else { throw PosixFault("lock", path, code: EWOULDBLOCK) }
            guard file.isStillNamed() else { continue }
            try file.truncate(to: 0)
            try file.write(Array("\(getpid())\n".utf8))
            return file
        }
    }

    private static func held(_ home: Home) -> HomeFault {
        let text = try? Home.readText(home.lock, maximum: 64)
        let pid = text?.split(whereSeparator: \.isWhitespace).first.map(String.init)
        let holder = pid.map { "process \($0)" } ?? "another process"
        return HomeFault(
            "\(home): \(holder) already runs on this home folder; stop it first, or use another",
            exitCode: .locked)
    }
}
