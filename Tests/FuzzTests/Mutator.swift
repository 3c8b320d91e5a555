import TestSupport

/// Changes bytes as an attacker and a bad line would, from a seed.
struct Mutator {
    private var generator: SeededGenerator
    /// What pieces are taken from.
    private let others: [[UInt8]]

    init(seed: UInt64, others: [[UInt8]]) {
        generator = SeededGenerator(seed: seed)
        self.others = others
    }

    /// One to four changes of `bytes`, at most `bytesMax` long.
    mutating func mutated(_ bytes: [UInt8], bytesMax: Int) -> [UInt8] {
        var bytes = bytes
        for _ in 0...place(4) { change(&bytes) }
        return Array(bytes.prefix(bytesMax))
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes = [UInt8(place(256))] }
        let start = place(bytes.count)
        switch place(9) {
        case 0: bytes[start] ^= 1 << UInt8(place(8))
        case 1: bytes[start] = UInt8(place(256))
        case 2: bytes.removeLast(place(bytes.count))
        case 3: bytes.removeSubrange(start..<min(bytes.count, start + 1 + place(16)))
        case 4: bytes.insert(contentsOf: (0...place(8)).map { _ in UInt8(place(256)) }, at: start)
        case 5: overwrite(&bytes, at: start, with: length())
        case 6: bytes.replaceSubrange(start...start, with: uleb())
        case 7: splice(&bytes, at: start)
        default: bytes.insert(contentsOf: bytes[start...].prefix(1 + place(64)), at: start)
        }
    }

    /// A number that is read as a length or a place: small, large, or around a power of two.
    private mutating func length() -> [UInt8] {
        let power = UInt64(1) << UInt64(place(64))
        let value = [power, power - 1, .max, 0, UInt64(place(1024))][place(5)]
        let count = [1, 2, 4, 8][place(4)]
        return (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    /// Lengths as they are written, padded and too large ones too.
    private mutating func uleb() -> [UInt8] {
        [
            [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x80, 0x00], [0x7F],
            [0x81, 0x20], [0x80, 0x80, 0x40],
        ][place(6)]
    }

    private func overwrite(_ bytes: inout [UInt8], at start: Int, with piece: [UInt8]) {
        for (offset, byte) in piece.enumerated() where start + offset < bytes.count {
            bytes[start + offset] = byte
        }
    }

    /// A piece of another input in place of a piece.
    private mutating func splice(_ bytes: inout [UInt8], at start: Int) {
        let other = others[place(others.count)]
        guard !other.isEmpty else { return }
        let from = place(other.count)
        let piece = other[from...].prefix(1 + place(other.count - from))
        let end = min(bytes.count, start + place(piece.count + 1))
        bytes.replaceSubrange(start..<end, with: piece)
    }

    private mutating func place(_ count: Int) -> Int {
        Int(generator.next(upperBound: UInt64(count)))
    }
}
