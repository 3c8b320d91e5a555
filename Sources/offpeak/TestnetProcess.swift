internal import FoundationEssentials
internal import Glibc
internal import Runtime
internal import Synchronization

/// A node's process: started apart from this one, so that it lives on when this one ends, and found
/// again by its pid file.
struct TestnetProcess: Sendable {
    /// The folder that the node runs on: what its command line is recognised by.
    let home: String
    let pidFile: String
    let logFile: String

    init(_ folder: TestnetFolder, node: Int) {
        home = folder.home(node).path
        pidFile = folder.pid(node)
        logFile = folder.log(node)
    }

    /// The process id, or nil if the node doesn't run: a pid file may outlive its process, the
    /// number may belong to another one by now, and a start may end before the file is written.
    var pid: pid_t? {
        if let notedPid, isNode(notedPid) { return notedPid }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.first(where: isNode)
    }

    private func isNode(_ pid: pid_t) -> Bool {
        Array(commandLine(of: pid).suffix(3)) == ["node", "--home", home]
    }

    /// What the pid file says.
    private var notedPid: pid_t? {
        guard let bytes = FileManager.default.contents(atPath: pidFile),
            let line = bytes.split(separator: UInt8(ascii: "\n")).first,
            let pid = pid_t(String(decoding: line, as: UTF8.self)), pid > 1
        else { return nil }
        return pid
    }

    /// Empty for a process that has ended, also while its parent hasn't noticed. A process that is
    /// just becoming another program has none for a moment: it is asked again.
    private func commandLine(of pid: pid_t) -> [String] {
        var bytes = Data()
        for _ in 0..<20 {
            bytes = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            guard bytes.isEmpty, pid == notedPid, TestnetProcess.isAlive(pid) else { break }
            usleep(5_000)
        }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether nothing of a process is left but perhaps an exit status. A process that is killed
    /// has no command line any more, and is a zombie, while threads of it still end and hold its
    /// files and locks.
    static func hasEnded(_ pid: pid_t) -> Bool {
        let threads = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
        guard let threads else { return true }
        return threads.count <= 1 && !isAlive(pid)
    }

    /// Whether a process is there and isn't a zombie.
    private static func isAlive(_ pid: pid_t) -> Bool {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
            let name = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return false }
        let state = bytes[name...].dropFirst(2).first
        return state != UInt8(ascii: "Z") && state != UInt8(ascii: "X")
    }

    /// Starts `executable node --home HOME` detached (setsid), with its output appended to
    /// the log, and writes the pid file.
    func start(executable: String) throws(CommandFault) {
        try TestnetProcess.startsAllowed.withLock { (allowed) throws(CommandFault) in
            guard allowed else { throw CommandFault("interrupted") }
            let pid = try spawn([executable, "node", "--home", home])
            do {
                let text = Data("\(pid)\n".utf8)
                try text.write(to: URL(fileURLWithPath: pidFile), options: .atomic)
            } catch {
                kill(pid, SIGKILL)
                throw CommandFault("\(pidFile) can't be written: \(error)")
            }
        }
    }

    /// Held from before a start until its pid file is written: who clears up finds every process.
    private static let startsAllowed = Mutex(true)

    /// From now on no node is started by this process.
    static func refuseStarts() {
        startsAllowed.withLock { $0 = false }
    }

    private func spawn(_ arguments: [String]) throws(CommandFault) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let appending = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, logFile, appending, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        var attributes = TestnetProcess.detachedAttributes()
        defer { posix_spawnattr_destroy(&attributes) }
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid = pid_t()
        let status = posix_spawn(&pid, arguments[0], &actions, &attributes, &words, environ)
        guard status == 0 else {
            throw CommandFault("\(arguments[0]) can't be started: \(reason(status))")
        }
        return pid
    }

    /// Detached, no blocked signal, and none ignored: what this process ignores or
    /// blocks would be inherited.
    private static func detachedAttributes() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = setSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        return attributes
    }

    /// `POSIX_SPAWN_SETSID`, which the header shows to GNU C only.
    private static let setSID: Int32 = 0x80

    private func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// Sends `signal`.
    /// - Returns: The process that got it; nil if the node doesn't run.
    @discardableResult
    func send(_ signal: Int32) -> pid_t? {
        guard let pid, kill(pid, signal) == 0 else { return nil }
        return pid
    }

    /// Takes the exit status of a child that has ended, so that it doesn't stay as a zombie, and
    /// forgets its pid file.
    func forget() {
        if let notedPid {
            var status: Int32 = 0
            waitpid(notedPid, &status, WNOHANG)
        }
        unlink(pidFile)
    }

    /// The last lines of the log, for a message about a node that didn't start.
    func lastLogLines(_ count: Int) -> [String] {
        guard let bytes = FileManager.default.contents(atPath: logFile) else { return [] }
        let text = String(decoding: bytes.suffix(count * 400), as: UTF8.self)
        return text.split(separator: "\n").suffix(count).map(String.init)
    }
}
