import TestSupport
import Testing

@testable import Primitives

@Suite struct Bech32mTests {
    /// Source: BIP-350, "Test vectors for Bech32m".
    @Test(arguments: [
        "A1LQFN3A", "a1lqfn3a",
        "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber1"
            + "1sg7hg6",
        "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
        "11" + String(repeating: "l", count: 82) + "ludsr8",
        "split1checkupstagehandshakeupstreamerranterredcaperredlc445v", "?1v759aa",
    ])
    func `Valid vectors come back`(text: String) throws {
        let (prefix, groups) = try Bech32m.decodeGroups(text)
        #expect(Bech32m.encode(prefix: prefix, groups: groups) == text.lowercased())
    }

    /// Source: BIP-350, with the reason for each.
    @Test(
        arguments: [
            ("\u{20}1xj0phk", .invalidCharacter(position: 1)),
            ("\u{7F}1g6xzxy", .invalidCharacter(position: 1)),
            ("\u{80}1vctc34", .invalidCharacter(position: 1)),
            (
                "an84characterslonghumanreadablepartthatcontainsthetheexcluded"
                    + "charactersbioandnumber"
                    + "11d6pts4", .tooLong(91)
            ),
            ("qyrz8wqd2c9m", .noSeparator), ("1qyrz8wqd2c9m", .emptyPrefix),
            ("y1b0jsk6g", .invalidCharacter(position: 3)),
            ("lt1igcx5c0", .invalidCharacter(position: 4)), ("in1muywd", .tooShort),
            ("mm1crxm3i", .invalidCharacter(position: 9)),
            ("au1s5cgom", .invalidCharacter(position: 8)), ("M1VUXWEZ", .checksum),
            ("16plkw9", .emptyPrefix), ("1p2gdwpf", .emptyPrefix),
            // BIP-173's checksum.
            ("a12uel5l", .checksum),
            ("tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq", .mixedCase),
        ] as [(String, Bech32m.Fault)])
    func `Invalid vectors are refused for their reason`(text: String, fault: Bech32m.Fault) {
        #expect(throws: fault) { try Bech32m.decodeGroups(text) }
    }

    @Test func `Padding of five bits, or of ones, is refused`() {
        let whole = [UInt8](repeating: 0, count: 8)
        for groups in [whole + [0], whole + [0, 1], [31], whole + [0, 0, 0]] {
            let text = Bech32m.encode(prefix: "p", groups: groups)
            #expect(throws: Bech32m.Fault.padding) { try Bech32m.decode(text) }
        }
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `Random bytes come back, also from capitals`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for count in 0...48 {
            let bytes = generator.bytes(count)
            let text = Bech32m.encode(prefix: "opk", bytes)
            #expect(try Bech32m.decode(text) == ("opk", bytes), "seed \(seed)")
            #expect(try Bech32m.decode(text.uppercased()) == ("opk", bytes), "seed \(seed)")
        }
    }

    @Test func `Any one character altered, left out or doubled is found`() {
        let text = Array(Bech32m.encode(prefix: "opkacc", [UInt8](0..<32)))
        for place in text.indices {
            for other in "qplx71b" where other != text[place] {
                var altered = text
                altered[place] = other
                #expect(throws: Bech32m.Fault.self) { try Bech32m.decode(String(altered)) }
            }
            var shorter = text
            shorter.remove(at: place)
            #expect(throws: Bech32m.Fault.self) { try Bech32m.decode(String(shorter)) }
            let longer = text[...place] + text[place...]
            #expect(throws: Bech32m.Fault.self) { try Bech32m.decode(String(longer)) }
        }
    }
}

@Suite struct HumanIDTests {
    private let data = "1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0s"
    private let value = Bytes32([UInt8](0..<32)) ?? .zero

    @Test func `Each kind has the text that another implementation makes`() throws {
        let network = try NetworkPrefix("opk")
        let checksums: [HumanID.Kind: String] = [
            .address: "vv5fs6", .publicKey: "5au73z", .transaction: "5697ce", .block: "wwqpw3",
            .escrow: "cq92j5", .peer: "q2r469", .batch: "7f8gkh", .asset: "09fhv2",
            .proposal: "ce8tqr",
        ]
        for kind in HumanID.Kind.allCases {
            let text = "opk" + kind.rawValue + data + (checksums[kind] ?? "")
            #expect(HumanID.text(value, as: kind, in: network) == text)
            #expect(try HumanID.parse(text, as: kind, in: network) == value)
            #expect(try HumanID.parse(text, in: network) == (kind, value))
        }
    }

