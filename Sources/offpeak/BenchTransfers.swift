internal import Primitives
internal import RPC
internal import Synchronization

/// The accounts of a measurement. A number makes their keys: the same number, the same transfers.
struct BenchAccounts: Sendable {
    let seed: UInt64
    /// In order of the account's number.
    let publicKeys: [PublicKey]
    /// In the same order.
    let addresses: [Address]

    init(seed: UInt64, count: Int) async {
        let keys = await parallelMap(count) {
            BenchAccounts.secretKey(seed: seed, account: $0).publicKey
        }
        self.seed = seed
        publicKeys = keys
        addresses = await parallelMap(count) { Policy.single(keys[$0]).address }
    }

    /// The key of an account: made when it is needed, since each takes locked memory of its own.
    func secretKey(_ account: Int) -> SecretKey {
        BenchAccounts.secretKey(seed: seed, account: account)
    }

    private static func secretKey(seed: UInt64, account: Int) -> SecretKey {
        let bytes = seed.bcsLittleEndian + UInt64(account).bcsLittleEndian
        return SecretKey(seed: SecureBytes(copying: Digest.hash(.random, bytes).bytes))
    }
}

/// A transfer that is signed and ready to be sent.
struct PreparedTransfer: Sendable {
    /// The signed transaction in base64.
    let text: String
    /// The first eight bytes of its id.
    let key: UInt64
    /// The length of the signed transaction, which its fee depends on.
    let byteCount: Int
}

/// What every transfer of a measurement has in common.
struct BenchTransfers: Sendable {
    let accounts: BenchAccounts
    let chainID: ChainID
    let validUntil: Timestamp
    /// Whether an account's first transfer has to reveal its policy.
    let revealsPolicies: Bool
    /// More than the fee of a transfer; the sender must hold it.
    let maxFee: Amount

    /// What each transfer moves.
    static let amount = Amount(1)

    /// The account that gets transfer `round` of `account`: every account gets one in each round.
    static func payee(of account: Int, round: Int, count: Int) -> Int {
        (account + 1 + round * 7919) % count
    }

    /// Signs `total` transfers on all processors: transfer i is number i / accounts of account
    /// i % accounts, so that an account's next one comes after all others have had their turn.
    /// - Parameter progress: called now and then with the share that is done, 0...1.
    func sign(
        _ total: Int, progress: @escaping @Sendable (Double) -> Void
    ) async -> [PreparedTransfer] {
        let count = accounts.addresses.count
        let done = Mutex(0)
        let byAccount = await parallelMap(min(count, total)) { account in
            let rounds = (total - account + count - 1) / count
            let transfers = sign(account: account, rounds: rounds)
            let signed = done.withLock { value in
                value += rounds
                return value
            }
            if account.isMultiple(of: 64) { progress(Double(signed) / Double(total)) }
            return transfers
        }
        return (0..<total).map { byAccount[$0 % count][$0 / count] }
    }

    private func sign(account: Int, rounds: Int) -> [PreparedTransfer] {
        let key = accounts.secretKey(account)
        return (0..<rounds).map { round in
            let reveals = revealsPolicies && round == 0
            let signed = SignedTransaction(
                signing: transaction(account: account, round: round),
                policies: reveals ? [.single(key.publicKey)] : [], by: [key])
            return PreparedTransfer(
                text: Base64.encode(signed.bcsBytes), key: signed.id.bytes32.leadingWord,
                byteCount: signed.byteCount)
        }
    }

    private func transaction(account: Int, round: Int) -> Transaction {
        let count = accounts.addresses.count
        let payee = BenchTransfers.payee(of: account, round: round, count: count)
        return Transaction(
            chainID: chainID, sender: accounts.addresses[account],
            sequence: SequenceNumber(UInt64(round)), validUntil: validUntil,
            maxFee: maxFee,
            operations: [
                .transfer(Transfer(to: accounts.addresses[payee], amount: BenchTransfers.amount))
            ])
    }
}

/// `transform` of 0..<count, in order, on all processors.
func parallelMap<Value: Sendable>(
    _ count: Int, _ transform: @escaping @Sendable (Int) -> Value
) async -> [Value] {
    let pieces = min(count, 64)
    return await withTaskGroup(of: (Int, [Value]).self) { group in
        for piece in 0..<pieces {
            let range = sliceRange(piece, of: pieces, count: count)
            group.addTask { (piece, range.map(transform)) }
        }
        var results = Array(repeating: [Value](), count: pieces)
        for await (piece, values) in group { results[piece] = values }
        return results.flatMap { $0 }
    }
}

/// The part at `index` of 0..<count cut into `parts` of nearly equal length.
func sliceRange(_ index: Int, of parts: Int, count: Int) -> Range<Int> {
    (count * index / parts)..<(count * (index + 1) / parts)
}
