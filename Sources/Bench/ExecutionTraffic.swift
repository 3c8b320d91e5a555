internal import Execution
internal import Primitives

/// Transfers between accounts that are drawn from a seed. One key may sign for all of them beside
/// a key of their own, so that a million accounts need no million keys to be made.
struct ExecutionTraffic {
    private let chainID: ChainID
    private let payers: Int
    private let all: Int
    private let signer: PublicKey
    private var generator = BenchGenerator(state: 7)
    private var sequences: [UInt32]

    init(chainID: ChainID, payers: Int, all: Int, signer: PublicKey) {
        self.chainID = chainID
        self.payers = payers
        self.all = all
        self.signer = signer
        sequences = [UInt32](repeating: 0, count: payers)
    }

    static func policy(_ number: UInt64, _ signer: PublicKey) -> Policy {
        let own = PublicKey(Digest.hash(.random, number.bcsLittleEndian).bytes32)
        let signers = [own, signer].map { Policy.Signer(publicKey: $0, weight: 1) }
        do throws(Policy.Fault) {
            return try Policy(signers: signers, spend: 1, admin: 1)
        } catch {
            preconditionFailure("the policy of account \(number): \(error)")
        }
    }

    private func address(_ number: Int) -> Address {
        ExecutionTraffic.policy(UInt64(number), signer).address
    }

    /// Transfers of payers that are drawn, in the order of their sequences.
    mutating func payments(_ count: Int) -> [Transaction] {
        (0..<count).map { _ in
            let payee = address(Int(generator.next() % UInt64(all)))
            return transaction(
                from: Int(generator.next() % UInt64(payers)), [Transfer(to: payee, amount: 1)])
        }
    }

    /// Credits of 1 to accounts, by several payers.
    mutating func credits(_ accounts: Range<Int>) -> [Transaction] {
        let step = TransactionLimits.operationsMax
        return stride(from: accounts.lowerBound, to: accounts.upperBound, by: step).map { start in
            let group = start..<min(start + step, accounts.upperBound)
            return transaction(
                from: start / step % payers,
                group.map { Transfer(to: address($0), amount: 1) })
        }
    }

    private mutating func transaction(from payer: Int, _ transfers: [Transfer]) -> Transaction {
        defer { sequences[payer] += 1 }
        return Transaction(
            chainID: chainID, sender: address(payer),
            sequence: SequenceNumber(UInt64(sequences[payer])), validUntil: 80_000_000,
            maxFee: 1_000_000, operations: transfers.map { .transfer($0) })
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): draws the same in every run.
private struct BenchGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
