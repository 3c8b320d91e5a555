import Foundation
import TestSupport
import Testing

@testable import Primitives

/// Published vectors too large to carry: in `vectors` of a folder `shared` beside the repository,
/// or where `OFFPEAK_VECTORS` says.
enum PublishedVectors {
    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["OFFPEAK_VECTORS"] {
            return URL(filePath: path)
        }
        return URL(filePath: #filePath).appending(path: "../../../../shared/vectors").standardized
    }()

    static func isThere(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: path).path)
    }

    static func read<Value: Decodable>(_ path: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(contentsOf: folder.appending(path: path)))
    }
}

func secret(_ text: String) -> SecureBytes { SecureBytes(copying: Array(text.utf8)) }

func secret(hex text: String) throws -> SecureBytes {
    SecureBytes(copying: try #require(Hex.decode(text)))
}

extension SecureBytes {
    var hex: String { withUnsafeBytes { Hex.encode($0) } }
    var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}

extension Mnemonic {
    var text: String { withWords { String(decoding: $0, as: UTF8.self) } }
}

private let about = String(repeating: "abandon ", count: 11) + "about"

@Suite struct MnemonicTests {
    /// Entropy, words, and the seed under the passphrase TREZOR (trezor/python-mnemonic).
    @Test(arguments: [
        (
            "00000000000000000000000000000000", about,
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
                + "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
        ),
        (
            "6d9be1ee6ebd27a258115aad99b7317b9c8d28b6d76431c3",
            "horn tenant knee talent sponsor spell gate clip pulse soap slush warm silver nephew "
                + "swap uncle crack brave",
            "fd579828af3da1d32544ce4db5c73d53fc8acc4ddb1e3b251a31179cdb71e853"
                + "c56d2fcb11aed39898ce6c34b10b5382772db8796e52837b54468aeb312cfc3d"
        ),
        (
            "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
            "void come effort suffer camp survey warrior heavy shoot primary clutch crush open "
                + "amazing screen patrol group space point ten exist slush involve unfold",
            "01f5bced59dec48e362f2c45b5de68b9fd6c92c6634f44d6d40aab69056506f0"
                + "e35524a518034ddc1192e1dacd32c1ed3eaa3c3b131c88ed8e7e54c49a5d0998"
        ),
    ])
    func `Entropy, words and seed belong together`(
        entropy: String, words: String, seed: String
    ) throws {
        try check(entropy, words, seed)
    }

    @Test(
        .enabled(if: PublishedVectors.isThere("bip39/vectors.json"), "bip39/vectors.json is absent")
    )
    func `All published vectors hold`() throws {
        let vectors: [String: [[String]]] = try PublishedVectors.read("bip39/vectors.json")
        let english = try #require(vectors["english"])
        #expect(english.count == 24)
        for vector in english { try check(vector[0], vector[1], vector[2]) }
    }

    private func check(_ entropy: String, _ words: String, _ seed: String) throws {
        let mnemonic = try Mnemonic(entropy: try secret(hex: entropy))
        #expect(mnemonic.text == words)
        let typed = "  " + words.uppercased().replacing(" ", with: "\n\t ") + "\n"
        let read = try Mnemonic(words: secret(typed))
        #expect(read.entropy.hex == entropy)
        #expect(try read.seed(passphrase: secret("TREZOR")).hex == seed)
    }

    @Test func `The word list is BIP-39's`() {
        let words = WordList.words
        #expect(words.count == 2048)
        #expect(Set(words.map { $0.prefix(4) }).count == 2048)
        #expect(words.map { String(decoding: $0, as: UTF8.self) }.isSorted)
        for (index, word) in words.enumerated() {
            let found = SecureBytes(copying: word).withUnsafeBytes { WordList.index(of: $0[...]) }
            #expect(found == index)
        }
    }

    @Test(arguments: [
        ("abandn", "abandon"), ("abotu", "about"), ("zooo", "zoo"), ("zreo", "zero"),
        ("abandonment", "abandon"),
        ("Lettre", "letter"), ("qqqqqq", nil), ("x", nil),
    ])
    func `A misspelt word brings a suggestion`(typed: String, suggestion: String?) {
        let words = about.replacing("about", with: typed)
        let fault = Mnemonic.Fault.unknownWord(position: 12, suggestion: suggestion)
        #expect(throws: fault) { try Mnemonic(words: secret(words)) }
    }

    @Test func `A wrong count, order or checksum is refused`() throws {
        #expect(throws: Mnemonic.Fault.wordCount(0)) { try Mnemonic(words: secret(" \n")) }
        #expect(throws: Mnemonic.Fault.wordCount(11)) {
            try Mnemonic(words: secret(String(about.dropLast(6))))
        }
        #expect(throws: Mnemonic.Fault.wordCount(27)) {
            try Mnemonic(words: secret(Array(repeating: "zoo", count: 27).joined(separator: " ")))
        }
        let swapped = "about " + String(repeating: "abandon ", count: 11)
        #expect(throws: Mnemonic.Fault.checksum) { try Mnemonic(words: secret(swapped)) }
        #expect(throws: Mnemonic.Fault.entropyCount(17)) {
            try Mnemonic(entropy: SecureBytes(copying: [UInt8](repeating: 0, count: 17)))
        }
    }

    @Test func `One last word in sixteen has the right checksum`() throws {
        let start = String(repeating: "abandon ", count: 11)
        let accepted = WordList.words.prefix(256).filter { word in
            let text = start + String(decoding: word, as: UTF8.self)
            return (try? Mnemonic(words: secret(text))) != nil
        }
        #expect(accepted.count == 16)
    }

    @Test(arguments: [16, 20, 24, 28, 32])
    func `Random entropy of every size comes back from its words`(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        for _ in 0..<20 {
            let entropy = generator.bytes(count)
            let mnemonic = try Mnemonic(entropy: SecureBytes(copying: entropy))
            #expect(mnemonic.wordCount == count * 3 / 4)
            let read = try Mnemonic(words: secret(mnemonic.text))
            #expect(read.entropy.hex == Hex.encode(entropy), "seed \(count)")
        }
    }

    @Test func `A passphrase beyond ASCII is refused`() throws {
        let mnemonic = try Mnemonic(words: secret(about))
        #expect(throws: Mnemonic.Fault.passphraseNotASCII(position: 2)) {
            try mnemonic.seed(passphrase: secret("Zürich"))
        }
    }
}

