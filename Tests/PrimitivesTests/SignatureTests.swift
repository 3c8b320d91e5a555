import TestSupport
import Testing

@testable import Primitives

@Suite struct SignatureTests {
    @Test(arguments: SignatureVectors.rfc8032)
    func `The vectors of RFC 8032 hold`(vector: SignatureVectors.Vector) throws {
        let seed = SecureBytes(copying: try bytes(vector.seed))
        #expect(SecretKey(seed: seed).publicKey.description == vector.publicKey)
        #expect(try isValid(vector.publicKey, vector.message, vector.signature))
    }

    @Test(arguments: SignatureVectors.rfc8032)
    func `One bit altered anywhere is refused`(vector: SignatureVectors.Vector) throws {
        for place in 0..<64 {
            var signature = try bytes(vector.signature)
            signature[place] ^= 1 << UInt8(place % 8)
            #expect(try !isValid(vector.publicKey, vector.message, Hex.encode(signature)))
        }
        for place in 0..<32 {
            var key = try bytes(vector.publicKey)
            key[place] ^= 1 << UInt8(place % 8)
            #expect(try !isValid(Hex.encode(key), vector.message, vector.signature))
        }
        #expect(try !isValid(vector.publicKey, vector.message + "00", vector.signature))
    }

    /// The network's rule on the edge cases where implementations differ. Another row here is
    /// another rule: nodes would no longer agree on which transactions are signed.
    @Test func `The verdicts on the edge cases are XXXVVVXXXXXX`() throws {
        var verdicts = ""
        var batch = SignatureBatch(capacity: SignatureVectors.edgeCases.count)
        for vector in SignatureVectors.edgeCases {
            let isValid = try isValid(vector.publicKey, vector.message, vector.signature)
            verdicts += isValid ? "V" : "X"
            let publicKey = try #require(PublicKey(bytes: bytes(vector.publicKey)))
            let signature = try #require(Signature(bytes: bytes(vector.signature)))
            try bytes(vector.message).withUnsafeBytes {
                batch.add(publicKey: publicKey, message: $0, signature: signature)
            }
        }
        #expect(batch.invalid() == [0, 1, 2, 6, 7, 8, 9, 10, 11])
        #expect(verdicts == "XXXVVVXXXXXX")
    }

    @Test func `A key signs digests and nobody else's signature counts`() {
        var generator = SeededGenerator(seed: 5)
        let digest = generator.identifier(Digest.self)
        let signature = testKey(1).signature(over: digest)
        func isValid(_ key: SecretKey, _ digest: Digest) -> Bool {
            SignatureClaim(publicKey: key.publicKey, digest: digest, signature: signature).isValid
        }
        #expect(isValid(testKey(1), digest))
        #expect(!isValid(testKey(2), digest))
        #expect(!isValid(testKey(1), generator.identifier()))
    }

    @Test func `S plus the group's order is refused`() throws {
        let vector = try #require(SignatureVectors.rfc8032.first)
        let order: [UInt8] = try bytes(
            "edd3f55c1a631258d69cf7a2def9de14" + "00000000000000000000000000000010")
        var signature = try bytes(vector.signature)
        var carry = 0
        for place in 0..<32 {
            let sum = Int(signature[32 + place]) + Int(order[place]) + carry
            signature[32 + place] = UInt8(sum & 0xFF)
            carry = sum >> 8
        }
        #expect(carry == 0)
        #expect(try !isValid(vector.publicKey, vector.message, Hex.encode(signature)))
    }

    @Test func `Only a transaction whose every signature holds is verified`() throws {
        let policy = try Policy(
            signers: [1, 2].map { Policy.Signer(publicKey: testKey($0).publicKey, weight: 1) },
            spend: 2, admin: 2)
        let transaction = Transaction(
            chainID: .zero, sender: policy.address, sequence: 0, validUntil: 1, maxFee: 1,
            operations: [.escrowDispute(.zero)])
        let signed = SignedTransaction(
            signing: transaction, policies: [policy], by: [testKey(1), testKey(2)])
        #expect(Verified.check(signed)?.value == signed)
        let (first, second) = (signed.authorizations[0], signed.authorizations[1])
        let moved = [
            Authorization(publicKey: first.publicKey, signature: second.signature),
            Authorization(publicKey: second.publicKey, signature: first.signature),
        ]
        let added = Authorization(publicKey: testKey(3).publicKey, signature: first.signature)
        for wrong in [moved, signed.authorizations + [added]] {
            let altered = SignedTransaction(transaction: transaction, authorizations: wrong)
            #expect(Verified.check(altered) == nil)
        }
        let unsigned = SignedTransaction(transaction: transaction, authorizations: [])
        let swapped = SignedTransaction(transaction: transaction, authorizations: moved)
        for values in [
            [], [signed], [swapped], [signed, swapped, signed, unsigned],
            [swapped, signed, swapped],
        ] {
            let together = Verified.checkAll(values).map { $0?.value }
            let alone = values.map { Verified.check($0)?.value }
            #expect(together == alone)
        }
    }

    private func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex)) }

    private func isValid(_ key: String, _ message: String, _ signature: String) throws -> Bool {
        let publicKey = try #require(PublicKey(bytes: bytes(key)))
        let signature = try #require(Signature(bytes: bytes(signature)))
        return try bytes(message).withUnsafeBytes {
            SignatureCheck.isValid(publicKey: publicKey, message: $0, signature: signature)
        }
    }
}
