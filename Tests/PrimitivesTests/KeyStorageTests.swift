import TestSupport
import Testing

@testable import Primitives

private func words() throws -> StoredKey {
    let entropy = SecureBytes(copying: [UInt8](repeating: 0, count: 16))
    return StoredKey(
        role: .wallet, material: .mnemonic(try Mnemonic(entropy: entropy), account: 1))
}

private func seed(_ role: StoredKey.Role) -> StoredKey {
    StoredKey(role: role, material: .secretKey(testKey(1)))
}

@Suite struct KeyFileTests {
    /// Lines made with Python's `hashlib`.
    private let votingLine =
        "offpeak-key-1 voting seed " + String(repeating: "01", count: 32) + " daec09be8ead8760"
    private let walletLine =
        "offpeak-key-1 wallet mnemonic " + String(repeating: "00", count: 16)
        + "/1 0a7b275dce3003c6"

    @Test func `Key files have the frozen text`() throws {
        #expect(KeyFile.encode(seed(.voting)).text == votingLine + "\n")
        #expect(KeyFile.encode(try words()).text == walletLine + "\n")
    }

    @Test func `A key comes back, with and without its line end`() throws {
        for end in ["", "\n"] {
            let voting = try KeyFile.decode(secret(votingLine + end), as: .voting)
            #expect(voting.secretKey.publicKey == testKey(1).publicKey)
            let wallet = try KeyFile.decode(secret(walletLine + end))
            #expect(wallet.role == .wallet)
            #expect(wallet.secretKey.publicKey == (try words()).secretKey.publicKey)
            guard case .mnemonic(let mnemonic, account: 1) = wallet.material else {
                Issue.record("not a mnemonic of account 1")
                continue
            }
            #expect(mnemonic.wordCount == 12)
        }
    }

    @Test func `A key for another use is refused`() {
        #expect(throws: KeyFile.Fault.wrongRole(.voting, wanted: .identity)) {
            try KeyFile.decode(secret(votingLine), as: .identity)
        }
    }

    @Test func `Every byte altered, left out or added is refused`() {
        for line in [votingLine, walletLine] {
            let bytes = Array(line.utf8)
            for place in bytes.indices {
                for bit in 0..<8 {
                    var altered = bytes
                    altered[place] ^= 1 << UInt8(bit)
                    #expect(throws: KeyFile.Fault.self) {
                        try KeyFile.decode(SecureBytes(copying: altered))
                    }
                }
                #expect(throws: KeyFile.Fault.self) {
                    try KeyFile.decode(SecureBytes(copying: bytes[..<place]))
                }
            }
            for more in [" ", "\n\n", "0", "\r\n"] {
                #expect(throws: KeyFile.Fault.self) { try KeyFile.decode(secret(line + more)) }
            }
        }
    }

    @Test(
        arguments: [
            ("", .notAKeyFile), ("-----BEGIN PRIVATE KEY-----", .notAKeyFile),
            ("offpeak-key-2 wallet seed 00 00", .unsupportedVersion),
            ("offpeak-key-1 wallet seed 00", .fields(4)),
            ("offpeak-key-1 wallet seed 00 0000000000000000", .checksum),
        ] as [(String, KeyFile.Fault)])
    func `Other text is refused for its reason`(text: String, fault: KeyFile.Fault) {
        #expect(throws: fault) { try KeyFile.decode(secret(text)) }
    }

    /// A right checksum doesn't make a wrong body right.
    @Test(
        arguments: [
            ("offpeak-key-1 owner seed 00", .unknownRole),
            ("offpeak-key-1 wallet words 00", .unknownForm),
            ("offpeak-key-1 wallet seed 00", .secret),
            ("offpeak-key-1 wallet seed " + String(repeating: "0G", count: 32), .secret),
            ("offpeak-key-1 wallet seed " + String(repeating: "0A", count: 32), .secret),
            ("offpeak-key-1 wallet mnemonic " + String(repeating: "00", count: 16), .secret),
            ("offpeak-key-1 wallet mnemonic " + String(repeating: "00", count: 17) + "/0", .secret),
            (
                "offpeak-key-1 wallet mnemonic " + String(repeating: "00", count: 16) + "/01",
                .secret
            ),
            (
                "offpeak-key-1 wallet mnemonic " + String(repeating: "00", count: 16) + "/65536",
                .secret
            ),
        ] as [(String, KeyFile.Fault)])
    func `A wrong body with a right checksum is refused`(body: String, fault: KeyFile.Fault) {
        let digest = Digest.hash(.keyFile, Array(body.utf8))
        let line = body + " " + Hex.encode(digest.bytes.prefix(8))
        #expect(throws: fault) { try KeyFile.decode(secret(line)) }
    }

    @Test func `The longest key file is within its bound`() throws {
        let mnemonic = try Mnemonic(
            entropy: SecureBytes(copying: [UInt8](repeating: 0xFF, count: 32)))
        let key = StoredKey(role: .identity, material: .mnemonic(mnemonic, account: .max))
        #expect(KeyFile.encode(key).count <= KeyFile.bytesMax)
    }
}

@Suite(.serialized) struct KeystoreTests {
    private let password = secret("correct horse")

    private func seal(_ key: StoredKey) throws -> String {
        let cost = try #require(PasswordCost(operations: 1, memoryKiB: 64))
        return try Keystore.seal(
            key, password: password, salt: [UInt8](0..<16), nonce: [UInt8](0..<24), cost: cost)
    }

