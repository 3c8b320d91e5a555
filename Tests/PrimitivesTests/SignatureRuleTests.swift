import CSodium
import Foundation
import TestSupport
import Testing

@testable import Primitives

/// Rule SC where it differs from others, and the batch against the single check.
@Suite struct SignatureRuleTests {
    @Test func `Every pair of small points is refused, alone and in a batch`() {
        let encodings = OraclePoint.smallOrderEncodings
        #expect(encodings.count == 14 && Set(encodings).count == 14)
        var generator = SeededGenerator(seed: 31)
        let claims = encodings.flatMap { key in
            encodings.map { r in
                SignatureClaim(
                    publicKey: PublicKey(key), digest: generator.identifier(),
                    signature: Signature(r: r, s: .zero))
            }
        }
        #expect(claims.count == 196)
        #expect(SignatureCheck.invalid(among: claims) == Array(claims.indices))
        for claim in claims {
            #expect(!claim.isValid)
            #expect(SignatureCheck.invalid(among: [claim]) == [0])
        }
    }

    @Test func `A small point as key or as R is refused beside a sound one`() throws {
        var generator = SeededGenerator(seed: 32)
        let digest = generator.identifier(Digest.self)
        let sound = SignatureClaim(signing: digest, by: testKey(1))
        for small in OraclePoint.smallOrderEncodings {
            let asKey = SignatureClaim(
                publicKey: PublicKey(small), digest: digest, signature: sound.signature)
            // R = -h·A + S·B of small order: S = h·a, the equation itself would hold.
            let signer = TorsionSigner(&generator)
            let asR = try #require(signer.claim(digest, nonce: .zero, encodedR: small))
            for claim in [asKey, asR] {
                #expect(!claim.isValid)
                #expect(SignatureCheck.invalid(among: [sound, claim, sound]) == [1])
            }
        }
    }

    /// A = a·B + T and R = r·B + T' with points of small order T, T': the cofactorless equation
    /// holds for some only, rule SC for all.
    @Test func `Signatures with parts of small order are accepted`() throws {
        var generator = SeededGenerator(seed: 33)
        let torsion = OraclePoint.smallOrder.compactMap { AffinePoint(canonical: $0.encoded) }
        var claims: [SignatureClaim] = []
        for key in torsion {
            let signer = TorsionSigner(&generator, torsion: key)
            for point in torsion {
                let claim = signer.claim(
                    generator.identifier(), nonce: GroupScalar(&generator), torsion: point)
                claims.append(try #require(claim))
            }
        }
        let refused = claims.filter { !$0.isValid }
        let cofactorless = claims.filter { LibsodiumCheck.isValid($0) }
        #expect(refused == [])
        #expect(SignatureCheck.invalid(among: claims) == [])
        #expect(cofactorless.count < claims.count / 2)
        for place in claims.indices {
            claims[place] = claims[place].damaged(.message, &generator)
        }
        #expect(SignatureCheck.invalid(among: claims) == Array(claims.indices))
    }

    /// Two signatures whose errors are opposite: with equal coefficients they cancel.
    @Test func `Errors that cancel each other are found, but not by equal coefficients`() throws {
        var generator = SeededGenerator(seed: 34)
        let error = GroupScalar(&generator)
        let opposite = GroupScalar.order.minus(error).difference
        var batch = SignatureBatch(capacity: 4)
        for (number, shift) in [(1, error), (2, .zero), (3, opposite), (3, .zero)] {
            let claim = SignatureClaim(
                signing: generator.identifier(), by: testKey(UInt8(number)))
            let s = try #require(GroupScalar(canonical: claim.signature.s))
            let altered = Signature(r: claim.signature.r, s: (s + shift).bytes32)
            claim.digest.bytes32.withUnsafeBytes {
                batch.add(publicKey: claim.publicKey, message: $0, signature: altered)
            }
        }
        #expect(batch.invalid() == [0, 2])
        let ones = batch.invalid { count in
            [GroupScalar](repeating: GroupScalar(1, 0, 0, 0), count: count)
        }
        #expect(ones == [])
    }

    @Test func `Coefficients are new for each check`() {
        var seen: [[GroupScalar]] = []
        for _ in 0..<3 { seen.append(SignatureBatch.coefficients(100)) }
        let all = seen.flatMap { $0 }
        let distinct = Set(all.map { $0.bytes32 })
        #expect(distinct.count == 300)
        // Every bit of the lower 128 is 0 in one and 1 in another, and no other bit is set.
        for place in 0..<256 {
            let ones = all.filter { $0.bits(at: place, count: 1) == 1 }.count
            #expect(place < 128 ? ones > 0 && ones < 300 : ones == 0)
        }
    }

    /// 20,000 signatures, and a million and more with OFFPEAK_LONG=1.
    @Test func `Signatures, sound and damaged, are judged as libsodium judges them`() {
        let total = Effort.pick(debug: 300, release: 20_000, long: 1_048_576)
        let seed: UInt64 = Effort.isLong ? .random(in: 0 ... .max) : 35
        print("seed \(seed), \(total) signatures")
        var generator = SeededGenerator(seed: seed)
        var invalid = 0
        for start in stride(from: 0, to: total, by: 200) {
            let damageMax: UInt64 = start / 200 % 2 == 0 ? 16 : 1000
            let claims = (0..<min(200, total - start)).map { _ in
                SignatureClaim.anyDamage(oneOf: damageMax, &generator)
            }
            let verdicts = claims.map { $0.isValid }
            let expected = claims.map { LibsodiumCheck.isValid($0) }
            #expect(verdicts == expected)
            let wrong = verdicts.indices.filter { !verdicts[$0] }
            #expect(SignatureCheck.invalid(among: claims) == wrong)
            invalid += wrong.count
        }
        print("\(invalid) of \(total) signatures were wrong")
        #expect(invalid > total / 8 && invalid < total / 3)
    }
}

/// How much a test does.
enum Effort {
    static let isLong = ProcessInfo.processInfo.environment["OFFPEAK_LONG"] == "1"

