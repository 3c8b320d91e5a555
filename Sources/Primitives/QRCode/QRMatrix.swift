/// The modules of a QR code while it is drawn.
struct QRMatrix: Hashable, Sendable {
    let size: Int
    private let version: QRVersion
    private var dark: [Bool]
    /// Modules of patterns, format and version: data and masks leave them out.
    private var isFixed: [Bool]

    /// The patterns alone (6.3).
    init(_ version: QRVersion) {
        self.version = version
        size = version.size
        dark = Array(repeating: false, count: size * size)
        isFixed = dark
        for place in 0..<size {
            fix(6, place, place % 2 == 0)
            fix(place, 6, place % 2 == 0)
        }
        for (x, y) in [(3, 3), (size - 4, 3), (3, size - 4)] { drawFinder(x, y) }
        drawAlignment()
        drawVersion()
        // Their place; what stands there depends on the mask.
        drawFormat(0)
    }

    subscript(x: Int, y: Int) -> Bool { dark[y * size + x] }

    private mutating func fix(_ x: Int, _ y: Int, _ isDark: Bool) {
        dark[y * size + x] = isDark
        isFixed[y * size + x] = true
    }

    /// With the white line around it.
    private mutating func drawFinder(_ centreX: Int, _ centreY: Int) {
        for y in max(0, centreY - 4)...min(size - 1, centreY + 4) {
            for x in max(0, centreX - 4)...min(size - 1, centreX + 4) {
                let distance = max(abs(x - centreX), abs(y - centreY))
                fix(x, y, distance != 2 && distance != 4)
            }
        }
    }

    private mutating func drawAlignment() {
        let centres = version.alignmentCentres
        guard let last = centres.last else { return }
        for centreY in centres {
            for centreX in centres {
                let corners = [(6, 6), (6, last), (last, 6)]
                guard !corners.contains(where: { $0 == (centreX, centreY) }) else { continue }
                for y in centreY - 2...centreY + 2 {
                    for x in centreX - 2...centreX + 2 {
                        fix(x, y, max(abs(x - centreX), abs(y - centreY)) != 1)
                    }
                }
            }
        }
    }

    /// Version number with its BCH code, twice (7.10).
    private mutating func drawVersion() {
        guard version.number >= 7 else { return }
        var rest = version.number
        for _ in 0..<12 { rest = rest << 1 ^ (rest >> 11) * 0x1F25 }
        let bits = version.number << 12 | rest
        for bit in 0..<18 {
            let isDark = bits >> bit & 1 == 1
            fix(size - 11 + bit % 3, bit / 3, isDark)
            fix(bit / 3, size - 11 + bit % 3, isDark)
        }
    }

    /// Level and mask with their BCH code, twice (7.9).
    /// - Parameter content: Two bits of level, three of mask.
    private mutating func drawFormat(_ content: Int) {
        var rest = content
        for _ in 0..<10 { rest = rest << 1 ^ (rest >> 9) * 0x537 }
        let bits = (content << 10 | rest) ^ 0x5412
        let near = [0, 1, 2, 3, 4, 5, 7, 8]
        for bit in 0..<15 {
            let isDark = bits >> bit & 1 == 1
            if bit < 8 {
                fix(8, near[bit], isDark)
                fix(size - 1 - bit, 8, isDark)
            } else {
                fix(bit == 8 ? 7 : 14 - bit, 8, isDark)
                fix(8, size - 15 + bit, isDark)
            }
        }
        fix(8, size - 8, true)
    }

    /// Draws codewords in pairs of columns from the right, up and down in turn (7.7.3).
    mutating func place(_ codewords: [UInt8]) {
        var bit = 0
        for right in [Int](stride(from: size - 1, to: 6, by: -2)) + [5, 3, 1] {
            let isUpward = (right + 1) & 2 == 0
            for step in 0..<size {
                let y = isUpward ? size - 1 - step : step
                for x in [right, right - 1] where !isFixed[y * size + x] {
                    guard bit < 8 * codewords.count else { return }
                    dark[y * size + x] = codewords[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1
                    bit += 1
                }
            }
        }
    }

    /// With a mask and the format that names it (7.8.2).
    func masked(_ mask: Int, _ level: QRCode.Level) -> QRMatrix {
        var result = self
        for y in 0..<size {
            for x in 0..<size where !isFixed[y * size + x] && QRMatrix.inverts(mask, x, y) {
                result.dark[y * size + x].toggle()
            }
        }
        result.drawFormat((level == .low ? 0b01000 : 0) | mask)
        return result
    }

    private static func inverts(_ mask: Int, _ x: Int, _ y: Int) -> Bool {
        switch mask {
        case 0: (x + y) % 2 == 0
        case 1: y % 2 == 0
        case 2: x % 3 == 0
        case 3: (x + y) % 3 == 0
        case 4: (x / 3 + y / 2) % 2 == 0
        case 5: x * y % 2 + x * y % 3 == 0
        case 6: (x * y % 2 + x * y % 3) % 2 == 0
        default: ((x + y) % 2 + x * y % 3) % 2 == 0
        }
    }
}

// How hard a code is to read: the mask with the least is taken (7.8.3).
extension QRMatrix {
    var penalty: Int { lines + squares + balance }

    /// Runs of one colour, and what looks like a finder.
    private var lines: Int {
        var points = 0
        for place in 0..<size {
            let row = (0..<size).map { self[$0, place] }
            let column = (0..<size).map { self[place, $0] }
            points += QRMatrix.points(of: row) + QRMatrix.points(of: column)
        }
        return points
    }

    private static func points(of line: [Bool]) -> Int {
        var points = 0
        var run = 0
        var pattern = 0
        for (place, isDark) in line.enumerated() {
            run = place > 0 && line[place - 1] == isDark ? run + 1 : 1
            if run == 5 { points += 3 } else if run > 5 { points += 1 }
            pattern = (pattern << 1 | (isDark ? 1 : 0)) & 0x7FF
            if place >= 10, pattern == 0b10111010000 || pattern == 0b00001011101 { points += 40 }
        }
        return points
    }

    private var squares: Int {
        var points = 0
        for y in 1..<size {
            for x in 1..<size {
                let corner = self[x, y]
                if self[x - 1, y] == corner, self[x, y - 1] == corner, self[x - 1, y - 1] == corner
                {
                    points += 3
                }
            }
        }
        return points
    }

    /// How far the black part is from half, in steps of 5 %.
    private var balance: Int {
        let black = dark.count { $0 }
        return abs(20 * black - 10 * size * size) / (size * size) * 10
    }
}
