import Primitives

@testable import Execution

struct NaiveStream: Equatable {
    var lastUse: UInt64
    let deposit: UInt64
}

// Streams in the naive ledger: what one cost comes back 30 days after its last use.
extension NaiveLedger {
    static let month: UInt64 = 30 * 24 * 60 * 60 * 1000

    mutating func use(_ number: UInt16, of sender: Address, deposit: UInt64) {
        let kept = streams[sender]?[number]?.deposit ?? deposit
        streams[sender, default: [:]][number] = NaiveStream(lastUse: time, deposit: kept)
    }

    mutating func close(_ number: UInt16, _ sender: Address) throws {
        if number == 0 { throw Failed(code: .defaultStream) }
        guard let stream = streams[sender]?[number] else { throw Failed(code: .streamUnknown) }
        if time - stream.lastUse <= NaiveLedger.month { throw Failed(code: .streamInUse) }
        streams[sender]?[number] = nil
        next[sender]?[number] = nil
        balances[sender, default: 0] += stream.deposit
        deposits[sender, default: 0] -= stream.deposit
    }

    /// Number, next sequence, last use and deposit of each stream, in order.
    func streamRows(of address: Address) -> [[UInt64]] {
        (streams[address] ?? [:]).sorted { $0.key < $1.key }.map { number, stream in
            [UInt64(number), next[address]?[number] ?? 0, stream.lastUse, stream.deposit]
        }
    }
}
