import Primitives
import TestSupport
import Testing

@testable import Execution

private struct SmallKey: ResidentKey {
    let number: UInt64
    /// Many keys share a hash.
    var indexHash: UInt64 { number % 37 << 30 | number % 5 }
}

private struct Weight: ResidentValue, Equatable {
    var number: UInt64
    var heapBytes: Int
}

@Suite struct ResidentTableTests {
    @Test func `keys that agree in all words but one don't share a hash`() throws {
        var generator = SeededGenerator(seed: 4)
        for place in 0..<4 {
            var hashes: Set<UInt64> = []
            for _ in 0..<2_000 {
                var words: [UInt64] = [1, 2, 3, 4]
                words[place] = generator.next()
                let key = try #require(Bytes32(words.flatMap(\.bigEndianBytes)))
                hashes.insert(SlotIndex.hash(key) >> 32)
            }
            #expect(hashes.count > 1_990, "word \(place)")
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `a table finds what it has and keeps its bound`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytesMax = 40_000
        var table = ResidentTable<SmallKey, Weight>(bytesMax: bytesMax)
        var known: [UInt64: UInt64] = [:]
        for step in 0..<3000 {
            let number = generator.next() % 900
            let heapBytes = Int(generator.next() % 300)
            if let slot = table.slot(of: SmallKey(number: number)) {
                #expect(table.key(at: slot).number == number)
                #expect(table[slot].number == known[number], "seed \(seed), step \(step)")
                table.note(moreBytes: heapBytes - table[slot].heapBytes)
                table.patch(slot) { $0 = Weight(number: UInt64(step), heapBytes: heapBytes) }
                table.touch(slot)
            } else {
                let value = Weight(number: UInt64(step), heapBytes: heapBytes)
                _ = table.insert(value, for: SmallKey(number: number))
            }
            known[number] = UInt64(step)
            guard generator.next() % 40 == 0 else { continue }
            table.trim()
            #expect(table.bytes <= bytesMax)
            #expect(table.bytes >= table.count * ResidentTable<SmallKey, Weight>.entryBytes)
        }
        #expect(table.count > 50)
        let found = (0..<900).filter { table.slot(of: SmallKey(number: $0)) != nil }
        #expect(found.count == table.count)
    }

    @Test func `what is asked for often stays, and nothing goes before the store is up to date`() {
        let entry = ResidentTable<SmallKey, Weight>.entryBytes
        var table = ResidentTable<SmallKey, Weight>(bytesMax: 100 * entry)
        for number in 0..<100 as Range<UInt64> {
            _ = table.insert(Weight(number: number, heapBytes: 0), for: SmallKey(number: number))
        }
        table.trim()
        #expect(table.count == 100)
        var lost = 0
        for new in 100..<400 as Range<UInt64> {
            _ = table.insert(Weight(number: new, heapBytes: 0), for: SmallKey(number: new))
            #expect(table.count == 101)
            table.trim()
            #expect(table.count == 100)
            for number in 0..<10 as Range<UInt64> {
                if let slot = table.slot(of: SmallKey(number: number)) {
                    table.touch(slot)
                } else {
                    lost += 1
                    _ = table.insert(
                        Weight(number: number, heapBytes: 0), for: SmallKey(number: number))
                    table.trim()
                }
            }
        }
        // The first round of the hand finds all of them used and may take one of these.
        #expect(lost <= 1)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64], [PageSize.small, .large])
    func `rows in blocks are those of a dictionary`(seed: UInt64, pages: PageSize) {
        var generator = SeededGenerator(seed: seed)
        var rows = FlatRows(pages: pages)
        var model: [[UInt8]: [UInt8]] = [:]
        var copies: [(FlatRows, [[UInt8]: [UInt8]])] = []
        for _ in 0..<6000 {
            let key = Array(
                "\(generator.next() % 400)/key of a row".utf8.suffix(
                    Int(generator.next() % 4) + 16))
            let isPut = generator.next() % 3 > 0
            let length = generator.next() % 50 == 0 ? 5000 : Int(generator.next() % 200)
            let value = [UInt8](repeating: UInt8(generator.next() % 256), count: length)
            key.withUnsafeBytes { key in
                if isPut {
                    let isNew = value.withUnsafeBytes { rows.put($0, for: key) }
                    #expect(isNew == (model[Array(key)] == nil))
                    model[Array(key)] = value
                } else {
                    #expect(rows.remove(key) == (model.removeValue(forKey: Array(key)) != nil))
                }
            }
            if generator.next() % 1000 == 0 { copies.append((rows, model)) }
        }
        for (rows, model) in copies + [(rows, model)] {
            #expect(rows.count == model.count, "seed \(seed)")
            for (key, value) in model { #expect(rows.value(for: key) == value) }
            for place in 0..<rows.count {
                rows.withRow(place) { #expect(model[Array($0)] == Array($1)) }
            }
        }
    }
}
