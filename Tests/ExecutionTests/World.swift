@_spi(Simulation) import Primitives
import Testing

@testable import Execution

/// A key with the account that it opens.
struct Person: Sendable {
    let key: SecretKey
    let policy: Policy
    var address: Address { policy.address }

    init(_ seed: UInt8) {
        key = SecretKey(seed: SecureBytes(copying: [UInt8](repeating: seed, count: 32)))
        policy = .single(key.publicKey)
    }
}

/// A ledger on a store in memory, with people who have money.
struct World {
    static let start: UInt64 = 1_000_000
    static let balance: UInt64 = 10_000_000
    static let stake: UInt64 = 1_000_000

    let alice = Person(1)
    let bob = Person(2)
    let carol = Person(3)
    let dave = Person(4)
    /// Has no account.
    let erin = Person(5)
    let validators = (0..<4).map { Person(UInt8(100 + $0)) }
    let treasury = Person(200)
    /// The key and the node of a verifier that dave owns where `isBonded` is given.
    let verifier = Person(150)
    let genesis: Genesis
    let store = MemoryStore()
    var ledger: Ledger
    private(set) var lastResults: [TransactionResult] = []
    private(set) var lastOutcome: BlockOutcome?

    init(
        extra: [GenesisAccount] = [], escrow: EscrowParameters = .init(), baseFee: Amount = 1,
        consensus: ConsensusParameters = .init(), verification: VerificationParameters = .init(),
        stake: StakeParameters = .init(), governance: GovernanceParameters = .init(),
        isBonded: Bool = false, safeguards: SafeguardParameters = .init(),
        fees: ((Address) -> FeeParameters)? = nil
    ) throws {
        let people = [alice, bob, carol, dave]
        let accounts = people.map {
            GenesisAccount(owner: .policy($0.policy), balance: Amount(World.balance))
        }
        genesis = try Genesis(
            network: "test", prefix: "tst", time: Timestamp(World.start),
            accounts: accounts + extra,
            validators: validators.map {
                GenesisValidator(
                    votingKey: $0.key.publicKey, peerID: PeerID($0.key.publicKey),
                    rewardAddress: $0.address, stake: Amount(World.stake))
            },
            verifiers: isBonded
                ? [
                    GenesisVerifier(
                        key: verifier.key.publicKey, peerID: PeerID(verifier.key.publicKey),
                        rewardAddress: dave.address, bond: Amount(World.stake))
                ] : [],
            parameters: LedgerParameters(
                fees: fees?(treasury.address)
                    ?? FeeParameters(
                        baseFee: baseFee, escrowDeposit: 0, treasury: treasury.address),
                stake: stake, escrow: escrow, consensus: consensus, verification: verification,
                governance: governance, safeguards: safeguards))
        store.apply(Ledger.genesisWrites(genesis).writes)
        ledger = try Ledger(opening: store, genesis: genesis, judge: FakeJudge())
    }

    /// The same ledger from the store.
    func reopened() throws -> Ledger {
        try Ledger(opening: store, genesis: genesis, judge: FakeJudge())
    }

    var reader: LedgerReader { LedgerReader(store) }

    func balance(_ person: Person) throws -> UInt64 {
        try balance(person.address)
    }

    func balance(_ address: Address) throws -> UInt64 {
        try reader.account(address)?.balance(of: .native).rawValue ?? 0
    }

    /// A transaction of `sender`, with the sequence that is next unless said otherwise.
    func transaction(
        _ sender: Address, _ operations: [Operation], stream: UInt16 = 0, sequence: UInt64? = nil,
        validUntil: UInt64? = nil, maxFee: Amount = 100_000, tip: Amount = 0,
        cosigners: [Address] = [], chainID: ChainID? = nil
    ) throws -> Transaction {
        let next = try reader.account(sender)?.nextSequence(on: stream) ?? 0
        return Transaction(
            chainID: chainID ?? genesis.chainID, sender: sender, stream: stream,
            sequence: sequence.map { SequenceNumber($0) } ?? next,
            validUntil: Timestamp(validUntil ?? ledger.time.rawValue + 1_000_000), maxFee: maxFee,
            tip: tip, cosigners: cosigners, operations: operations)
    }

    /// The digest of the block that the world has at a height.
    static func digest(_ height: Height) -> Digest { .hash(.block, height.bcsBytes) }

    /// Executes one block a second later with one batch of `transactions`, whose signatures are
    /// checked; applies its writes and audits the whole state.
    @discardableResult
    mutating func run(
        _ transactions: [SignedTransaction], direct: [SignedTransaction] = [],
        at time: UInt64? = nil, checkedBy verifiers: [UInt16] = [2, 3],
        system: [ExecutableBlock.SystemValue] = []
    ) throws -> [TransactionResult] {
        let height = try #require(ledger.height.next)
        let chunk = ExecutableBlock.ChunkCredit(
            transactions: UInt32(transactions.count), verifiers: verifiers.map { .init($0) })
        let block = ExecutableBlock(
            height: height, digest: World.digest(height),
            time: Timestamp(time ?? ledger.time.rawValue + 1000), proposer: ValidatorIndex(0),
            direct: try direct.map { try #require(Verified.check($0)) },
            batches: [
                .init(
                    owner: ValidatorIndex(1), period: ledger.period(of: height), chunks: [chunk],
                    transactions: try transactions.map { try #require(Verified.check($0)) })
            ], systemValues: system)
        let outcome = try ledger.execute(block)
        store.apply(outcome.writes)
        ledger.writesApplied()
        _ = try ledger.audit()
        lastOutcome = outcome
        return outcome.results
    }

    /// Executes one transaction of one person in a block of its own.
    @discardableResult
    mutating func run(
        _ person: Person, _ operations: Operation..., cosigners: [Person] = [],
        at time: UInt64? = nil
    ) throws -> Receipt.Outcome {
        let transaction = try transaction(
            person.address, operations, validUntil: (time ?? ledger.time.rawValue) + 1_000_000,
            cosigners: cosigners.map(\.address))
        let unknown = try cosigners.filter { try reader.account($0.address)?.policy == nil }
        let signed = SignedTransaction(
            signing: transaction, policies: unknown.map(\.policy),
            by: [person.key] + cosigners.map(\.key))
        let results = try run([signed], at: time)
        guard case .executed(let receipt)? = results.first else {
            throw Unexpected(what: "skipped: \(results)")
        }
        return receipt.outcome
    }

    func transfer(_ amount: UInt64, to person: Person) -> Operation {
        .transfer(Transfer(to: person.address, amount: Amount(amount)))
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let what: String
    var description: String { what }
}

func reason(_ results: [TransactionResult]) -> SkipReason? {
    if case .skipped(_, let reason)? = results.first { reason } else { nil }
}

func failure(_ results: [TransactionResult]) -> FailureCode? {
    guard case .executed(let receipt)? = results.first else { return nil }
    return failure(receipt.outcome)
}

func failure(_ outcome: Receipt.Outcome) -> FailureCode? {
    if case .failed(_, let code) = outcome { code } else { nil }
}
