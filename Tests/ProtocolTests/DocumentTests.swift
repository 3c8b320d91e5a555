import Execution
import Primitives
import Testing

@Suite("The protocol document says what the code does")
struct DocumentTests {
    private let document: ProtocolDocument

    init() throws { document = try ProtocolDocument() }

    @Test func `every hash domain is listed, and none besides`() throws {
        let listed = try document.table("| domain | hash of |").compactMap(\.first)
        #expect(listed.sorted() == HashDomain.allCases.map(\.rawValue).sorted())
    }

    @Test func `every domain fits into the personalization`() {
        for domain in HashDomain.allCases { #expect(domain.rawValue.utf8.count <= 16) }
    }

    @Test func `every kind of id is listed with its letters`() throws {
        let listed = try document.table("| letters | kind |").compactMap(\.first)
        #expect(listed == HumanID.Kind.allCases.map(\.rawValue))
    }

    @Test func `every reason for skipping is listed with its code`() throws {
        let listed = try document.table("| code | reason | |").map { Array($0.prefix(2)) }
        #expect(listed == SkipReason.allCases.map { [String($0.rawValue), $0.name] })
    }

    @Test func `every failure of an operation is listed with its code`() throws {
        let listed = try document.table("| code | failure | |").map { Array($0.prefix(2)) }
        #expect(listed == FailureCode.allCases.map { [String($0.rawValue), $0.name] })
    }

    @Test func `every limit is listed with its value`() throws {
        let limits: [(String, Int)] = [
            ("operationsMax", TransactionLimits.operationsMax),
            ("memoBytesMax", TransactionLimits.memoBytesMax),
            ("policySignersMax", TransactionLimits.policySignersMax),
            ("cosignersMax", TransactionLimits.cosignersMax),
            ("authorizationsMax", TransactionLimits.authorizationsMax),
            ("policiesMax", TransactionLimits.policiesMax),
            ("bytesMax", TransactionLimits.bytesMax),
            ("streamsMax", TransactionLimits.streamsMax),
            ("validityMillisecondsMax", Int(TransactionLimits.validityMillisecondsMax)),
            ("streamValidityMillisecondsMax", Int(TransactionLimits.streamValidityMillisecondsMax)),
            ("quorumMembersMax", TransactionLimits.quorumMembersMax),
            ("preimageBytesMax", TransactionLimits.preimageBytesMax),
            ("evidenceBytesMax", TransactionLimits.evidenceBytesMax),
            ("spendingLimitsMax", TransactionLimits.spendingLimitsMax),
            ("limitWindowMillisecondsMax", Int(TransactionLimits.limitWindowMillisecondsMax)),
            ("recoveryDelayMillisecondsMax", Int(TransactionLimits.recoveryDelayMillisecondsMax)),
            ("recoveryValidityMilliseconds", Int(TransactionLimits.recoveryValidityMilliseconds)),
        ]
        let listed = try document.table("| limit | value |").map { row in
            [row[0], String(row[1].prefix(while: \.isNumber))]
        }
        #expect(listed == limits.map { [$0.0, String($0.1)] })
    }

    @Test func `the example of a payment is what the code makes`() throws {
        let example = try document.example("payment")
        let payer = Person(seed: 7)
        let payee = Person(seed: 8)
        let payment = Transaction(
            chainID: exampleChain, sender: payer.address, sequence: 0,
            validUntil: 1_767_225_600_000, maxFee: 1000, tip: 5, memo: Array("rent".utf8),
            operations: [.transfer(Transfer(to: payee.address, amount: 2500))])
        let signed = SignedTransaction(
            signing: payment, policies: [payer.policy], by: [payer.key])
        let network = try NetworkPrefix("opk")
        #expect(
            example == [
                "seed": Hex.encode(repeatElement(7, count: 32)),
                "public key": payer.key.publicKey.description,
                "policy": Hex.encode(payer.policy.bcsBytes),
                "address": payer.address.description,
                "address text": payer.address.text(in: network),
                "payee": payee.address.description,
                "payee text": payee.address.text(in: network),
                "chain id": exampleChain.description,
                "transaction": Hex.encode(payment.bcsBytes),
                "id": payment.id.description,
                "id text": payment.id.text(in: network),
                "signature": payer.key.signature(over: payment.id.digest).description,
                "signed": Hex.encode(signed.bcsBytes),
            ])
        #expect(Verified.check(signed) != nil)
    }

    @Test func `the example of an escrow is what the code makes`() throws {
        let example = try document.example("escrow")
        let people = [7, 8, 9].map(Person.init(seed:))
        let (payer, payee, arbiter) = (people[0].address, people[1].address, people[2].address)
        let operation = Operation.escrowCreate(
            EscrowTerms(
                payee: payee, amount: 9000, release: try .one(payer), refund: try .one(payee),
                arbitration: try .one(arbiter), deadline: 1_767_229_200_000,
                arbitrationDeadline: 1_767_315_600_000))
        let transaction = Transaction(
            chainID: exampleChain, sender: payer, sequence: 1, validUntil: 1_767_225_600_000,
            maxFee: 1000, operations: [operation])
        let signed = SignedTransaction(signing: transaction, by: [people[0].key])
        let escrow = Escrow.id(transaction: transaction.id, operation: 0)
        #expect(
            example == [
                "arbiter": arbiter.description,
                "operation": Hex.encode(operation.bcsBytes),
                "id": transaction.id.description,
                "escrow id": escrow.description,
                "signed": Hex.encode(signed.bcsBytes),
            ])
        #expect(Verified.check(signed) != nil)
    }
}

let exampleChain = ChainID(bytes: repeatElement(0xAB, count: 32)) ?? .zero

/// An account with one key.
struct Person {
    let seed: UInt8
    let key: SecretKey
    var policy: Policy { .single(key.publicKey) }
    var address: Address { policy.address }

    /// The person whose seed is 32 times this byte.
    init(seed: UInt8) {
        self.seed = seed
        key = SecretKey(seed: SecureBytes(copying: repeatElement(seed, count: 32)))
    }
}

extension Quorum {
    /// One participant who decides alone.
    static func one(_ address: Address) throws -> Quorum {
        try Quorum(members: [Member(address: address, weight: 1)], threshold: 1)
    }
}
