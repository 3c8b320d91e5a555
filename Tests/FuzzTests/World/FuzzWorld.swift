import Consensus
import Execution
import Mempool
import Primitives
import TestSupport

@testable import NodeCore

/// The states that inputs meet, and the bytes that inputs are made from. Always the same.
struct FuzzWorld: Sendable {
    /// A message with its sender.
    struct Said: Sendable {
        let from: PeerID
        let message: NodeMessage
    }

    let keys: FuzzKeys
    /// Validator 0 in the middle of everything: it waits for acks, votes and answers.
    let live: FuzzNode
    /// A node that has only just started, and the verifier.
    let others: [FuzzNode]
    /// What was said, in order, what `live` waits for last.
    let said: [Said]
    /// Transactions of every kind that can execute next.
    let transactions: [(name: String, transaction: SignedTransaction)]
    /// What `live` has in its journal.
    let journal: [Consensus.JournalRecord]

    static let shared: FuzzWorld = {
        do {
            return try FuzzWorld()
        } catch {
            fatalError("the world can't be made: \(error)")
        }
    }()

    private init() throws {
        keys = try FuzzKeys()
        let start = try FuzzNetwork(keys, newcomer: 3)
        var network = try FuzzNetwork(keys)
        let story = Story(keys)
        for transaction in story.past { try network.submit(transaction, to: 1) }
        try network.run(milliseconds: 4000)
        network.isolated = 0
        for transaction in story.present { try network.submit(transaction, to: 0) }
        for transaction in story.elsewhere { try network.submit(transaction, to: 2) }
        try network.run(milliseconds: 600)
        live = network.frozen(0)
        others = [start.frozen(3), network.frozen(4)]
        said = network.heard.map { [keys] in Said(from: keys.peer($0.from), message: $0.message) }
        transactions = story.next
        journal = network.journals[0]
        try expect(live.core.ledger.height > 0, "nothing was executed")
    }

    /// Who sends a message in which `member` speaks.
    func peer(_ member: ValidatorIndex) -> PeerID {
        Int(member.rawValue) < 4 ? keys.peer(Int(member.rawValue)) : keys.peer(1)
    }
}
