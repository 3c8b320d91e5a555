/// BIP-39's words by their number, and what a mistyped word was probably meant to be.
enum WordList {
    /// 2,048 words in order.
    static let words: [[UInt8]] = EnglishWords.text.withUTF8Buffer { text in
        text.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }.map(Array.init)
    }

    /// The number (0...2047) of a word in small or capital letters, or nil if it isn't in the list.
    static func index(of word: Slice<UnsafeRawBufferPointer>) -> Int? {
        var low = 0
        var high = words.count
        while low < high {
            let middle = (low + high) / 2
            switch compare(word, words[middle]) {
            case 0: return middle
            case ..<0: high = middle
            default: low = middle + 1
            }
        }
        return nil
    }

    /// The word that `typed` was most likely meant to be: one with the same first four letters, or
    /// the first of those that differ least, by at most two letters.
    static func suggestion(for typed: Slice<UnsafeRawBufferPointer>) -> String? {
        guard 2...12 ~= typed.count else { return nil }
        var letters = typed.map(lowered)
        defer { SecureBytes.wipe(&letters) }
        if letters.count >= 4, let same = words.first(where: { $0.starts(with: letters[..<4]) }) {
            return String(decoding: same, as: UTF8.self)
        }
        let distances = words.map { distance(letters, $0) }
        guard let least = distances.min(), least <= 2,
            let place = distances.firstIndex(of: least)
        else { return nil }
        return String(decoding: words[place], as: UTF8.self)
    }

    private static func compare(_ word: Slice<UnsafeRawBufferPointer>, _ other: [UInt8]) -> Int {
        for (left, right) in zip(word, other) where lowered(left) != right {
            return Int(lowered(left)) - Int(right)
        }
        return word.count - other.count
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
    }

    /// How many letters must be replaced, put in, left out or swapped with their neighbour.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var above = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(above[column + 1], current[column]) + 1
                best = min(best, above[column] + (letter == other ? 0 : 1))
                let swapped =
                    row > 0 && column > 0 && letter == right[column - 1] && left[row - 1] == other
                if swapped { best = min(best, before[column - 1] + 1) }
                current.append(best)
            }
            (before, above) = (above, current)
        }
        return above[right.count]
    }
}
