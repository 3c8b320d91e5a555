/// A QR code: text as black and white modules that a camera reads.
///
/// Model 2, versions 1 to 40, levels L and M, byte mode or, where every character allows it,
/// alphanumeric mode. Source: ISO/IEC 18004:2015; clause numbers stand beside the parts.
package struct QRCode: Hashable, Sendable {
    /// How much of the code may be unreadable.
    package enum Level: Sendable {
        /// About 7 %.
        case low
        /// About 15 %.
        case medium
    }

    /// 1...40.
    package let version: Int
    /// 0...7.
    package let mask: Int
    /// Modules at each side, without the quiet zone: 21...177.
    package var size: Int { matrix.size }
    private let matrix: QRMatrix

    /// Modules of white that must be left around the code (5.3.8).
    package static let quietZone = 4

    /// The smallest code that holds `text`; nil for text that no version holds.
    package init?(_ text: String, level: Level) {
        let content = QRContent(text)
        guard
            let version = (QRVersion.all).first(where: {
                content.bitCount(in: $0) <= 8 * $0.dataCodewords(level)
            })
        else { return nil }
        let data = content.codewords(in: version, count: version.dataCodewords(level))
        let codewords = QRBlocks.interleaved(data, version, level)
        var plain = QRMatrix(version)
        plain.place(codewords)
        // Of equal ones the first.
        var best = plain.masked(0, level)
        var bestMask = 0
        for mask in 1..<8 {
            let candidate = plain.masked(mask, level)
            if candidate.penalty < best.penalty { (best, bestMask) = (candidate, mask) }
        }
        self.version = version.number
        mask = bestMask
        matrix = best
    }

    /// Whether the module at a column and row is black; white outside.
    package func isDark(_ x: Int, _ y: Int) -> Bool {
        guard 0..<size ~= x, 0..<size ~= y else { return false }
        return matrix[x, y]
    }
}

/// What is written, before the correction of errors (7.4).
struct QRContent {
    private static let alphanumeric = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".utf8)

    private let bytes: [UInt8]
    /// The values of the characters, if all are of the alphanumeric mode.
    private let values: [Int]?

    init(_ text: String) {
        bytes = Array(text.utf8)
        let values = bytes.compactMap { QRContent.alphanumeric.firstIndex(of: $0) }
        self.values = values.count == bytes.count ? values : nil
    }

    /// Bits of the length of the text (table 3).
    private func countBits(_ version: QRVersion) -> Int {
        switch version.number {
        case ...9: values == nil ? 8 : 9
        case ...26: values == nil ? 16 : 11
        default: values == nil ? 16 : 13
        }
    }

    /// Mode, length and text; more than any version holds for text that is too long for its length.
    func bitCount(in version: QRVersion) -> Int {
        guard bytes.count < 1 << countBits(version) else { return .max }
        let body = values.map { $0.count / 2 * 11 + $0.count % 2 * 6 } ?? 8 * bytes.count
        return 4 + countBits(version) + body
    }

    /// The text's codewords, filled up to `count`.
    /// - Precondition: `bitCount` is at most 8 times `count`.
    func codewords(in version: QRVersion, count: Int) -> [UInt8] {
        var bits = QRBits()
        bits.append(values == nil ? 0b0100 : 0b0010, count: 4)
        bits.append(bytes.count, count: countBits(version))
        if let values {
            for place in stride(from: 0, to: values.count - 1, by: 2) {
                bits.append(values[place] * 45 + values[place + 1], count: 11)
            }
            if values.count % 2 == 1 { bits.append(values[values.count - 1], count: 6) }
        } else {
            for byte in bytes { bits.append(Int(byte), count: 8) }
        }
        return bits.padded(to: count)
    }
}

/// Bits that become codewords.
private struct QRBits {
    private var bits: [Bool] = []

    mutating func append(_ value: Int, count: Int) {
        for place in stride(from: count - 1, through: 0, by: -1) {
            bits.append(value >> place & 1 == 1)
        }
    }

    /// Up to four zeros, zeros to the end of the byte, then two bytes in turn (7.4.9, 7.4.10).
    func padded(to count: Int) -> [UInt8] {
        var all = bits
        all += Array(repeating: false, count: min(4, 8 * count - all.count))
        all += Array(repeating: false, count: (8 - all.count % 8) % 8)
        var codewords = stride(from: 0, to: all.count, by: 8).map { start in
            all[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
        }
        let filling: [UInt8] = [0xEC, 0x11]
        for place in 0..<max(0, count - codewords.count) { codewords.append(filling[place % 2]) }
        return codewords
    }
}
