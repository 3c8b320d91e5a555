internal import Consensus
internal import Execution
internal import Mempool
internal import NodeCore
internal import Primitives

/// What must hold of executed blocks, stores and answers; agreement and votes are `Oracle`'s.
///
/// Roots: equal at equal heights on all nodes. Supply: balanced after every block. Validity: what
/// executes was handed in and signed. Epochs: no tail block is committed.
/// Exactly once: a transaction has one receipt, at one height, the same bytes on all nodes.
/// Durability: what was called final has a receipt at that node, and at the end on all; a block is
/// executed upon bodies that the store was told before. Reads: what a node shows never goes back,
/// but for a loss of power.
struct NodeOracle {
    private let supply: Amount
    /// The highest executed height.
    private(set) var height: UInt64 = 0
    private var roots: [UInt64: Digest] = [:]
    /// Of each block, by height.
    private(set) var times: [Height: Timestamp] = [:]
    /// Where each transaction was executed.
    private var places: [TransactionID: Height] = [:]
    /// Receipts that were looked at, by their keys: the same bytes of another node say the same.
    private var receipts: [[UInt8]: [UInt8]] = [:]

    init(supply: Amount) { self.supply = supply }

    // MARK: While it runs

    /// A change of a store: receipts tell what was executed.
    mutating func note(
        _ writes: WriteSet, by host: SimulatedHost, _ history: NodeHistory,
        _ oracle: inout Oracle, _ marks: inout Marks
    ) {
        guard host.isHonest else { return }
        for change in writes.changes where change.column == .blocks {
            guard let bytes = change.value, let block = try? Block(bcs: bytes) else { continue }
            oracle.committed(block, by: host.index)
            oracle.expect(
                !block.header.tail, "node \(host.index) commits a tail block at \(block.height)")
            guard let payload = try? BlockPayload(decoding: block.payload) else { continue }
            if !payload.complaints.isEmpty { marks.reach(.complaintIncluded) }
            if !payload.direct.isEmpty { marks.reach(.directIncluded) }
        }
        for change in writes.changes where change.column == .receipts && change.key.count == 32 {
            if let known = receipts[change.key], known == change.value { continue }
            guard let bytes = change.value, let receipt = try? Receipt(bcs: bytes) else {
                oracle.fail("node \(host.index) writes a broken receipt")
                continue
            }
            oracle.expect(
                receipts[change.key] == nil,
                "node \(host.index) writes another receipt of \(receipt.transactionID)")
            receipts[change.key] = bytes
            let id = receipt.transactionID
            oracle.expect(
                history.submitted[id] != nil, "node \(host.index) executes what nobody handed in")
            oracle.expect(
                !history.forged.contains(id), "node \(host.index) executes what nobody signed")
            let known = places.updateValue(receipt.height, forKey: id)
            oracle.expect(
                known == nil || known == receipt.height,
                "\(id) executes at \(known ?? 0) and at \(receipt.height)")
        }
    }

    mutating func applied(
        _ height: Height, _ root: Digest, by host: SimulatedHost, _ oracle: inout Oracle
    ) {
        guard host.isHonest else { return }
        self.height = max(self.height, height.rawValue)
        let known = roots.updateValue(root, forKey: height.rawValue)
        oracle.expect(
            known == nil || known == root, "node \(host.index) has another root at \(height)")
        if let ledger = host.core?.value.ledger, ledger.height == height {
            times[height] = ledger.time
        }
        oracle.expect(
            NodeOracle.holdsBodies(of: height, host.store),
            "node \(host.index) executes \(height) before the store has its bodies")
        guard let totals = host.core?.value.ledger.totals else { return }
        oracle.expect(
            totals.isBalanced && totals.supply == supply,
            "supply at \(height) of node \(host.index): \(totals)")
    }

    /// A row that rotted isn't asked.
    private static func holdsBodies(of height: Height, _ store: SimulatedStore) -> Bool {
        let chain = ChainStore(store)
        guard let block = (try? chain.block(at: height)) ?? nil,
            let payload = try? BlockPayload(decoding: block.payload)
        else { return true }
        return payload.certificates.allSatisfy { (try? chain.hasBatch($0.digest)) != false }
    }

    /// A node called a transaction final: it must have the receipt.
    mutating func told(
        _ transaction: SignedTransaction, by host: SimulatedHost, _ oracle: inout Oracle
    ) {
        let receipt = try? LedgerReader(host.store).receipt(transaction.id)
        oracle.expect(
            receipt ?? nil != nil, "node \(host.index) calls final what it hasn't executed")
    }

    /// Heights never go back at a node. (What stands at a height stays, for its root does.)
    mutating func look(at host: SimulatedHost, _ oracle: inout Oracle) {
        let reader = LedgerReader(host.store)
        guard let summary = (try? reader.summary()) ?? nil else { return }
        oracle.expect(
            summary.height >= host.shownHeight,
            "node \(host.index) shows height \(summary.height) after \(host.shownHeight)")
        host.shownHeight = summary.height
        oracle.expect(
            summary.totals.isBalanced, "node \(host.index) shows \(summary.totals)")
    }

    /// Reasons for which an honest node may suffer: limits that a burst of honest messages reaches.
    static func mayHitHonest(_ reason: String) -> Bool { false }

    /// Whether a refusal holds for ever, whatever happens to the account. A veto's lack of weight
    /// may end; nobody vetoes here.
    static func isDefinite(_ reason: SkipReason) -> Bool {
        switch reason {
        case .wrongChain, .expired, .sequenceUsed, .policyMismatch, .unknownSigner,
            .notAuthorized, .invalidSignature:
            true
        case .validTooLong, .sequenceAhead, .unknownSender, .policyMissing, .feeTooLow,
            .insufficientForFee, .tooManyStreams, .limitReached:
            false
        }
    }
}
