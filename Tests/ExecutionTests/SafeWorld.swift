import Primitives
import Testing

@testable import Execution

/// A joint account of three keys, of which two spend and three change, with 1,000,000 in a world
/// where nothing costs a fee; alice, bob and carol may guard it.
struct SafeWorld {
    static let hour: UInt64 = 3_600_000
    static let day: UInt64 = 24 * hour

    var world: World
    let keys = (60...62).map { Person($0).key }
    let policy: Policy
    /// What a recovery shall put in force.
    let other: Policy
    /// The key that spends by the other policy.
    let found = Person(70)

    init(baseFee: Amount = 0) throws {
        policy = try Policy(
            signers: keys.map { .init(publicKey: $0.publicKey, weight: 1) }, spend: 2, admin: 3)
        other = try Policy(
            signers: [found.key.publicKey, keys[0].publicKey].map {
                .init(publicKey: $0, weight: 1)
            }, spend: 1, admin: 2)
        world = try World(
            extra: [GenesisAccount(owner: .policy(policy), balance: 1_000_000)], baseFee: baseFee,
            verification: VerificationParameters(minimumBond: 1000))
    }

    var address: Address { policy.address }
    var now: UInt64 { world.ledger.time.rawValue }

    var account: Account {
        get throws { try #require(try world.reader.account(address)) }
    }

    /// What the limit of the native asset leaves.
    var room: UInt64? {
        get throws { try account.room(for: .native, at: world.ledger.time)?.rawValue }
    }

    static func limit(_ amount: UInt64, window: UInt64 = hour) -> SafeguardTerms {
        SafeguardTerms(limits: [SpendingLimit(amount: Amount(amount), windowMilliseconds: window)])
    }

    /// Alice, bob and carol, two of whom are enough.
    func guardians(delay: UInt64 = hour, limit: UInt64? = nil) throws -> SafeguardTerms {
        SafeguardTerms(
            limits: limit.map { SafeWorld.limit($0).limits } ?? [],
            guardians: Guardians(
                quorum: try EscrowWorld.quorum([world.alice, world.bob, world.carol], 2),
                delayMilliseconds: delay))
    }

    /// One transaction of the joint account, signed by so many of its keys.
    mutating func result(
        _ operations: [Operation], keys count: Int = 2, stream: UInt16 = 0, at time: UInt64? = nil,
        maxFee: Amount = 100_000, tip: Amount = 0
    ) throws -> TransactionResult {
        let transaction = try world.transaction(
            address, operations, stream: stream, validUntil: (time ?? now) + 10_000,
            maxFee: maxFee, tip: tip)
        let signed = SignedTransaction(signing: transaction, by: keys.prefix(count).map { $0 })
        return try #require(try world.run([signed], at: time ?? now).first)
    }

    /// Whether two of the three keys can't: a limit leaves less, and nothing changes.
    mutating func isHeldBack(_ operations: Operation..., at time: UInt64? = nil) throws -> Bool {
        let before = try account
        let result = try result(operations, at: time)
        let after = try account
        return reason([result]) == .limitReached && after == before
    }

    @discardableResult
    mutating func spend(
        _ operations: Operation..., keys count: Int = 2, at time: UInt64? = nil
    ) throws -> FailureCode? {
        let result = try result(operations, keys: count, at: time)
        guard case .executed = result else { throw Unexpected(what: "\(result)") }
        return failure([result])
    }

    /// As `spend`, with all keys.
    @discardableResult
    mutating func change(_ operations: Operation...) throws -> FailureCode? {
        let result = try result(operations, keys: 3)
        guard case .executed = result else { throw Unexpected(what: "\(result)") }
        return failure([result])
    }

    func pay(_ amount: UInt64) -> Operation { world.transfer(amount, to: world.dave) }

    /// Guardians, and others, propose the other policy.
    mutating func propose(
        _ people: [Person], _ policy: Policy? = nil, of account: Address? = nil,
        at time: UInt64? = nil
    ) throws -> FailureCode? {
        let proposal = RecoveryProposal(account: account ?? address, policy: policy ?? other)
        return try act(people, .proposeRecovery(proposal), at: time)
    }

    /// The first person acts, the others sign with it.
    mutating func act(
        _ people: [Person], _ operation: Operation, at time: UInt64? = nil
    ) throws -> FailureCode? {
        failure(
            try world.run(
                people[0], operation, cosigners: Array(people.dropFirst()), at: time ?? now))
    }

    mutating func complete(at time: UInt64) throws -> FailureCode? {
        try act([world.dave], .completeRecovery(address), at: time)
    }

    /// The owner, two keys of three, vetoes in a transaction that dave pays.
    mutating func veto(at time: UInt64? = nil) throws -> FailureCode? {
        failure(try world.run([try cosignedVeto(keys: 2, at: time)], at: time ?? now))
    }

    func cosignedVeto(keys count: Int, at time: UInt64? = nil) throws -> SignedTransaction {
        let transaction = try world.transaction(
            world.dave.address, [.vetoRecovery(address)], validUntil: (time ?? now) + 10_000,
            cosigners: [address])
        return SignedTransaction(
            signing: transaction, by: [world.dave.key] + keys.prefix(count).map { $0 })
    }

    func ownVeto(keys count: Int) throws -> SignedTransaction {
        SignedTransaction(
            signing: try world.transaction(
                address, [.vetoRecovery(address)], validUntil: now + 10_000),
            by: keys.prefix(count).map { $0 })
    }

    /// Whether two of three keys are too few for a veto: nothing comes of it, and all three do it
    /// with the same transaction.
    mutating func isSecondVetoHeldBack(
        _ veto: (Int) throws -> SignedTransaction
    ) throws -> Bool {
        let (stripped, whole) = (try veto(2), try veto(3))
        let before = try (account, world.reader.account(world.dave.address))
        let refused = try world.ledger.admission(of: stripped) == .refused(.notAuthorized)
        let skipped = reason(try world.run([stripped])) == .notAuthorized
        let after = try (account, world.reader.account(world.dave.address))
        guard case .executed(let receipt)? = try world.run([whole]).first else { return false }
        let isDone = receipt.outcome == .success
        return stripped.id == whole.id && refused && skipped && before == after && isDone
    }
}
