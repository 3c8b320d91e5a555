import Primitives
import TestSupport
import Testing

@Suite struct BCSTests {
    @Test func `Integers are little-endian of fixed width`() {
        var writer = BCSWriter()
        writer.append(UInt8(0x01))
        writer.append(UInt16(0x0203))
        writer.append(UInt32(0x0405_0607))
        writer.append(UInt64(0x0809_0A0B_0C0D_0E0F))
        #expect(Hex.encode(writer.bytes) == "01030207060504" + "0f0e0d0c0b0a0908")
    }

    @Test(arguments: [
        (0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (16_383, "ff7f"),
        (16_384, "808001"), (Int(UInt32.max), "ffffffff0f"),
    ])
    func `Lengths are ULEB128 in the shortest form`(value: Int, hex: String) throws {
        var writer = BCSWriter()
        writer.appendLength(value)
        #expect(Hex.encode(writer.bytes) == hex)
        var reader = BCSReader(writer.bytes)
        #expect(Int(try reader.readULEB128()) == value)
        #expect(reader.remaining == 0)
    }

    @Test(arguments: ["8000", "ff00", "80808000", "8080808000", "8080808010", "ffffffff1f"])
    func `Over-long lengths are refused`(hex: String) throws {
        var reader = BCSReader(try #require(Hex.decode(hex)))
        #expect(throws: BCSError(.overlongInteger, at: 0)) { try reader.readULEB128() }
    }

    @Test(arguments: ["808080808001", "ffffffffff01"])
    func `A length of six bytes is refused at its fifth`(hex: String) throws {
        var reader = BCSReader(try #require(Hex.decode(hex)))
        #expect(throws: BCSError(.overlongInteger, at: 0)) { try reader.readULEB128() }
        #expect(reader.offset == 5)
    }

    @Test func `Booleans and optionals are marked by 0 or 1 only`() throws {
        var reader = BCSReader([0, 1, 2])
        #expect(try reader.readBool() == false)
        #expect(try reader.readBool() == true)
        #expect(throws: BCSError(.invalidMarker(2), at: 2)) { try reader.readBool() }
        var optional = BCSReader([2, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(throws: BCSError(.invalidMarker(2), at: 0)) {
            try optional.readOptional(Amount.self)
        }
    }

    @Test func `Each fixed-width read says what is missing`() {
        let error = BCSError(.truncated(needed: 8, left: 7), at: 0)
        var reader = BCSReader([UInt8](repeating: 0, count: 7))
        #expect(throws: error) { try reader.readUInt64() }
        #expect(throws: BCSError(.truncated(needed: 32, left: 7), at: 0)) {
            try reader.readBytes32()
        }
        #expect(reader.offset == 0)
    }

    @Test func `A huge length fails at the length, before anything is allocated for it`() {
        var reader = BCSReader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 2, 3])
        let needed = Int(UInt32.max)
        #expect(throws: BCSError(.truncated(needed: needed * 8, left: 3), at: 0)) {
            try reader.readList(of: Amount.self, maximum: .max, elementBytes: 8)
        }
        var bounded = BCSReader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
        #expect(throws: BCSError(.tooLong(count: needed, maximum: 16), at: 0)) {
            try bounded.readList(of: Amount.self, maximum: 16, elementBytes: 8)
        }
        var text = BCSReader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
        #expect(throws: BCSError(.truncated(needed: needed, left: 0), at: 0)) {
            try text.readBytes(maximum: .max)
        }
    }

    @Test func `A length whose bytes overflow is refused`() {
        var reader = BCSReader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
        #expect(throws: BCSError(.truncated(needed: .max, left: 0), at: 0)) {
            try reader.readLength(maximum: .max, elementBytes: .max)
        }
    }

    @Test func `Lists hold between minimum and maximum elements`() throws {
        let bytes: [UInt8] = [2] + UInt64(1).bcsBytes + UInt64(2).bcsBytes
        var reader = BCSReader(bytes)
        #expect(try reader.readList(maximum: 2, elementBytes: 8) == [Amount(1), Amount(2)])
        var small = BCSReader(bytes)
        #expect(throws: BCSError(.tooLong(count: 2, maximum: 1), at: 0)) {
            try small.readList(of: Amount.self, maximum: 1, elementBytes: 8)
        }
        var large = BCSReader(bytes)
        #expect(throws: BCSError(.tooShort(count: 2, minimum: 3), at: 0)) {
            try large.readList(of: Amount.self, minimum: 3, maximum: 9, elementBytes: 8)
        }
    }

    @Test(arguments: [([1, 2], true), ([2, 1], false), ([1, 1], false)])
    func `Sorted lists rise strictly`(keys: [UInt64], isAccepted: Bool) {
        var writer = BCSWriter()
        writer.append(list: keys.map { Amount($0) })
        var reader = BCSReader(writer.bytes)
        let result = Result { () throws(BCSError) in
            try reader.readSortedList(of: Amount.self, maximum: 9, elementBytes: 8) { $0 }
        }
        let expected = keys.map { Amount($0) }
        #expect(result == (isAccepted ? .success(expected) : .failure(BCSError(.unsorted, at: 0))))
    }

    @Test func `Text is UTF-8 within its limit`() throws {
        var writer = BCSWriter()
        writer.append("Zürich")
        var reader = BCSReader(writer.bytes)
        #expect(try reader.readString(maximum: 7) == "Zürich")
        var short = BCSReader(writer.bytes)
        #expect(throws: BCSError(.tooLong(count: 7, maximum: 6), at: 0)) {
            try short.readString(maximum: 6)
        }
        var broken = BCSReader([2, 0xC3, 0x28])
        #expect(throws: BCSError(.invalidValue("text that isn't UTF-8"), at: 0)) {
            try broken.readString(maximum: 9)
        }
    }

    @Test func `Bytes behind a value are refused`() {
        #expect(throws: BCSError(.trailingBytes(2), at: 8)) {
            try Amount(bcs: [UInt8](repeating: 0, count: 10))
        }
    }

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `Random primitives come back`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2500 {
            let number = generator.number(Amount.self)
            let length = Int.random(in: 0...Int(UInt32.max), using: &generator)
            let raw = generator.bytes(Int.random(in: 0...40, using: &generator))
            let flag = Bool.random(using: &generator)
            var writer = BCSWriter()
            writer.append(number)
            writer.appendLength(length)
            writer.append(flag)
            writer.appendBytes(raw)
            writer.append(optional: flag ? number : nil)
            var reader = BCSReader(writer.bytes)
            let readNumber = try reader.read(Amount.self)
            let readLength = Int(try reader.readULEB128())
            let readFlag = try reader.readBool()
            let readRaw = try reader.readBytes(maximum: 40)
            let readOptional = try reader.readOptional(Amount.self)
            try reader.finish()
            #expect(readNumber == number && readLength == length, "seed \(seed)")
            #expect(readFlag == flag && readRaw == raw, "seed \(seed)")
            #expect(readOptional == (flag ? number : nil), "seed \(seed)")
        }
    }
}

extension UInt64 {
    fileprivate var bcsBytes: [UInt8] { Amount(self).bcsBytes }
}