    @Test func `Another kind is refused by both names`() throws {
        let network = try NetworkPrefix("opk")
        let text = testKey(1).publicKey.text(in: network)
        let message = "this is a public key (opkpub1...), an address (opkacc1...) is wanted"
        let fault = HumanID.Fault.wrongKind(
            .publicKey, found: "opkpub1", wanted: .address, wantedStart: "opkacc1")
        #expect(fault.description == message)
        #expect(throws: fault) { try Address(text: text, in: network) }
        #expect(try PublicKey(text: text, in: network) == testKey(1).publicKey)
    }

    @Test func `Text of another network, kind, length or form is refused`() throws {
        let network = try NetworkPrefix("opk")
        func fault(_ text: String) -> HumanID.Fault? {
            do throws(HumanID.Fault) {
                _ = try Address(text: text, in: network)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault("opkacc" + data + "vv5fs6") == nil)
        #expect(
            fault("tstacc" + data + "43x7av") == .wrongNetwork(found: "tst", wanted: "opk"))
        #expect(
            fault("opkxyz" + data + "zvaag6")
                == .unknownKind(prefix: "opkxyz", wanted: "opkacc1"))
        #expect(
            fault("opkacc1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc3zeh58")
                == .wrongLength(31))
        #expect(fault(value.description) == .hexadecimal(wanted: "opkacc1"))
        #expect(fault("") == .malformed(.noSeparator, wanted: "opkacc1"))
        #expect(
            fault("opkacc" + data + "vv5fs7") == .malformed(.checksum, wanted: "opkacc1"))
        #expect(fault(String(repeating: "\u{1F600}", count: 40))?.description.isEmpty == false)
    }

    @Test(arguments: ["", "OPK", "opk1", "abcdefghi", "öpk", "o k"])
    func `A prefix is 1 to 8 small letters`(text: String) {
        #expect(throws: NetworkPrefix.Fault(text: text)) { try NetworkPrefix(text) }
    }

    @Test func `The longest prefix still fits`() throws {
        let network = try NetworkPrefix("abcdefgh")
        let text = HumanID.text(value, as: .address, in: network)
        #expect(text.count == 70)
        #expect(try HumanID.parse(text, as: .address, in: network) == value)
    }
}

@Suite struct AmountTests {
    @Test(
        arguments: [("0", 0), ("7", 7), ("1500", 1500), ("18446744073709551615", .max)]
            as [(String, UInt64)])
    func `Digits are an amount`(text: String, value: UInt64) throws {
        #expect(try AmountText.parse(text) == Amount(value))
        #expect(Amount(value).description == text)
    }

    @Test(
        arguments: [
            ("", .empty), ("-1", .negative("-1")), ("-0.5", .negative("-0.5")),
            ("1.5", .fractional("1.5")), ("1,5", .fractional("1,5")), (".5", .fractional(".5")),
            ("12_000", .notDigits("12_000")), ("+1", .notDigits("+1")), ("1e3", .notDigits("1e3")),
            (" 1", .notDigits(" 1")), ("0x10", .notDigits("0x10")), ("-", .notDigits("-")),
            ("\u{0661}", .notDigits("\u{0661}")), ("007", .leadingZero("007")),
            ("18446744073709551616", .tooLarge("18446744073709551616")),
        ] as [(String, AmountText.Fault)])
    func `Anything else is refused for its reason`(text: String, fault: AmountText.Fault) {
        #expect(throws: fault) { try AmountText.parse(text) }
    }

    @Test func `A fault quotes only the start of a long text`() {
        let quoted = String(repeating: "9", count: 40) + "..."
        #expect(throws: AmountText.Fault.tooLarge(quoted)) {
            try AmountText.parse(String(repeating: "9", count: 100_000))
        }
    }

    @Test func `Arithmetic is checked at both ends`() throws {
        let most = Amount(.max)
        #expect(try most.subtracting(most) == 0)
        #expect(try most.adding(0) == most)
        #expect(try Amount(1 << 32).multiplied(by: 1 << 31) == Amount(1 << 63))
        #expect(throws: ArithmeticOverflow()) { try most.adding(1) }
        #expect(throws: ArithmeticOverflow()) { try Amount(0).subtracting(1) }
        #expect(throws: ArithmeticOverflow()) { try Amount(1 << 32).multiplied(by: 1 << 32) }
        #expect(Height(.max).next == nil && Height(.max).clampedAdvance(by: 5) == Height(.max))
        #expect(Height(3).clampedRetreat(by: 5) == 0)
    }

    @Test func `Hexadecimal text is pairs of digits`() {
        #expect(Hex.decode("00fFa9") == [0, 0xFF, 0xA9])
        for wrong in ["0", "0g", "0x00", " 00", "é0"] { #expect(Hex.decode(wrong) == nil) }
    }
}
