internal import Consensus
package import Execution
internal import Mempool
package import Primitives

/// Checks what a store holds of the chain, row by row: each row against those that it must agree
/// with, and all against the genesis.
///
/// One audit is for one moment: `source` must not change under it (a snapshot, a stopped node's
/// store). Every row of every column in order, and `checkHead` before, make a whole check:
///
/// - blocks: each is its parent's child and is found by its digest; the state root that it names is
///   that of the height; the bodies that it orders are there once it is executed;
/// - finalizations: of the block at their height, by a quorum of its epoch's committee, which the
///   last block of the epoch before names; ends of epochs likewise;
/// - batches and acks: under their own digests; of the ledger: see `RowAudit`.
package struct ChainAudit: Sendable {
    /// How much is checked.
    package enum Depth: Sendable {
        /// Only that rows can be read: for a quick look.
        case readable
        /// Everything but signatures and the blocks' receipts: what a few reads for a row tell.
        case linked
        /// Everything.
        case whole
    }

    package let finalizedHeight: Height
    package let appliedHeight: Height
    package let stateRoot: Digest
    /// Receipts that executed blocks have, as far as blocks were checked.
    package private(set) var receiptCount: UInt64 = 0

    private let chain: ChainStore
    private let rows: RowAudit
    private let genesis: Genesis
    private let depth: Depth
    /// Committees of epochs that were met.
    private var committees: [Epoch: Committee]

    /// - Throws: `StorageFault` for a store without a ledger or of another genesis.
    package init(
        of source: any KeyValueSource, genesis: Genesis, depth: Depth
    ) throws(StorageFault) {
        chain = ChainStore(source)
        rows = try RowAudit(of: source)
        guard let summary = try LedgerReader(source).summary() else {
            throw StorageFault("the store holds no ledger")
        }
        guard summary.chainID == genesis.chainID else {
            throw StorageFault(
                "the store is of chain \(summary.chainID), the genesis of \(genesis.chainID)")
        }
        appliedHeight = summary.height
        stateRoot = summary.stateRoot
        finalizedHeight = try chain.finalizedHeight()
        self.genesis = genesis
        self.depth = depth
        committees = [0: genesis.committee]
    }

    /// Checks what the store says of itself: height, root and the newest block agree. O(1).
    package func checkHead() throws(StorageFault) {
        guard appliedHeight <= finalizedHeight else {
            throw StorageFault(
                "the state stands at height \(appliedHeight), beyond the chain's"
                    + " \(finalizedHeight)")
        }
        guard try chain.stateRoot(at: appliedHeight) == stateRoot else {
            throw StorageFault("the root noted for height \(appliedHeight) isn't the head's")
        }
        try rows.checkHead()
        guard finalizedHeight > 0 else { return }
        let end = try chain.end(of: genesis.epochs.epoch(of: finalizedHeight))
        guard let block = try chain.block(at: finalizedHeight), block.height == finalizedHeight,
            try chain.finalization(at: finalizedHeight)?.digest == block.digest
                || end?.boundary.digest == block.digest
        else {
            throw StorageFault("the finalized block \(finalizedHeight) or its proof is missing")
        }
    }

    /// Checks a row.
    /// - Throws: `StorageFault` that names the row and what is wrong with it.
    package mutating func check(_ row: KeyValue, in column: Column) throws(StorageFault) {
        if depth == .readable { return }
        switch column {
        case .meta: try checkMeta(row)
        case .blocks: try checkBlock(row)
        case .blockHeights: try checkHeight(row)
        case .finalizations: try checkFinalization(row)
        case .batches: try checkBatch(row)
        case .lanes: try ChainStore.checkLane(row)
        case .postings:
            try rows.check(row, in: column)
            try checkPosting(row)
        case .state, .nodes, .deadlines, .receipts, .escrowsByParty, .bonds, .history, .guarded:
            try rows.check(row, in: column)
        }
    }

    /// A posting has the time of its block.
    private func checkPosting(_ row: KeyValue) throws(StorageFault) {
        let posting = try Posting(row)
        let height = posting.place.height
        let time = height > 0 ? try chain.block(at: height)?.time : genesis.time
        guard posting.time == time else {
            throw StorageFault(
                "the posting \(posting.place) of \(posting.address) has another time than its block"
            )
        }
    }

    // MARK: Blocks

    private mutating func checkMeta(_ row: KeyValue) throws(StorageFault) {
        if let epoch = ChainStore.endedEpoch(row.key) { try checkEnd(of: epoch) }
        if let epoch = ChainStore.recordedEpoch(row.key) { _ = try committee(of: epoch) }
        guard let height = ChainStore.rootHeight(row.key) else { return }
        guard height <= appliedHeight, try chain.stateRoot(at: height) != nil else {
            throw StorageFault("a state root is noted for height \(height), which isn't executed")
        }
    }

    private mutating func committee(of epoch: Epoch) throws(StorageFault) -> Committee {
        if let committee = committees[epoch] { return committee }
        guard let record = try chain.record(of: epoch), record.epoch == epoch,
            let committee = try chain.committee(of: epoch, genesis: genesis),
            let end = try chain.end(of: epoch.clampedRetreat(by: 1))
        else { throw StorageFault("the committee of epoch \(epoch) is missing, or is another's") }
        guard end.boundary.nextSetHash == record.digest else {
            throw StorageFault("the committee of epoch \(epoch) isn't the one that was elected")
        }
        committees[epoch] = committee
        return committee
    }

    /// The proof that an epoch is over.
    private mutating func checkEnd(of epoch: Epoch) throws(StorageFault) {
        let height = genesis.epochs.last(of: epoch)
        guard let end = try chain.end(of: epoch), end.epoch == epoch, end.isLinked,
            try chain.block(at: height)?.digest == end.boundary.digest
        else { throw StorageFault("the end of epoch \(epoch) isn't that of its last block") }
        guard depth == .whole else { return }
        let context = CertificateContext(committee: try committee(of: epoch))
        guard Verified.check(end.certificate, in: context) != nil else {
            throw StorageFault("the end of epoch \(epoch) isn't signed by a quorum")
        }
    }

    private func height(_ key: [UInt8], _ column: Column) throws(StorageFault) -> Height {
        guard key.count == 8 else {
            throw StorageFault("\(Hex.encode(key)) isn't a key of the column \(column.rawValue)")
        }
        return Height(key.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private mutating func checkBlock(_ row: KeyValue) throws(StorageFault) {
        let height = try height(row.key, .blocks)
        guard let block = try chain.block(at: height), block.height == height,
            block.chainID == genesis.chainID, height > 0, height <= finalizedHeight
        else { throw StorageFault("what lies at height \(height) isn't a block of that height") }
        guard try digest(at: height.clampedRetreat(by: 1)) == block.parent.digest else {
            throw StorageFault("block \(height) isn't the child of the one below, or that is gone")
        }
        guard try chain.height(of: block.digest) == height else {
            throw StorageFault("block \(height) isn't found by its digest")
        }
        try checkExecuted(block)
        guard height <= appliedHeight else { return }
        let payload = try payload(of: block)
        for certificate in payload.certificates {
            guard try chain.hasBatch(certificate.digest) else {
                throw StorageFault("batch \(certificate.digest) of block \(height) is missing")
            }
        }
        if depth == .whole { try countReceipts(of: block, payload) }
    }

    private func payload(of block: Block) throws(StorageFault) -> BlockPayload {
        guard let payload = try? BlockPayload(decoding: block.payload) else {
            throw StorageFault("block \(block.height) has a broken payload")
        }
        return payload
    }

    private func digest(at height: Height) throws(StorageFault) -> Digest? {
        if height > 0 { return try chain.block(at: height)?.digest }
        guard let root = try chain.stateRoot(at: 0) else { return nil }
        return Block.genesis(chainID: genesis.chainID, time: genesis.time, stateRoot: root).digest
    }

    /// The state root that a quorum voted for is the one that this node noted.
    private func checkExecuted(_ block: Block) throws(StorageFault) {
        let executed = block.executed
        guard executed.height < block.height else {
            throw StorageFault("block \(block.height) names a state that comes after it")
        }
        guard executed.height <= appliedHeight else { return }
        guard try chain.stateRoot(at: executed.height) == executed.stateRoot else {
            throw StorageFault(
                "block \(block.height) has the state root \(executed.stateRoot) for height"
                    + " \(executed.height), the store notes another")
        }
    }

    /// The receipts of a block's transactions stand in the order in which these executed, from 0 on
    /// and without a gap. One without a receipt was skipped; one that stands there more than once
    /// executed where its turn had come.
    private mutating func countReceipts(
        of block: Block, _ payload: BlockPayload
    ) throws(StorageFault) {
        var transactions = payload.direct.map(\.id)
        for certificate in payload.certificates {
            let invalid = Set(certificate.invalid)
            let all = try chain.batch(certificate.digest)?.transactions ?? []
            transactions += all.enumerated().filter { !invalid.contains(UInt32($0.offset)) }
                .map(\.element.id)
        }
        var places: [TransactionID: UInt32] = [:]
        let reader = LedgerReader(chain.source)
        for id in Set(transactions) {
            guard let receipt = try reader.receipt(id), receipt.height == block.height else {
                continue
            }
            places[id] = receipt.index
        }
        var counted: Set<TransactionID> = []
        var next: UInt32 = 0
        for id in transactions where places[id] == next {
            counted.insert(id)
            next += 1
        }
        if let id = transactions.first(where: { places[$0] != nil && !counted.contains($0) }) {
            throw StorageFault(
                "block \(block.height): the receipt of \(id) hasn't a place that follows"
                    + " those before it: one is missing or isn't its own")
        }
        guard try reader.history(at: block.height)?.block == block.digest,
            try reader.receiptCount(at: block.height) == next
        else {
            throw StorageFault(
                "block \(block.height): the history names another block, or other receipts than"
                    + " the \(next) that are there")
        }
        receiptCount += UInt64(next)
    }

    private func checkHeight(_ row: KeyValue) throws(StorageFault) {
        guard let digest = Digest(bytes: row.key), let height = try chain.height(of: digest),
            try chain.block(at: height)?.digest == digest
        else { throw StorageFault("\(Hex.encode(row.key)) names a height of another block") }
    }

    private mutating func checkFinalization(_ row: KeyValue) throws(StorageFault) {
        let height = try height(row.key, .finalizations)
        guard let certificate = try chain.finalization(at: height),
            certificate.kind == .finalize,
            try chain.block(at: height)?.digest == certificate.digest
        else { throw StorageFault("the finalization of height \(height) isn't of its block") }
        guard depth == .whole else { return }
        let epoch = genesis.epochs.epoch(of: height)
        let context = CertificateContext(committee: try committee(of: epoch))
        guard Verified.check(certificate, in: context) != nil else {
            throw StorageFault("the finalization of height \(height) isn't signed by a quorum")
        }
    }

    private func checkBatch(_ row: KeyValue) throws(StorageFault) {
        guard let digest = Digest(bytes: row.key), try chain.batch(digest)?.digest == digest else {
            throw StorageFault("what lies at \(Hex.encode(row.key)) is another batch")
        }
    }
}