    static func pick(debug: Int, release: Int, long: Int) -> Int {
        if isLong { return long }
        #if DEBUG
            return debug
        #else
            return release
        #endif
    }
}

/// A signer by formulas, whose key may have a part of small order.
struct TorsionSigner {
    private let secret: GroupScalar
    private let publicKey: PublicKey

    init(_ generator: inout SeededGenerator, torsion: AffinePoint? = nil) {
        secret = GroupScalar(&generator)
        let key = EdwardsPoint.base(times: secret)
        publicKey = PublicKey(
            (torsion.map { key.adding($0.extended) } ?? key).encoded)
    }

    /// R = nonce·B + torsion, or `encodedR` in its place; S = nonce + h·a.
    func claim(
        _ digest: Digest, nonce: GroupScalar, torsion: AffinePoint? = nil,
        encodedR: Bytes32? = nil
    ) -> SignatureClaim? {
        let point = EdwardsPoint.base(times: nonce)
        let r = encodedR ?? (torsion.map { point.adding($0.extended) } ?? point).encoded
        var hash = [UInt8](repeating: 0, count: 64)
        let input = r.bytes + publicKey.bytes32.bytes + digest.bytes32.bytes
        guard crypto_hash_sha512(&hash, input, UInt64(input.count)) == 0 else { return nil }
        let h = hash.withUnsafeBytes { GroupScalar(reducing: $0) }
        return SignatureClaim(
            publicKey: publicKey, digest: digest,
            signature: Signature(r: r, s: (nonce + h * secret).bytes32))
    }
}

extension SignatureClaim {
    enum Field: CaseIterable { case r, s, key, message }

    init(signing digest: Digest, by key: SecretKey) {
        self.init(
            publicKey: key.publicKey, digest: digest, signature: key.signature(over: digest))
    }

    /// With one bit of one field the other way.
    func damaged(_ field: Field, _ generator: inout SeededGenerator) -> SignatureClaim {
        func flipped(_ value: Bytes32, _ isMeant: Bool) -> Bytes32 {
            guard isMeant else { return value }
            var bytes = value.bytes
            bytes[Int.random(in: 0..<32, using: &generator)] ^= 1 << UInt8(generator.next() & 7)
            return Bytes32(bytes) ?? .zero
        }
        return SignatureClaim(
            publicKey: PublicKey(flipped(publicKey.bytes32, field == .key)),
            digest: Digest(flipped(digest.bytes32, field == .message)),
            signature: Signature(
                r: flipped(signature.r, field == .r), s: flipped(signature.s, field == .s)))
    }

    private static let keys = (0...255).map { testKey(UInt8($0)) }

    /// Sound but for 6 of `cases`; those with a flipped bit, S plus the order, or a random R.
    static func anyDamage(
        oneOf cases: UInt64, _ generator: inout SeededGenerator
    ) -> SignatureClaim {
        let key =
            generator.next() & 7 == 0
            ? SecretKey(seed: SecureBytes(copying: generator.bytes(32)))
            : keys[Int(generator.next() & 255)]
        let sound = SignatureClaim(signing: generator.identifier(), by: key)
        switch generator.next() % cases {
        case 0: return sound.damaged(.r, &generator)
        case 1: return sound.damaged(.s, &generator)
        case 2: return sound.damaged(.key, &generator)
        case 3: return sound.damaged(.message, &generator)
        case 4:
            let sum = BigNumber(littleEndian: sound.signature.s.bytes) + OraclePoint.order
            let s = Bytes32(sum.bytes32) ?? .zero
            return sound.with(Signature(r: sound.signature.r, s: s))
        case 5:
            let noise = Bytes32(generator.bytes(32)) ?? .zero
            return sound.with(Signature(r: noise, s: sound.signature.s))
        default: return sound
        }
    }

    /// With another signature.
    func with(_ signature: Signature) -> SignatureClaim {
        SignatureClaim(publicKey: publicKey, digest: digest, signature: signature)
    }
}
