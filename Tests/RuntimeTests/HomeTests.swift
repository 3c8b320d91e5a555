import Foundation
import Primitives
import Testing

@testable import Runtime

@Suite("Home folder")
struct HomeTests {
    private let folder: TemporaryFolder
    private var home: Home { Home(folder.path + "/home/") }

    init() throws { folder = try TemporaryFolder() }

    private func make() throws {
        try home.create()
        try Home.write(Array("{}".utf8), to: home.genesis)
        try Home.write(Array(Configuration().template.utf8), to: home.configuration)
        try Home.write([1], to: home.identityKey)
        try Home.write([2], to: home.validatorKey)
    }

    private func fault(_ body: () throws -> Void) -> HomeFault? {
        do {
            try body()
            return nil
        } catch {
            return error as? HomeFault
        }
    }

    @Test("A home that was made can be used, and isn't made twice")
    func create() throws {
        try make()
        try home.check()
        #expect(home.hasValidatorKey)
        let fault = fault { try home.create() }
        #expect(fault?.description.contains("already set up") == true)
        #expect(fault?.exitCode == .failure)
    }

    @Test("A home that isn't there is no damage, and isn't made by locking it")
    func absent() {
        let fault = fault { _ = try HomeLock(home) }
        #expect(fault?.description.contains("no such home folder") == true)
        #expect(fault?.exitCode == .configuration)
        #expect(!FileManager.default.fileExists(atPath: home.path))
    }

    @Test("Keys and folders are for their owner alone")
    func modes() throws {
        try make()
        let attributes = try FileManager.default.attributesOfItem(atPath: home.identityKey)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        let folder = try FileManager.default.attributesOfItem(atPath: home.keys)
        #expect((folder[.posixPermissions] as? NSNumber)?.intValue == 0o700)
    }

    @Test(
        "A key that others can read is refused with the command that mends it",
        arguments: [
            0o640, 0o604, 0o660, 0o601, 0o644,
        ])
    func openKey(mode: Int) throws {
        try make()
        for file in [home.identityKey, home.validatorKey] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
            let fault = fault { try home.check() }
            #expect(fault?.description.contains("chmod 600 \(file)") == true)
            #expect(fault?.exitCode == .configuration)
            #expect(throws: HomeFault.self) { try home.readSecret(file) }
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        }
        try home.check()
    }

    @Test("What is missing is named")
    func missing() throws {
        #expect(fault { try home.check() }?.description.contains("config.yaml") == true)
        try make()
        try FileManager.default.removeItem(atPath: home.genesis)
        #expect(fault { try home.check() }?.description.contains("genesis.json") == true)
    }

    @Test("A file isn't overwritten unasked")
    func overwrite() throws {
        try make()
        #expect(throws: HomeFault.self) { try Home.write([3], to: home.identityKey) }
        #expect(try home.readSecret(home.identityKey) == [1])
        try Home.write([3], to: home.identityKey, replacing: true)
        #expect(try home.readSecret(home.identityKey) == [3])
    }

    @Test("A second start is refused with the first one's process id")
    func lock() throws {
        try make()
        var lock: HomeLock? = try HomeLock(home)
        let fault = fault { _ = try HomeLock(home) }
        #expect(
            fault?.description.contains("process \(ProcessInfo.processInfo.processIdentifier) ")
                == true)
        #expect(fault?.exitCode == .locked)
        #expect(lock != nil)
        lock = nil
        #expect(!FileManager.default.fileExists(atPath: home.lock))
        lock = try HomeLock(home)
    }

    @Test("A lock file that a killed node left behind doesn't stop the next one")
    func staleLock() throws {
        try make()
        try folder.write(Array("99999\n".utf8), to: home.lock)
        let lock = try HomeLock(home)
        #expect(throws: HomeFault.self) { try HomeLock(home) }
        withExtendedLifetime(lock) {}
    }

    @Test("A key reads back for its role only, and a damaged file is refused")
    func keys() throws {
        try home.create()
        let key = SecretKey.test(5)
        let stored = StoredKey(role: .identity, material: .secretKey(key))
        try home.saveKey(stored, to: home.identityKey)
        #expect(try home.loadKey(home.identityKey, role: .identity).publicKey == key.publicKey)
        #expect {
            _ = try home.loadKey(home.identityKey, role: .voting)
        } throws: { "\($0)".contains(home.identityKey) }
        #expect(throws: HomeFault.self) { try home.saveKey(stored, to: home.identityKey) }
        var bytes = try folder.bytes(of: home.identityKey)
        bytes[30] ^= 1
        try Home.write(bytes, to: home.identityKey, replacing: true)
        #expect(throws: HomeFault.self) { try home.loadKey(home.identityKey, role: .identity) }
    }

    @Test("Exit codes keep their numbers")
    func exitCodes() {
        #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 2, 70, 74, 75, 77, 78])
    }
}
