import Primitives
import TestSupport
import Testing

@Suite struct QRCodeTests {
    private static func rows(_ code: QRCode) -> [String] {
        (0..<code.size).map { y in
            String((0..<code.size).map { code.isDark($0, y) ? "#" : "." })
        }
    }

    /// Text that fills a code of a version: `count` characters of its mode.
    private static func text(_ count: Int, isAlphanumeric: Bool) -> String {
        let characters = Array(
            isAlphanumeric
                ? "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" : "qpzry9x8gf2tvdw0s3jn54khce6mua7l")
        return String((0..<count).map { characters[($0 * 7 + $0 / 32) % 32] })
    }

    @Test func `the matrix of a short text is the kept one, which other programs read`() throws {
        let code = try #require(QRCode("OFFPEAK", level: .medium))
        #expect(code.version == 1 && code.size == 21)
        #expect(QRCodeTests.rows(code) == QRCodeTests.kept)
    }

    /// The largest texts of some versions in both levels and modes, by the capacities of ISO/IEC
    /// 18004's table 7. All of these codes, and those of the versions between, were read by
    /// zxing-cpp 3.1.1.
    @Test func `codes of small and large versions are the kept ones, and none holds more`() throws {
        var all: [UInt8] = []
        var masks: Set<Int> = []
        for (level, version, alphanumeric, bytes) in QRCapacities.rows {
            for (count, isAlphanumeric) in [(alphanumeric, true), (bytes, false)] {
                let text = QRCodeTests.text(count, isAlphanumeric: isAlphanumeric)
                let code = try #require(QRCode(text, level: level))
                #expect(code.version == version, "\(level) \(count)")
                all += QRCodeTests.rows(code).joined().utf8
                masks.insert(code.mask)
                guard version < 10 || version == 40 else { continue }
                let more = QRCode(text + text.suffix(1), level: level)
                #expect(more?.version == (version < 40 ? version + 1 : nil))
            }
        }
        #expect(Digest.hash(.random, all).description == QRCodeTests.keptDigest)
        #expect(masks.count > 4)
    }

    @Test func `nothing is dark outside`() throws {
        let code = try #require(QRCode("", level: .low))
        for (x, y) in [(-1, 0), (0, -1), (21, 0), (0, 21)] { #expect(!code.isDark(x, y)) }
        #expect(code.isDark(0, 0))
    }

    private static let keptDigest =
        "9add8e8dbcf781cadd2ba3ebc66bde71737fc79d164f712f0b85e80ed987a501"
    private static let kept = [
        "#######..#..#.#######",
        "#.....#..#.##.#.....#",
        "#.###.#.#.#...#.###.#",
        "#.###.#.##....#.###.#",
        "#.###.#.#.#.#.#.###.#",
        "#.....#.#.##..#.....#",
        "#######.#.#.#.#######",
        "........#............",
        "#.#####..#.#..#####..",
        "##.#.#..#######..####",
        ".##...##.##.#.##.###.",
        "#..###..#.#####..##..",
        "#.#.####.#..#..#.#.#.",
        "........#...#..#.....",
        "#######..###.#..#.###",
        "#.....#.#.#....##..##",
        "#.###.#.#.##.#..#....",
        "#.###.#.##.#####..#..",
        "#.###.#.###.#.##..#..",
        "#.....#..#.#####..#.#",
        "#######.#...#....##..",
    ]
}

@Suite struct CheckedTextTests {
    @Test func `bytes come back from their text, in small and in capital letters`() throws {
        for count in [0, 1, 2, 3, 4, 5, 300] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) }
            let text = CheckedText.encode(prefix: "opkvou", bytes)
            for form in [text, text.uppercased()] {
                let found = try CheckedText.decode(form, bytesMax: 300)
                #expect(found.prefix == "opkvou" && found.bytes == bytes)
            }
        }
    }

    @Test func `every change of a character is found`() {
        let text = Array(CheckedText.encode(prefix: "opkvou", Array(0..<60)).utf8)
        for place in text.indices {
            for other in Array("qpzryz1b A9".utf8) where other != text[place] {
                var changed = text
                changed[place] = other
                #expect(throws: CheckedText.Fault.self, "\(place) \(other)") {
                    try CheckedText.decode(
                        String(decoding: changed, as: UTF8.self), bytesMax: 100)
                }
            }
            var shorter = text
            shorter.remove(at: place)
            #expect(throws: CheckedText.Fault.self) {
                try CheckedText.decode(String(decoding: shorter, as: UTF8.self), bytesMax: 100)
            }
        }
        #expect(throws: CheckedText.Fault.tooLong(maximum: 54)) {
            try CheckedText.decode(String(decoding: text, as: UTF8.self), bytesMax: 5)
        }
    }
}

/// Level, version, and characters in alphanumeric and in byte mode (ISO/IEC 18004, table 7).
private enum QRCapacities {
    static let rows: [(QRCode.Level, Int, Int, Int)] = [
        (.low, 1, 25, 17), (.low, 2, 47, 32), (.low, 6, 195, 134), (.low, 7, 224, 154),
        (.low, 10, 395, 271), (.low, 14, 667, 458), (.low, 21, 1352, 929), (.low, 27, 2132, 1465),
        (.low, 40, 4296, 2953), (.medium, 1, 20, 14), (.medium, 2, 38, 26), (.medium, 6, 154, 106),
        (.medium, 7, 178, 122), (.medium, 10, 311, 213), (.medium, 14, 528, 362),
        (.medium, 21, 1035, 711), (.medium, 27, 1637, 1125), (.medium, 32, 2238, 1538),
    ]
}
