import Primitives
import TestSupport
import Testing

/// Every decoder of what a person signs, on values drawn from a seed.
@Suite struct LedgerDecoderTests {
    @Test(arguments: [UInt64(11), 12, 13, 14])
    func `Operations are refused unless canonical`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            #expect(checkDecoder(generator.operation()) == [], "seed \(seed)")
        }
    }

    @Test(arguments: [UInt64(21), 22])
    func `Policies and quorums are refused unless canonical`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            #expect(checkDecoder(generator.policy()) == [], "seed \(seed)")
            let drawn = generator.quorum()
            let required = try #require(drawn)
            #expect(checkDecoder(required) == [], "seed \(seed)")
        }
    }

    @Test(arguments: [UInt64(31), 32])
    func `Transactions are refused unless canonical`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<4 {
            #expect(checkDecoder(generator.transaction()) == [], "seed \(seed)")
        }
    }

    @Test(arguments: [UInt64(41), 42])
    func `Signed transactions are refused unless canonical`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<3 {
            #expect(checkDecoder(generator.signedTransaction()) == [], "seed \(seed)")
        }
    }

    @Test func `Validators, signer sets and prefixes are refused unless canonical`() throws {
        var generator = SeededGenerator(seed: 51)
        let validator = Validator(
            votingKey: generator.identifier(), peerID: generator.identifier(), weight: 7,
            rewardAddress: generator.identifier())
        #expect(checkDecoder(validator) == [])
        var signers = SignerSet(count: 20)
        signers.insert(ValidatorIndex(19))
        #expect(checkDecoder(signers) == [])
        #expect(checkDecoder(try NetworkPrefix("opk")) == [])
    }

    @Test(arguments: [UInt64(61), 62])
    func `Random bytes are an error, or canonical`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let complaints =
            checkDecoderWithNoise(of: Operation.self, rounds: 1000, using: &generator)
            + checkDecoderWithNoise(of: Policy.self, rounds: 1000, using: &generator)
            + checkDecoderWithNoise(of: SignedTransaction.self, rounds: 1000, using: &generator)
            + checkDecoderWithNoise(of: SignerSet.self, rounds: 1000, using: &generator)
        #expect(complaints == [], "seed \(seed)")
    }

    @Test func `A decoded transaction has the id and the length of its bytes`() throws {
        var generator = SeededGenerator(seed: 71)
        for _ in 0..<50 {
            let made = generator.signedTransaction()
            let read = try SignedTransaction(bcs: made.bcsBytes)
            #expect(read.id == made.transaction.id)
            #expect(read.byteCount == made.bcsBytes.count)
        }
    }

    @Test func `The sender among the cosigners is refused`() {
        let sender = filled(1, as: Address.self)
        let transaction = Transaction(
            chainID: .zero, sender: sender, sequence: 0, validUntil: 0, maxFee: 0,
            cosigners: [sender], operations: [.escrowDispute(.zero)])
        #expect(throws: BCSError(.invalidValue("the sender among the cosigners"), at: 32)) {
            try Transaction(bcs: transaction.bcsBytes)
        }
    }

    @Test func `Limits of a transaction hold at their edges`() {
        func decodes(memo: Int = 0, operations: Int = 1, cosigners: Int = 0) -> Bool {
            let transaction = Transaction(
                chainID: .zero, sender: filled(0xFF), sequence: 0, validUntil: 0, maxFee: 0,
                cosigners: (0..<cosigners).map { filled(UInt8($0)) },
                memo: [UInt8](repeating: 1, count: memo),
                operations: [Operation](repeating: .escrowDispute(.zero), count: operations))
            return (try? Transaction(bcs: transaction.bcsBytes)) == transaction
        }
        #expect(decodes(memo: 256, operations: 16, cosigners: 8))
        #expect(!decodes(memo: 257))
        #expect(!decodes(operations: 17))
        #expect(!decodes(operations: 0))
        #expect(!decodes(cosigners: 9))
    }

    @Test func `Authorizations are 1 to 64, sorted and unique`() {
        func decodes(_ keys: [UInt8]) -> Bool {
            let transaction = Transaction(
                chainID: .zero, sender: .zero, sequence: 0, validUntil: 0, maxFee: 0,
                operations: [.escrowDispute(.zero)])
            var writer = BCSWriter()
            writer.append(transaction)
            writer.append(list: [Policy]())
            writer.append(
                list: keys.map {
                    Authorization(publicKey: filled($0), signature: Signature(r: .zero, s: .zero))
                })
            return (try? SignedTransaction(bcs: writer.bytes)) != nil
        }
        #expect(decodes([1]))
        #expect(decodes(Array(0..<64)))
        #expect(!decodes([]))
        #expect(!decodes(Array(0..<65)))
        #expect(!decodes([2, 1]))
        #expect(!decodes([1, 1]))
    }

    @Test func `A signed transaction above 32 KiB is refused`() {
        let signers = (0..<32).map { Policy.Signer(publicKey: filled($0), weight: 1) }
        let policy = try? Policy(signers: signers, spend: 1, admin: 1)
        let transaction = Transaction(
            chainID: .zero, sender: .zero, sequence: 0, validUntil: 0, maxFee: 0,
            operations: (0..<16).compactMap { _ in policy.map(Operation.setPolicy) })
        let authorizations = (0..<64).map {
            Authorization(publicKey: filled($0), signature: Signature(r: .zero, s: .zero))
        }
        let large = SignedTransaction(
            transaction: transaction, policies: (0..<9).compactMap { _ in policy },
            authorizations: authorizations)
        let count = large.byteCount
        #expect(count > TransactionLimits.bytesMax)
        #expect(throws: BCSError(.tooLong(count: count, maximum: 32_768), at: 0)) {
            try SignedTransaction(bcs: large.bcsBytes)
        }
    }
}
