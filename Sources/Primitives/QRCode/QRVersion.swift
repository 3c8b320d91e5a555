/// A size of QR codes, with what the tables of ISO/IEC 18004 say of it.
struct QRVersion: Hashable, Sendable {
    /// 1...40.
    let number: Int

    static let all = (1...40).map { QRVersion(number: $0) }

    var size: Int { 17 + 4 * number }

    /// Codewords for the correction of errors in a block (table 9).
    func correctionCodewords(_ level: QRCode.Level) -> Int {
        (level == .low ? QRVersion.lowCorrection : QRVersion.mediumCorrection)[number - 1]
    }

    /// Blocks that the data is cut into (table 9).
    func blocks(_ level: QRCode.Level) -> Int {
        (level == .low ? QRVersion.lowBlocks : QRVersion.mediumBlocks)[number - 1]
    }

    /// Codewords of data and correction together.
    var codewords: Int { dataModules / 8 }

    func dataCodewords(_ level: QRCode.Level) -> Int {
        codewords - correctionCodewords(level) * blocks(level)
    }

    /// Modules that aren't part of a pattern, of the format or of the version.
    private var dataModules: Int {
        var modules = size * size - 3 * 64 - 2 * 15 - 1 - 2 * (size - 16)
        if number > 1 {
            // Alignment patterns, without those in the corners; some lie on the timing patterns.
            let side = number / 7 + 2
            modules -= 25 * (side * side - 3) - 5 * 2 * (side - 2)
        }
        return number < 7 ? modules : modules - 2 * 18
    }

    /// Columns and rows of the alignment patterns' centres (annex E).
    var alignmentCentres: [Int] {
        guard number > 1 else { return [] }
        let side = number / 7 + 2
        let step = number == 32 ? 26 : (4 * number + 2 * side + 1) / (2 * side - 2) * 2
        return [6] + (0..<side - 1).map { size - 7 - step * $0 }.reversed()
    }

    private static let lowCorrection = [
        7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30,
        30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
    ]
    private static let mediumCorrection = [
        10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28,
        28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    ]
    private static let lowBlocks = [
        1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14,
        15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25,
    ]
    private static let mediumBlocks = [
        1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23,
        25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49,
    ]
}

/// Blocks of data with their Reed-Solomon codewords (7.5, 7.6).
enum QRBlocks {
    /// Data and correction in the order in which they are drawn.
    static func interleaved(
        _ data: [UInt8], _ version: QRVersion, _ level: QRCode.Level
    ) -> [UInt8] {
        let count = version.blocks(level)
        let short = data.count / count
        let longCount = data.count % count
        let generator = ReedSolomon(degree: version.correctionCodewords(level))
        var blocks: [ArraySlice<UInt8>] = []
        var start = 0
        for block in 0..<count {
            let end = start + short + (block >= count - longCount ? 1 : 0)
            blocks.append(data[start..<end])
            start = end
        }
        let corrections = blocks.map { generator.remainder(of: $0) }
        return columns(blocks) + columns(corrections.map { $0[...] })
    }

    /// The first of each block, the second of each, and so on.
    private static func columns(_ blocks: [ArraySlice<UInt8>]) -> [UInt8] {
        let longest = blocks.map(\.count).max() ?? 0
        return (0..<longest).flatMap { place in
            blocks.compactMap { place < $0.count ? $0[$0.startIndex + place] : nil }
        }
    }
}

/// The code over the field of 256 elements modulo x^8 + x^4 + x^3 + x^2 + 1 (annex A).
struct ReedSolomon {
    /// Coefficients of the generator polynomial from the highest down, without the leading 1.
    private let generator: [UInt8]

    init(degree: Int) {
        var generator: [UInt8] = [1]
        var root: UInt8 = 1
        for _ in 0..<degree {
            // Times (x - root).
            var next = generator + [0]
            for (place, coefficient) in generator.enumerated() {
                next[place + 1] ^= ReedSolomon.product(coefficient, root)
            }
            generator = next
            root = ReedSolomon.product(root, 2)
        }
        self.generator = Array(generator.dropFirst())
    }

    func remainder(of data: ArraySlice<UInt8>) -> [UInt8] {
        var rest = [UInt8](repeating: 0, count: generator.count)
        for byte in data {
            let factor = byte ^ rest[0]
            rest.removeFirst()
            rest.append(0)
            for (place, coefficient) in generator.enumerated() {
                rest[place] ^= ReedSolomon.product(coefficient, factor)
            }
        }
        return rest
    }

    private static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var product: UInt8 = 0
        for bit in stride(from: UInt8(7), through: 0, by: -1) {
            product = product << 1 ^ (product >> 7 == 1 ? 0x1D : 0)
            if right >> bit & 1 == 1 { product ^= left }
            if bit == 0 { break }
        }
        return product
    }
}