    /// Texts made with PyNaCl's Argon2id and XChaCha20-Poly1305.
    private let seedText =
        "offpeak-keystore-1 iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1wAAAAAAQAAAEAAAAAAAQIDBAUG"
        + "BwgJCgsMDQ4PAAECAwQFBgcICQoLDA0ODxAREhMUFRYXxHeHhTO5c_YZJ-wspzXyerDvQZnYR8BhsXewBZnc"
        + "GU9kLUnezewZv13zxU9BKMhIkj6Spe-FQJw"
    private let wordsText =
        "offpeak-keystore-1 _gj95bNytPNLmkovDId5SYgHBqPfMm_YZP3-CDrgvbAAAQEAAQAAAEAAAAAAAQIDBAUG"
        + "BwgJCgsMDQ4PAAECAwQFBgcICQoLDA0ODxAREhMUFRYXxXaGhDK4cvcYJu0tpjTze0z1rzhF0icighgKv6sU"
        + "hPlYxGfWZXt-Ow"

    @Test func `Keystores have the frozen text`() throws {
        #expect(try seal(seed(.wallet)) == seedText)
        #expect(try seal(try words()) == wordsText)
    }

    @Test func `A key comes back with its password`() throws {
        let opened = try Keystore.open(seedText + "\n", password: password)
        #expect(opened.role == .wallet)
        #expect(opened.secretKey.seed.hex == testKey(1).seed.hex)
        let words = try Keystore.open(wordsText, password: password)
        guard case .mnemonic(let mnemonic, account: 1) = words.material else {
            Issue.record("not a mnemonic of account 1")
            return
        }
        #expect(mnemonic.wordCount == 12)
        #expect(try Keystore.publicKey(of: wordsText) == words.secretKey.publicKey)
    }

    @Test func `A wrong or empty password opens nothing`() {
        #expect(throws: Keystore.Fault.wrongPassword) {
            try Keystore.open(seedText, password: secret("correct hors"))
        }
        #expect(throws: Keystore.Fault.emptyPassword) {
            try Keystore.open(seedText, password: secret(""))
        }
    }

    @Test func `Every character altered or left out is told from a wrong password`() {
        let text = Array(seedText.utf8)
        for place in text.indices {
            var altered = text
            altered[place] =
                altered[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            for wrong in [altered, Array(text[..<place])] {
                let fault = fault(String(decoding: wrong, as: UTF8.self))
                #expect(
                    [.notAKeystore, .unsupportedVersion, .damaged].contains(fault), "\(place)")
            }
        }
    }

    @Test func `Whoever fixes the checksum still can't change the header`() throws {
        let other = try Keystore.seal(
            seed(.voting), password: password, salt: [UInt8](0..<16), nonce: [UInt8](0..<24),
            cost: try #require(PasswordCost(operations: 1, memoryKiB: 64)))
        #expect(try Keystore.open(other, password: password).role == .voting)
        var bytes = try bytes(of: other)
        bytes[32] = 0
        #expect(fault(text(of: bytes)) == .wrongPassword)
        bytes = try self.bytes(of: other)
        bytes[0] ^= 1
        #expect(fault(text(of: bytes)) == .wrongPassword)
    }

    @Test func `A keystore that asks for too much work is refused before any is done`() throws {
        for (place, value) in [(36, UInt8(17)), (36, 0), (43, 1), (40, 7)] {
            var bytes = try bytes(of: seedText)
            bytes[place] = value
            guard case .header? = fault(text(of: bytes)) else {
                Issue.record("byte \(place) = \(value): \(String(describing: fault))")
                continue
            }
        }
    }

    @Test(
        arguments: [
            ("", .notAKeystore), ("offpeak-key-1 x", .notAKeystore),
            ("offpeak-keystore-2 AAAA", .unsupportedVersion), ("offpeak-keystore-1", .damaged),
            ("offpeak-keystore-1 A=", .damaged), ("offpeak-keystore-1 AAAA AAAA", .damaged),
            ("offpeak-keystore-1 " + String(repeating: "A", count: 100_000), .damaged),
        ] as [(String, Keystore.Fault)])
    func `Other text is refused for its reason`(text: String, fault: Keystore.Fault) {
        #expect(self.fault(text) == fault)
    }

    @Test func `Headers are refused unless canonical`() throws {
        let cost = try #require(PasswordCost(operations: 1, memoryKiB: 64))
        let header = KeystoreHeader(
            try words(), cost: cost, salt: [UInt8](0..<16), nonce: [UInt8](0..<24))
        #expect(checkDecoder(header) == [])
        let seedHeader = KeystoreHeader(
            seed(.voting), cost: cost, salt: [UInt8](0..<16), nonce: [UInt8](0..<24))
        #expect(checkDecoder(seedHeader) == [])
        #expect(PasswordCost(operations: 17, memoryKiB: 64) == nil)
        #expect(PasswordCost(operations: 1, memoryKiB: 7) == nil)
        #expect(PasswordCost(operations: 1, memoryKiB: 1_048_577) == nil)
    }

    private func fault(_ text: String) -> Keystore.Fault? {
        do throws(Keystore.Fault) {
            _ = try Keystore.open(text, password: password)
            return nil
        } catch {
            return error
        }
    }

    private func bytes(of text: String) throws -> [UInt8] {
        let encoded = text.dropFirst(Keystore.tag.count + 1)
        return try #require(Keystore.decode(base64: encoded.utf8)).dropLast(8)
    }

    private func text(of body: [UInt8]) -> String {
        let checksum = Digest.hash(.keyFile, body).bytes.prefix(8)
        return Keystore.tag + " " + Keystore.base64(body + checksum)
    }
}
