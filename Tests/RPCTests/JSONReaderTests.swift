import TestSupport
import Testing

@testable import RPC

@Suite("JSON reader")
struct JSONReaderTests {
    private func parse(_ text: String) throws -> JSONValue {
        try JSONReader.parse(Array(text.utf8))
    }

    @Test(
        "reads what RFC 8259 allows and writes it back",
        arguments: [
            ("null", "null"), (" [ ] ", "[]"), ("{}", "{}"), ("-0", "-0"), ("1.50e+3", "1.50e+3"),
            ("18446744073709551616", "18446744073709551616"),
            (
                #"{"a":[true,false,null,"x"],"b":{"c":-1.5E-2}}"#,
                #"{"a":[true,false,null,"x"],"b":{"c":-1.5E-2}}"#
            ),
            (#""\"\\\/\b\f\n\r\t""#, #""\"\\/\u0008\u000c\u000a\u000d\u0009""#),
            (#""\u00e9\ud83d\ude00é""#, "\"é😀é\""), ("\t\r\n 1 \n", "1"),
        ])
    func roundTrip(text: String, written: String) throws {
        #expect(String(decoding: try parse(text).encoded, as: UTF8.self) == written)
    }

    @Test(
        "refuses what isn't JSON, and says where",
        arguments: [
            ("", 0), ("  ", 2), ("{", 1), ("[", 1), ("[1,]", 3), ("[1 2]", 3), ("{\"a\"}", 4),
            ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{a:1}", 1), ("{1:1}", 1), ("01", 1), ("+1", 0),
            ("1.", 2), (".5", 0), ("1e", 2), ("-", 1), ("NaN", 0), ("nul", 0), ("trux", 0),
            ("'a'", 0), ("\"a", 2), ("\"\\x\"", 2), ("\"\\u12\"", 5), ("\"\\u12G4\"", 5),
            ("\"\\ud800\"", 3), ("\"\\ud800\\u0041\"", 3), ("\"\\udc00\"", 3), ("\"\u{1}\"", 1),
            ("1 1", 2), ("[]]", 2), ("{\"a\":1,\"a\":2}", 7), ("// x\n1", 0),
        ])
    func refused(text: String, offset: Int) throws {
        let fault = #expect(throws: JSONFault.self) { try parse(text) }
        #expect(fault?.offset == offset, "\(text): \(fault.map { "\($0)" } ?? "none")")
    }

    @Test("refuses strings that aren't UTF-8")
    func invalidUTF8() {
        for bytes: [UInt8] in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80]] {
            let fault = #expect(throws: JSONFault.self) {
                try JSONReader.parse([0x22] + bytes + [0x22])
            }
            #expect(fault?.reason == .invalidText)
        }
    }

    @Test("allows 32 levels and refuses the 33rd bracket, whatever follows")
    func nesting() throws {
        let deepest = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        #expect(throws: Never.self) { try parse(deepest) }
        let deeper = #expect(throws: JSONFault.self) {
            try parse(String(repeating: "[", count: 100_000))
        }
        #expect(deeper == JSONFault(.nestingTooDeep(maximum: 32), at: 32))
        let objects = String(repeating: "{\"a\":", count: 33)
        let mixed = #expect(throws: JSONFault.self) { try parse(objects) }
        #expect(mixed?.reason == .nestingTooDeep(maximum: 32))
        #expect(throws: Never.self, "depth counts what is open, not what was") {
            try parse("[" + String(repeating: "[],", count: 100) + "[]]")
        }
    }

    @Test("bounds members and elements")
    func sizes() throws {
        let members = (0..<65).map { "\"\($0)\":0" }
        #expect(throws: Never.self) {
            try parse("{" + members.prefix(64).joined(separator: ",") + "}")
        }
        let object = #expect(throws: JSONFault.self) {
            try parse("{" + members.joined(separator: ",") + "}")
        }
        #expect(object?.reason == .tooManyMembers(maximum: 64))
        let elements = [String](repeating: "0", count: 1025)
        #expect(throws: Never.self) {
            try parse("[" + elements.prefix(1024).joined(separator: ",") + "]")
        }
        let array = #expect(throws: JSONFault.self) {
            try parse("[" + elements.joined(separator: ",") + "]")
        }
        #expect(array?.reason == .tooManyElements(maximum: 1024))
    }

    @Test("refuses every truncation of a text")
    func truncation() throws {
        let text = Array(#"{"a":[true,null,-1.5e2,"\u00e9\ud83d\ude00"],"b":{"c":"x"}}"#.utf8)
        #expect(throws: Never.self) { try JSONReader.parse(text) }
        for count in 0..<text.count {
            #expect(throws: JSONFault.self, "\(count) bytes") {
                try JSONReader.parse(Array(text.prefix(count)))
            }
        }
    }

    @Test("never traps, and what it accepts it reads again from its own text")
    func randomBytes() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let letters = Array("{}[]\",:\\u0d8e+-.truefalsnl \n\u{7f}é".utf8) + [0xFF, 0x00]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...24, using: &generator)
            let bytes = (0..<count).map { _ in
                letters[Int.random(in: 0..<letters.count, using: &generator)]
            }
            guard let value = try? JSONReader.parse(bytes) else { continue }
            #expect(try JSONReader.parse(value.encoded) == value, "seed \(seed): \(bytes)")
        }
    }
}
