internal import Consensus
internal import Execution
internal import Mempool
internal import Primitives

/// What finalized blocks do.
extension NodeCore {
    mutating func commit(_ blocks: [Block], _ certificate: Certificate) throws(StorageFault) {
        // One write for all: the tip in the store always has its finalization.
        var writes = WriteSet()
        for block in blocks where block.height > mempool.height {
            guard let payload = try? BlockPayload(decoding: block.payload) else {
                throw StorageFault("block \(block.height) was finalized with a broken payload")
            }
            payloads[block.digest] = payload
            pendingHeights[block.digest] = block.height
            try feed(.included(block.height, payload.certificates))
            let own = block.digest == certificate.digest ? certificate : nil
            writes.append(
                ChainStore.writes(block, payload, certificate: own, table: mempool.table))
            unexecuted.append(block)
        }
        if !writes.isEmpty { effects.append(.write(writes)) }
        forgetPassedBlocks()
        try executeReady()
    }

    /// Drops what was kept of blocks that can't become final any more.
    private mutating func forgetPassedBlocks() {
        deferredChecks.removeAll { $0.block.height <= mempool.height }
        let needed = Set(unexecuted.map(\.digest))
        for (digest, height) in pendingHeights
        where height <= mempool.height && !needed.contains(digest) {
            pendingHeights[digest] = nil
            payloads[digest] = nil
            proven[digest] = nil
        }
    }

    /// Executes finalized blocks as far as their certificates are proven and their bodies here.
    mutating func executeReady() throws(StorageFault) {
        var didExecute = false
        while let block = unexecuted.first, let batches = try executable(block) {
            unexecuted.removeFirst()
            try execute(block, batches)
            didExecute = true
        }
        guard didExecute else { return }
        try resumeChecks()
        try build()
    }

    /// The batches of a block ready for execution, or nil after having asked for what is missing.
    private mutating func executable(
        _ block: Block
    ) throws(StorageFault) -> [ExecutableBlock.Batch]? {
        let payload = try payload(of: block)
        try prove(payload, of: block.digest)
        guard let certificates = proven[block.digest] else { return nil }
        var batches: [ExecutableBlock.Batch] = []
        var missing: [BatchCertificate] = []
        for certificate in certificates {
            if let batch = try body(certificate.value.digest) {
                batches.append(
                    NodeCore.executable(batch, certificate, ledger.period(of: block.height)))
            } else {
                missing.append(certificate.value)
            }
        }
        guard missing.isEmpty else {
            try feed(.bodiesWanted(missing))
            return nil
        }
        return batches
    }

    private func payload(of block: Block) throws(StorageFault) -> BlockPayload {
        if let payload = payloads[block.digest] { return payload }
        guard let payload = try? BlockPayload(decoding: block.payload) else {
            throw StorageFault("block \(block.height) has a broken payload in the store")
        }
        return payload
    }

    private func body(_ digest: Digest) throws(StorageFault) -> Batch? {
        if let batch = mempool.body(digest) { return batch }
        return try store.batch(digest)
    }

    /// Every transaction but those that the certificate calls invalid.
    private static func executable(
        _ batch: Batch, _ certificate: Verified<BatchCertificate>, _ period: UInt64
    ) -> ExecutableBlock.Batch {
        let invalid = Set(certificate.value.invalid)
        let valid = batch.transactions.enumerated().filter { !invalid.contains(UInt32($0.offset)) }
        return ExecutableBlock.Batch(
            owner: certificate.value.header.content.owner,
            period: period,
            chunks: [
                .init(
                    transactions: UInt32(truncatingIfNeeded: batch.transactions.count),
                    verifiers: certificate.value.verifiers.map { VerifierIndex($0) })
            ],
            transactions: valid.map { Verified.attested($0.element, by: certificate) })
    }

    private mutating func execute(
        _ block: Block, _ batches: [ExecutableBlock.Batch]
    ) throws(StorageFault) {
        let certificates = proven[block.digest] ?? []
        let outcome = try ledger.execute(
            ExecutableBlock(
                height: block.height, time: block.time, proposer: block.proposer,
                batches: batches, systemValues: systemValues(certificates.map(\.value))))
        var writes = outcome.writes
        writes.append(ChainStore.rootWrites(outcome.stateRoot, at: block.height))
        effects.append(.write(writes))
        remember(outcome.stateRoot, at: block.height)
        for certificate in certificates { mempool.releaseBody(certificate.value.digest) }
        proven[block.digest] = nil
        payloads[block.digest] = nil
        pendingHeights[block.digest] = nil
        try report(block, batches, outcome)
    }

    /// The heads of the lanes that a block moves, as part of the state.
    private func systemValues(_ certificates: [BatchCertificate]) -> [ExecutableBlock.SystemValue] {
        var heads: [Lane: LaneTable.Head] = [:]
        for certificate in certificates {
            heads[certificate.lane] = LaneTable.Head(
                position: certificate.position, digest: certificate.digest)
        }
        return heads.keys.sorted().map { lane in
            ExecutableBlock.SystemValue(
                name: "lane/\(lane.shard)/\(lane.rank)", value: heads[lane]?.bcsBytes)
        }
    }

    private static func skipReason(_ result: TransactionResult) -> SkipReason? {
        guard case .skipped(_, let reason) = result else { return nil }
        return reason
    }

    private mutating func remember(_ root: Digest, at height: Height) {
        recentRoots[height] = root
        if height.rawValue > NodeCore.recentRootsMax {
            recentRoots[height.clampedRetreat(by: NodeCore.recentRootsMax + 1)] = nil
        }
    }

    /// Tells the mempool, the waiting clients and the log.
    private mutating func report(
        _ block: Block, _ batches: [ExecutableBlock.Batch], _ outcome: BlockOutcome
    ) throws(StorageFault) {
        let transactions = batches.flatMap(\.transactions).map(\.value)
        var executed: [ExecutedTransaction] = []
        executed.reserveCapacity(transactions.count)
        for (transaction, result) in zip(transactions, outcome.results) {
            executed.append(ExecutedTransaction(transaction, skipped: NodeCore.skipReason(result)))
        }
        for item in executed { try settleWaiting(item) }
        try feed(.executed(block.time, executed))
        let skipped = executed.reduce(0) { $0 + ($1.skipped == nil ? 0 : 1) }
        effects.append(
            .note(
                .applied(
                    height: block.height, transactions: executed.count, skipped: skipped,
                    stateRoot: outcome.stateRoot)))
    }
}
