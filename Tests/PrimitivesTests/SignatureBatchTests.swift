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

    /// All places of sizes up to 24; of larger ones an end and a place that goes round from size to
    /// size. All places of all sizes with OFFPEAK_LONG=1.
    @Test func `One wrong signature is found in its place`() {
        for size in 1...Self.sizeMax {
            let all = size <= 24 || Effort.isLong
            let chosen = [size % 2 == 0 ? 0 : size - 1, size * 40_503 / 64 % size]
            for place in all ? Array(0..<size) : chosen { expectFound([place], of: size) }
        }
    }

    /// Places at equal distances, dense in some sizes and sparse in others, and both ends. With
    /// OFFPEAK_LONG=1 every distance in every size from every first place.
    @Test func `Several wrong signatures are found, and no others`() {
        let steps = [1, 2, 3, 17, 97]
        for size in 2...Self.sizeMax {
            expectFound([0, size - 1], of: size)
            for step in Effort.isLong ? steps : [steps[size % steps.count]] {
                for first in Effort.isLong ? Array(0..<min(step, size)) : [size % step % size] {
                    expectFound(Array(stride(from: first, to: size, by: step)), of: size)
                }
            }
        }
    }

    @Test func `A claim given twice is judged twice`() {
        let (sound, spoilt) = (Self.sound[0], Self.spoilt[0])
        #expect(SignatureCheck.invalid(among: [sound, sound, spoilt, sound, spoilt]) == [2, 4])
    }
}
