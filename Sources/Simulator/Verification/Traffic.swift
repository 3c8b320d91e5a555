internal import Mempool
internal import Primitives

/// Keys and payments that every run uses: signed and checked once, since Ed25519 is what costs.
struct Traffic: Sendable {
    static let shared = Traffic()

    /// Users whose addresses share a shard in every committee of up to 16 validators.
    static let crowd = 0..<5
    /// Honest users.
    static let honest = 0..<10
    /// The honest user whom liars want to harm.
    static let victim = 5
    /// A user whose payments come with gaps and twice.
    static let careless = 10
    /// A user without an account.
    static let poor = 11
    static let crowdPayments = 64
    static let payments = 16

    let chainID = ChainID(Digest.hash(.random, Array("verification".utf8)).bytes32)
    /// For validators and verifiers, the last for somebody without a bond.
    let nodeKeys: [SecretKey]
    let users: [SecretKey]
    /// By user and sequence.
    let payments: [[SignedTransaction]]
    /// The signatures of all payments, checked.
    let proven: ProvenClaims

    private init() {
        nodeKeys = (0..<17).map { Traffic.key(1, $0) }
        let first = Traffic.key(2, 0)
        let shared = Traffic.residue(first)
        var crowd = [first]
        var salt = 1
        while crowd.count < Traffic.crowd.count {
            let key = Traffic.key(2, salt)
            if Traffic.residue(key) == shared { crowd.append(key) }
            salt += 1
        }
        let users = crowd + (0..<7).map { Traffic.key(3, $0) }
        let chainID = chainID
        var proven = ProvenClaims()
        var payments: [[SignedTransaction]] = []
        for (user, key) in users.enumerated() {
            let count = user < Traffic.crowd.count ? Traffic.crowdPayments : Traffic.payments
            payments.append(
                (0..<count).map { Traffic.payment(chainID, key, sequence: UInt64($0), amount: 1) })
            for payment in payments[user] {
                if let checked = Verified.check(payment) { proven.insert(checked, in: ()) }
            }
        }
        self.users = users
        self.payments = payments
        self.proven = proven
    }

    private static func key(_ kind: UInt64, _ index: Int) -> SecretKey {
        let seed = Digest.hash(.random, kind.bcsLittleEndian + UInt64(index).bcsLittleEndian)
        return SecretKey(seed: SecureBytes(copying: seed.bytes))
    }

    /// What decides the shard, since every shard count here divides 32.
    private static func residue(_ key: SecretKey) -> UInt64 {
        var hasher = Hasher256(.shard)
        hasher.update(Epoch(0).bcsBytes)
        hasher.update(Policy.single(key.publicKey).address.bytes32)
        return hasher.finalize().bytes32.remainder(dividingBy: 32)
    }

    static func payment(
        _ chainID: ChainID, _ key: SecretKey, sequence: UInt64, amount: UInt64
    ) -> SignedTransaction {
        let policy = Policy.single(key.publicKey)
        let transaction = Transaction(
            chainID: chainID, sender: policy.address, sequence: SequenceNumber(sequence),
            validUntil: Timestamp(.max), maxFee: 2,
            operations: [.transfer(Transfer(to: .zero, amount: Amount(amount)))])
        return SignedTransaction(signing: transaction, policies: [policy], by: [key])
    }

    func address(_ user: Int) -> Address { Policy.single(users[user].publicKey).address }
}

/// The finalized state as far as payments between these users need it.
struct SimulatedAccounts: AdmissionView, Equatable {
    private var next: [Address: SequenceNumber] = [:]
    private var balances: [Address: UInt64]

    init(_ traffic: Traffic) {
        balances = [:]
        for user in 0...Traffic.careless { balances[traffic.address(user)] = 1_000 }
    }

    func sequence(of address: Address) -> SequenceNumber { next[address] ?? 0 }

    private func cost(of body: Transaction) -> UInt64 {
        body.operations.reduce(body.maxFee.rawValue) {
            if case .transfer(let transfer) = $1 { $0 + transfer.amount.rawValue } else { $0 }
        }
    }

    func admission(of signed: SignedTransaction) throws(StorageFault) -> Admission {
        let body = signed.transaction
        if let reason = fault(of: signed) { return .refused(reason) }
        return .admissible(
            nextSequence: sequence(of: body.sender),
            spendable: Amount(balances[body.sender] ?? 0), cost: Amount(cost(of: body)),
            tip: 0)
    }

    /// What is certain to fail, an early sequence apart.
    private func fault(of signed: SignedTransaction) -> SkipReason? {
        let body = signed.transaction
        guard let balance = balances[body.sender] else { return .unknownSender }
        guard body.sequence >= sequence(of: body.sender) else { return .sequenceUsed }
        guard balance >= body.maxFee.rawValue else { return .insufficientForFee }
        let isSenders = signed.authorizations.contains {
            Policy.single($0.publicKey).address == body.sender
        }
        return isSenders ? nil : .notAuthorized
    }

    /// Carries out a payment whose signatures hold.
    mutating func execute(_ signed: SignedTransaction) -> SkipReason? {
        let body = signed.transaction
        if let reason = fault(of: signed) { return reason }
        guard body.sequence == sequence(of: body.sender) else { return .sequenceAhead }
        next[body.sender] = body.sequence.next
        let balance = balances[body.sender] ?? 0
        balances[body.sender] = balance - min(balance, cost(of: body))
        return nil
    }
}
