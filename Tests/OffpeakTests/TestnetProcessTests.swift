import Dispatch
import FoundationEssentials
import Glibc
import Runtime
import Testing

@testable import offpeak

@Suite("Processes of a local network")
struct TestnetProcessTests {
    /// A folder of its own, removed with everything in it afterwards.
    private func withFolder(_ body: (TestnetFolder) async throws -> Void) async throws {
        var template = Array("/tmp/offpeak-test-XXXXXX".utf8CString)
        #expect(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
        let folder = TestnetFolder(path)
        defer { try? folder.purge() }
        try folder.create()
        try await body(folder)
    }

    /// A program that takes a node's place: says what it was given, and stays until it is ended.
    ///
    /// Another process writes it: what this one has open for writing, a child that another test
    /// starts at the same moment has open too, and then the system refuses to run it.
    private func makeProgram(_ folder: TestnetFolder, _ script: String) throws -> String {
        let file = "\(folder.path)/program"
        let text = "#!/bin/sh\n\(script)\n"
        try #require(system("cat > \(file) <<'END'\n\(text)END\nchmod 700 \(file)") == 0)
        return file
    }

    private func waitFor(_ condition: () -> Bool) async throws -> Bool {
        for _ in 0..<1000 {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// Runs what blocks on a thread of its own: the other tests need the shared ones.
    private func apart<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: body()) }
        }
    }

    private static let staying = "echo started \"$@\"; while :; do sleep 0.05; done"

    @Test("a node is started detached, found again by its pid file, and ended")
    func lifeCycle() async throws {
        try await withFolder { folder in
            let program = try makeProgram(folder, Self.staying)
            let process = TestnetProcess(folder, node: 0)
            #expect(process.pid == nil)
            try process.start(executable: program)
            let pid = try #require(process.pid)
            #expect(getsid(pid) == pid, "detached from the terminal that started it")
            #expect(try await waitFor { !process.lastLogLines(1).isEmpty })
            #expect(process.lastLogLines(1) == ["started node --home \(folder.home(0).path)"])
            #expect(process.send(SIGKILL) == pid)
            #expect(try await waitFor { process.pid == nil }, "a zombie doesn't count as running")
            process.forget()
            #expect(process.send(SIGTERM) == nil)
        }
    }

    @Test("a process has ended only when all its threads have")
    func threads() async throws {
        try await withFolder { folder in
            let program = try makeProgram(
                folder,
                """
                exec python3 -c 'import ctypes, threading, time
                threading.Thread(target=time.sleep, args=(60,)).start()
                ctypes.CDLL(None).pthread_exit(None)' "$@"
                """)
            let process = TestnetProcess(folder, node: 0)
            try process.start(executable: program)
            let pid = try #require(process.pid)
            // The first thread is gone, and with it the command line; the other one is not.
            #expect(try await waitFor { process.pid == nil })
            #expect(!TestnetProcess.hasEnded(pid))
            kill(pid, SIGKILL)
            #expect(try await waitFor { TestnetProcess.hasEnded(pid) })
            process.forget()
            #expect(try await waitFor { TestnetProcess.hasEnded(pid) })
        }
    }

    @Test("a pid file of another process is stale")
    func stalePidFile() async throws {
        try await withFolder { folder in
            try "\(getpid())\n".write(
                toFile: folder.pid(0), atomically: true, encoding: .utf8)
            #expect(TestnetProcess(folder, node: 0).pid == nil)
        }
    }

    @Test("a node whose pid file is lost is found by its command line")
    func lostPidFile() async throws {
        try await withFolder { folder in
            let program = try makeProgram(folder, Self.staying)
            let process = TestnetProcess(folder, node: 0)
            try process.start(executable: program)
            let pid = try #require(process.pid)
            unlink(folder.pid(0))
            #expect(process.pid == pid)
            process.send(SIGKILL)
            #expect(try await waitFor { process.pid == nil })
            waitpid(pid, nil, 0)
        }
    }

    @Test("a program that isn't there is named")
    func missingProgram() async throws {
        try await withFolder { folder in
            let error = #expect(throws: CommandFault.self) {
                try TestnetProcess(folder, node: 0).start(executable: "/nowhere/offpeak")
            }
            #expect(error?.description.contains("/nowhere/offpeak") == true)
        }
    }

    private func record(nodes: Int) throws -> TestnetRecord {
        let ports = try TestnetPorts.free(nodes)
        return TestnetRecord(
            network: "test", prefix: "opk", chainID: "00",
            nodes: ports.enumerated().map {
                TestnetNode(index: $0, peerID: "p\($0)", linkPort: 1, rpcPort: $1)
            }, wallets: [])
    }

    @Test("a node that ends while it starts is reported with the end of its log")
    func endsEarly() async throws {
        try await withFolder { folder in
            let program = try makeProgram(folder, "echo the disk is full; exit 74")
            let network = try TestnetNetwork(
                folder, record: record(nodes: 1), executable: program)
            #expect(try network.start() == [0])
            let error = await #expect(throws: CommandFault.self) {
                try await network.awaitReady([0])
            }
            #expect(error?.description.contains("the disk is full") == true)
            _ = await apart { network.stop() }
        }
    }

    @Test("nodes that don't end when asked are killed, and a second start is no start")
    func stopsAll() async throws {
        try await withFolder { folder in
            let program = try makeProgram(folder, "trap '' TERM; " + Self.staying)
            let network = try TestnetNetwork(
                folder, record: record(nodes: 2), executable: program)
            #expect(try network.start() == [0, 1])
            #expect(try network.start() == [])
            #expect(
                try await waitFor {
                    (0...1).allSatisfy { !network.process($0).lastLogLines(1).isEmpty }
                })
            let (stopped, killed) = await apart { network.stop() }
            #expect(stopped == [0, 1])
            #expect(killed == [0, 1])
            #expect((0...1).allSatisfy { network.process($0).pid == nil })
            #expect(network.stop().stopped == [])
        }
    }

    @Test("free ports are different and can be listened on")
    func ports() throws {
        let ports = try TestnetPorts.free(20)
        #expect(Set(ports).count == 20)
        #expect(!ports.contains(0))
    }

    @Test("a record is read back as it was written, and a damaged one says what to do")
    func recordRoundTrip() async throws {
        try await withFolder { folder in
            let error = #expect(throws: CommandFault.self) { try TestnetRecord.load(folder) }
            #expect(error?.description.contains("testnet up") == true)
            let record = try record(nodes: 3)
            try record.save(folder)
            #expect(try TestnetRecord.load(folder) == record)
            try "{".write(toFile: folder.record, atomically: true, encoding: .utf8)
            let damaged = #expect(throws: CommandFault.self) { try TestnetRecord.load(folder) }
            #expect(damaged?.description.contains("--purge") == true)
        }
    }

    @Test("a record from before there were other roles is one of validators")
    func recordWithoutRoles() async throws {
        try await withFolder { folder in
            try record(nodes: 2).save(folder)
            let text = try String(contentsOfFile: folder.record, encoding: .utf8)
            let lines = text.split(separator: "\n").filter { !$0.contains("\"role\"") }
            let old = lines.joined(separator: "\n").replacing(#/,\s*}/#, with: "}")
            try old.write(toFile: folder.record, atomically: true, encoding: .utf8)
            #expect(try TestnetRecord.load(folder).nodes(.validator) == [0, 1])
        }
    }
}
