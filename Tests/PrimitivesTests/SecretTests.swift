import TestSupport
import Testing

@testable import Primitives

/// What can be printed of a secret never holds it.
@Suite struct SecretTests {
    private let bytes = Array("this is 32 bytes nobody may see!".utf8)

    @Test func `Secrets are in no description, mirror or dump`() throws {
        let secure = SecureBytes(copying: bytes)
        let key = SecretKey(seed: secure)
        let mnemonic = try Mnemonic(entropy: secure)
        let stored = StoredKey(role: .wallet, material: .mnemonic(mnemonic, account: 0))
        let derived = KeyDerivation(seed: secure)
        let stories = [
            story(of: secure), story(of: key), story(of: mnemonic), story(of: stored),
            story(of: stored.material), story(of: KeyMaterial.secretKey(key)), story(of: derived),
            story(of: [key]), story(of: ["key": mnemonic]), story(of: Optional(secure)),
        ]
        for story in stories {
            for form in forms(of: bytes) + forms(of: [UInt8](Digest(value).bytes)) {
                #expect(!story.contains(form), "\(story)")
            }
            for word in mnemonic.text.split(separator: " ") where word.count > 5 {
                #expect(!story.contains(word), "\(story)")
            }
        }
        #expect(story(of: key).contains(key.publicKey.description))
    }

    @Test func `Faults of key files quote nothing of them`() {
        let line = "offpeak-key-1 wallet seed " + Hex.encode(bytes) + " 0000000000000000"
        do throws(KeyFile.Fault) {
            _ = try KeyFile.decode(SecureBytes(copying: Array(line.utf8)))
            Issue.record("decoded")
        } catch {
            #expect(!story(of: error).contains(Hex.encode(bytes)))
        }
    }

    @Test func `Wiped bytes are zero`() {
        var copy = bytes
        SecureBytes.wipe(&copy)
        #expect(copy == [UInt8](repeating: 0, count: 32))
        var nothing: [UInt8] = []
        SecureBytes.wipe(&nothing)
        #expect(nothing.isEmpty)
    }

    @Test func `Slices hold their part of the bytes`() {
        let secure = SecureBytes(copying: bytes)
        #expect(secure.slice(5..<9).hex == Hex.encode(bytes[5..<9]))
        #expect(secure.slice(3..<3).count == 0)
        #expect(SecureBytes.random(count: 32).hex != SecureBytes.random(count: 32).hex)
    }

    private var value: Bytes32 { Bytes32(bytes) ?? .zero }

    /// Everything that the standard library prints of a value.
    private func story<Value>(of value: Value) -> String {
        var text = "\(value) \(String(describing: value)) \(String(reflecting: value))"
        dump(value, to: &text)
        text += Mirror(reflecting: value).children.map { "\($0)" }.joined()
        return text
    }

    private func forms(of bytes: [UInt8]) -> [String] {
        let part = Array(bytes[8..<16])
        return [
            Hex.encode(part), String(decoding: part, as: UTF8.self),
            part.map(String.init).joined(separator: ", "),
        ]
    }
}
