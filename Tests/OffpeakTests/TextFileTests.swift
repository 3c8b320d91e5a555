import Glibc
import Testing

@testable import offpeak

@Suite("Files that must outlast a loss of power, and that only one may have")
struct TextFileTests {
    private let program: WalletProgram

    init() throws { program = try WalletProgram() }

    private func path(_ name: String) -> String { "\(program.folder)/\(name)" }

    private static func isFolder(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    @Test("a file's bytes reach the disk before its name does, and the name before more is done")
    func syncs() throws {
        for isReplacing in [false, true] {
            var steps: [String] = []
            try TextFile.write("new", to: path("a"), replacing: isReplacing) { descriptor in
                let isFolder = Self.isFolder(descriptor)
                let content = try? program.read("a")
                steps.append("\(isFolder ? "folder" : "file") \(content ?? "-")")
                return 0
            }
            #expect(steps == ["file \(isReplacing ? "new" : "-")", "folder new"])
        }
        let fault = #expect(throws: CommandFault.self) {
            try TextFile.write("new", to: path("b")) { Self.isFolder($0) ? -1 : 0 }
        }
        #expect(fault?.description.contains("can't be written") == true, "\(fault as Any)")
    }

    @Test("a file that somebody makes meanwhile isn't replaced")
    func exclusive() throws {
        let fault = #expect(throws: CommandFault.self) {
            try TextFile.write("mine", to: path("a")) { _ in
                try? program.write("theirs", to: "a")
                return 0
            }
        }
        #expect(fault?.description.contains("exists") == true, "\(fault as Any)")
        #expect(try program.read("a") == "theirs")
        #expect(access(path("a.\(getpid()).new"), F_OK) != 0)
    }

    @Test("a lock is had once, and leaves nothing behind")
    func lock() throws {
        let first = try FileLock(for: path("a"), refusal: "taken")
        let fault = #expect(throws: CommandFault.self) {
            try FileLock(for: path("a"), refusal: "taken")
        }
        #expect(fault?.description == "taken")
        let other = try FileLock(for: path("b"), refusal: "taken")
        first.release()
        other.release()
        let again = try FileLock(for: path("a"), refusal: "taken")
        again.release()
        #expect(access(path("a.lock"), F_OK) != 0)
        // What a crash left.
        try program.write("", to: "a.lock")
        try FileLock(for: path("a"), refusal: "taken").release()
    }

    @Test("what is no regular file isn't waited for, but a pipe that the shell gave is read")
    func special() async throws {
        #expect(mkfifo(path("pipe.json"), 0o600) == 0)
        try program.write("{}", to: "file.json")
        #expect(try TextFile.read(path("file.json"), maximum: 9) == Array("{}".utf8))
        for (name, words) in [("pipe.json", "a named pipe"), (".", "a folder")] {
            let fault = #expect(throws: CommandFault.self) {
                try TextFile.read(path(name), maximum: 9)
            }
            #expect(fault?.description.contains(words) == true, "\(fault as Any)")
            let secret = #expect(throws: CommandFault.self) {
                try SecretFile.read(path(name), maximum: 9)
            }
            #expect(secret?.description.contains(words) == true, "\(secret as Any)")
        }
        #expect(throws: CommandFault.self) { try TextFile.read("/dev/zero", maximum: 9) }
        #expect(InputFile.isSpecial(path("pipe.json")))
        #expect(!InputFile.isSpecial(path("file.json")) && !InputFile.isSpecial(path(".")))
        let piped = try await program.run(["tx", "show", "pipe.json"])
        #expect(piped.exitCode == 1 && piped.errors.contains("named pipe"), "\(piped)")
        // Its reader gets what comes late, as from a slow program before it.
        for name in ["-", "/dev/stdin"] {
            let slow = try await program.run(
                ["tx", "show", name], input: "{\"a\": 1}", after: "sleep 0")
            #expect(slow.errors.contains("unknown member"), "\(slow)")
        }
    }

    @Test("a file's name does nothing to the terminal of who reads of its fault")
    func names() async throws {
        let name = "a\u{1B}]0;x\u{7}.json"
        try program.write("[]", to: name)
        let result = try await program.run(["tx", "show", name])
        #expect(result.exitCode == 1 && result.errors.contains("a\u{FFFD}]0;x\u{FFFD}.json"))
        #expect(result.errors.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 })
    }
}
