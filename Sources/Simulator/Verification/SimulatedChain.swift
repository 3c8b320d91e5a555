internal import Mempool
internal import NodeCore
internal import Primitives

/// The finalized chain: one for all nodes, which follow it each at its own pace.
struct SimulatedChain {
    struct Outcome {
        let executed: [ExecutedTransaction]
        /// The accounts after the block.
        let accounts: SimulatedAccounts
    }

    let genesis: SimulatedAccounts
    private(set) var blocks: [(payload: BlockPayload, time: Timestamp)] = []
    /// The shard table after each height, from 0.
    private(set) var tables: [LaneTable] = [LaneTable()]
    private(set) var outcomes: [Outcome] = []
    private(set) var final: Set<TransactionID> = []
    private(set) var passedOver: UInt64 = 0
    private(set) var certificateCount: UInt64 = 0
    /// Indexes of batches whose signatures don't hold, as far as somebody needed to know.
    var truths: [Digest: [UInt32]] = [:]

    init(accounts: SimulatedAccounts) { genesis = accounts }

    var height: Height { Height(UInt64(blocks.count)) }
    var table: LaneTable { tables[tables.count - 1] }
    var executedCount: UInt64 { UInt64(final.count) }
    /// The accounts after the newest executed block.
    var accounts: SimulatedAccounts { outcomes.last?.accounts ?? genesis }

    mutating func append(_ payload: BlockPayload, _ table: LaneTable, at time: Timestamp) {
        blocks.append((payload, time))
        tables.append(table)
        passedOver += UInt64(payload.complaints.count)
        certificateCount += UInt64(payload.certificates.count)
    }

    mutating func append(_ outcome: Outcome) {
        outcomes.append(outcome)
        for item in outcome.executed where item.skipped == nil { final.insert(item.id) }
    }

    func accounts(after height: Height) -> SimulatedAccounts {
        height == 0 ? genesis : outcomes[Int(height.rawValue) - 1].accounts
    }

    /// The rule by which voters judge a block's lanes, or nil if they refuse it.
    static func table(
        after table: LaneTable, including payload: BlockPayload, at height: Height,
        in layout: ShardLayout
    ) -> LaneTable? {
        var table = table
        do throws(LaneTable.Fault) {
            for complaint in payload.complaints {
                guard complaint.isComplete(at: height, in: layout) else { return nil }
                try table.passOver(complaint.lane)
            }
            for certificate in payload.certificates {
                try table.include(certificate.header, at: height, in: layout.settings)
            }
        } catch {
            return nil
        }
        _ = table.prune(before: layout.oldestTerm(at: height))
        return table
    }
}