extension Array where Element: Comparable {
    fileprivate var isSorted: Bool { zip(self, dropFirst()).allSatisfy { $0 < $1 } }
}

@Suite struct KeyDerivationTests {
    private struct VectorFile: Decodable {
        struct Vector: Decodable {
            let title: String
            let seed: String
            let chains: [Chain]
        }
        struct Chain: Decodable {
            let path: String
            let chain_code: String
            let `private`: String
            let `public`: String
        }
        let vectors: [Vector]
    }

    @Test(
        .enabled(
            if: PublishedVectors.isThere("slip10/slip-0010-vectors.json"),
            "slip10/slip-0010-vectors.json is absent"))
    func `The published vectors of SLIP-0010 hold`() throws {
        let file: VectorFile = try PublishedVectors.read("slip10/slip-0010-vectors.json")
        let vectors = file.vectors.filter { $0.title.hasSuffix("for ed25519") }
        #expect(vectors.count == 2)
        for vector in vectors {
            let root = KeyDerivation(seed: try secret(hex: vector.seed))
            for chain in vector.chains {
                let node = root.descendant(at: try DerivationPath(chain.path))
                #expect(node.node.hex == chain.private + chain.chain_code, "\(chain.path)")
                #expect("00" + node.secretKey.publicKey.description == chain.public)
            }
        }
    }

    /// Values of Python's `hashlib.pbkdf2_hmac`, `hmac` and PyNaCl.
    @Test(arguments: [
        ("", 0, "83355d25d26f3e69db9f4c1927494a22b9c2248b570e8db5f4c47613c0ca48a6"),
        ("", 1, "fe08fde5b372b4f34b9a4a2f0c877949880706a3df326fd864fdfe083ae0bdb0"),
        ("TREZOR", 0, "9241c07fd6a09e1873d110ca641aad33d01a3f8c123aa0815a4fa426f8b52ace"),
        ("TREZOR", 1, "429163d9c8e7e8fa421b024291c5acf1a4bb77e073d29f83f7084fdc5a0f8f02"),
    ])
    func `Accounts have the keys that another implementation derives`(
        passphrase: String, account: UInt16, publicKey: String
    ) throws {
        let mnemonic = try Mnemonic(words: secret(about))
        let key = try mnemonic.secretKey(account: account, passphrase: secret(passphrase))
        #expect(key.publicKey.description == publicKey)
        if passphrase.isEmpty {
            #expect(mnemonic.secretKey(account: account).publicKey == key.publicKey)
        }
    }

    @Test func `Paths are written as they are read`() throws {
        #expect(DerivationPath(account: 7).description == "m/44'/9009'/7'")
        for text in ["m", "m/0'", "m/44'/9009'/2147483647'"] {
            #expect(try DerivationPath(text).description == text)
        }
    }

    @Test(
        arguments: [
            ("", .noRoot), ("44'", .noRoot), ("m/", .notHardened(step: 1)),
            ("m/0'/1", .notHardened(step: 2)), ("m/'", .notANumber(step: 1)),
            ("m/2147483648'", .notANumber(step: 1)), ("m/-1'", .notANumber(step: 1)),
            ("m/0x1'", .notANumber(step: 1)),
            ("m" + String(repeating: "/0'", count: 17), .tooDeep(17)),
        ] as [(String, DerivationPath.Fault)])
    func `Other paths are refused for their reason`(text: String, fault: DerivationPath.Fault) {
        #expect(throws: fault) { try DerivationPath(text) }
    }
}
