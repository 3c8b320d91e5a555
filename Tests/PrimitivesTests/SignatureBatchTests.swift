import TestSupport
import Testing

@testable import Primitives

/// Every size of batch, with wrong signatures in every place.
@Suite struct SignatureBatchTests {
    private static let sizeMax = Effort.pick(debug: 40, release: 300, long: 300)

    /// Sound claims by some keys that sign often and others that sign once.
    private static let sound: [SignatureClaim] = {
        var generator = SeededGenerator(seed: 41)
        return (0..<sizeMax).map { index -> SignatureClaim in
            let number = index % 3 == 0 ? index % 7 : index % 200 + 20
            return SignatureClaim(signing: generator.identifier(), by: testKey(UInt8(number)))
        }
    }()

    /// The same claims spoilt: by turns one that is refused when decoded, one that isn't a
    /// signature, and one with another S.
    private static let spoilt: [SignatureClaim] = {
        var generator = SeededGenerator(seed: 42)
        let small = OraclePoint.smallOrderEncodings[0]
        return sound.enumerated().map { index, claim -> SignatureClaim in
            let (r, s) = (claim.signature.r, claim.signature.s)
            let another = sound[(index + 1) % sound.count].signature.s
            switch index % 3 {
            case 0: return claim.damaged(.message, &generator)
            case 1: return claim.with(Signature(r: small, s: s))
            default: return claim.with(Signature(r: r, s: another))
            }
        }
    }()

    private func expectFound(_ wrong: [Int], of size: Int) {
        var claims = Array(Self.sound[..<size])
        for place in wrong { claims[place] = Self.spoilt[place] }
        #expect(SignatureCheck.invalid(among: claims) == wrong, "\(wrong) of \(size)")
    }

    @Test func `Sound and spoilt claims are what they should be`() {
        let invalid = Self.sound.filter { !$0.isValid }
        let valid = Self.spoilt.filter { $0.isValid }
        #expect(invalid == [] && valid == [])
    }

    @Test func `Batches of every size without a wrong signature have none`() {
        for size in 0...Self.sizeMax { expectFound([], of: size) }
    }

    /// All places of sizes up to 24; of larger ones the ends, the middle, and places that go round
    /// from size to size; all places of all sizes with OFFPEAK_LONG=1.
    @Test func `One wrong signature is found in its place`() {
        for size in 1...Self.sizeMax {
            let ends = [0, 1, size / 2 - 1, size / 2, size - 2, size - 1]
            let chosen = ends + [size * 7 % 61, size * 13 % size, (size * size + 5) % size]
            let places = size <= 24 || Effort.isLong ? Array(0..<size) : chosen
            for place in Set(places) where (0..<size).contains(place) {
                expectFound([place], of: size)
            }
        }
    }

    /// For each size a residue class of every kind of distance: each place is in one of them.
    @Test func `Several wrong signatures are found, and no others`() {
        for size in 2...Self.sizeMax {
            for (step, first) in [(2, size % 2), (3, size % 3), (17, size % 17), (97, 2)] {
                expectFound(Array(stride(from: first, to: size, by: step)), of: size)
            }
            expectFound([0, size - 1], of: size)
            guard Effort.isLong || size % 16 == 0 else { continue }
            expectFound(Array(0..<size), of: size)
            for first in 0..<17 {
                expectFound(Array(stride(from: first, to: size, by: 17)), of: size)
            }
        }
    }

    @Test func `A claim given twice is judged twice`() {
        let (sound, spoilt) = (Self.sound[0], Self.spoilt[0])
        #expect(SignatureCheck.invalid(among: [sound, sound, spoilt, sound, spoilt]) == [2, 4])
    }
}
