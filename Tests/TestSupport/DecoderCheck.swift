public import Primitives

/// What is wrong with the decoder of `Value`, seen from the canonical encoding of `value`: the
/// first few complaints, or none.
///
/// It must give the value back, and refuse every prefix, every byte more, and every altered byte
/// that isn't the canonical encoding of another value. O(bytes²).
public func checkDecoder<Value: BCSCodable & Equatable>(_ value: Value) -> [String] {
    let bytes = value.bcsBytes
    let decoded = try? Value(bcs: bytes)
    let identity = decoded == value ? [] : ["\(Value.self): decoding doesn't give the value back"]
    return identity + checkDecoder(of: Value.self, bytes)
}

/// The same from `bytes`, which must be canonical.
public func checkDecoder<Value: BCSCodable & Equatable>(
    of type: Value.Type, _ bytes: [UInt8]
) -> [String] {
    let check = DecoderCheck<Value>(bytes: bytes)
    let complaints =
        check.canonical() + check.truncated() + check.extended() + check.flipped()
        + check.hostileLengths()
    return Array(complaints.prefix(3))
}

/// The generator's bytes given to a decoder `rounds` times: an error, or canonical bytes.
public func checkDecoderWithNoise<Value: BCSCodable & Equatable>(
    of type: Value.Type, rounds: Int, using generator: inout SeededGenerator
) -> [String] {
    (0..<rounds).flatMap { _ in
        let noise = generator.bytes(Int.random(in: 0...200, using: &generator))
        return DecoderCheck<Value>(bytes: noise).accepted(noise, "noise")
    }
}

private struct DecoderCheck<Value: BCSCodable & Equatable> {
    let bytes: [UInt8]

    func canonical() -> [String] {
        (try? Value(bcs: bytes))?.bcsBytes == bytes ? [] : [complaint("encoding isn't canonical")]
    }

    func truncated() -> [String] {
        bytes.indices.flatMap { count in
            let part = Array(bytes[..<count])
            return outcome(of: part) == nil ? [] : [complaint("accepts its first \(count) bytes")]
        }
    }

    func extended() -> [String] {
        do throws(BCSError) {
            _ = try Value(bcs: bytes + [0])
            return [complaint("accepts a byte behind its end")]
        } catch {
            let isRight = error.reason == .trailingBytes(1) && error.offset == bytes.count
            return isRight ? [] : [complaint("a byte behind its end gives \(error)")]
        }
    }

    func flipped() -> [String] {
        bytes.indices.flatMap { place in
            (0..<8).flatMap { bit in
                var altered = bytes
                altered[place] ^= 1 << UInt8(bit)
                return accepted(altered, "bit \(bit) of byte \(place) flipped")
            }
        }
    }

    /// Each byte replaced by the largest length, and by a length in more bytes than it needs.
    func hostileLengths() -> [String] {
        bytes.indices.flatMap { place in
            [[0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [bytes[place] | 0x80, 0]].flatMap { length in
                var altered = bytes
                altered.replaceSubrange(place...place, with: length)
                return accepted(altered, "length \(length) at byte \(place)")
            }
        }
    }

    /// What was decoded must encode to what was read, and an error must stand within it.
    func accepted(_ altered: [UInt8], _ what: String) -> [String] {
        do throws(BCSError) {
            let value = try Value(bcs: altered)
            return value.bcsBytes == altered ? [] : [complaint("\(what): accepts another form")]
        } catch {
            let isWithin = 0...altered.count ~= error.offset
            return isWithin ? [] : [complaint("\(what): error at byte \(error.offset)")]
        }
    }

    private func outcome(of bytes: [UInt8]) -> Value? { try? Value(bcs: bytes) }

    private func complaint(_ text: String) -> String {
        "\(Value.self) from \(Hex.encode(bytes)): \(text)"
    }
}
