internal import Consensus
internal import Execution
internal import Mempool
internal import Primitives

/// What finalized blocks do.
extension NodeCore {
    /// - Parameter end: With the last blocks of an epoch, that it is over.
    mutating func commit(
        _ blocks: [Block], _ certificate: Certificate, _ end: EpochEnd? = nil
    ) throws(StorageFault) {
        // One write for all: the tip in the store always has its finalization.
        var writes = WriteSet()
        for block in blocks where block.height > mempool.height {
            guard let payload = try? BlockPayload(decoding: block.payload) else {
                throw StorageFault("block \(block.height) was finalized with a broken payload")
            }
            payloads[block.digest] = payload
            pendingHeights[block.digest] = block.height
            let before = mempool.table
            try feed(
                .included(
                    block.height, payload.certificates,
                    passedOver: payload.complaints.map(\.lane)))
            let own = block.digest == certificate.digest ? certificate : nil
            writes.append(ChainStore.writes(block, certificate: own))
            if configuration.planted != .lanesUnsaved {
                writes.append(ChainStore.writes(from: before, to: mempool.table))
            }
            unexecuted.append(block)
        }
        if let end { writes.append(ChainStore.writes(end)) }
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
        try prepareAhead()
        // Bodies may also be what the last block of an epoch waits for.
        guard didExecute || !deferredChecks.isEmpty || pendingBuild != nil else { return }
        try resumeChecks()
        try build()
    }

    /// What is needed to execute a block, or nil after having asked for what is missing.
    mutating func executable(
        _ block: Block
    ) throws(StorageFault) -> [ExecutableBlock.Batch]? {
        let payload = try payload(of: block)
        try prove(payload, of: block.digest)
        guard let proven = proven[block.digest] else { return nil }
        var batches: [ExecutableBlock.Batch] = []
        var missing: [BatchCertificate] = []
        for certificate in proven.certificates {
            if let batch = try body(certificate.value.digest) {
                batches.append(executable(batch, certificate))
            } else {
                missing.append(certificate.value)
            }
        }
        guard missing.isEmpty else {
            try feed(.bodiesWanted(missing, of: layout(of: block.epoch).committee))
            return nil
        }
        return batches
    }

    /// Finalized blocks behind the one that waits whose bodies are fetched meanwhile, as long as
    /// all these bodies stay within what one block may order. What is beyond waits for its turn.
    private static let preparedBlocksMax = 8

    /// A node that is behind would otherwise wait for the bodies of each block in turn. Nothing but
    /// bodies: whose word counts for a batch may be known only when the blocks before are executed.
    private mutating func prepareAhead() throws(StorageFault) {
        let waiting = unexecuted.dropFirst().prefix(NodeCore.preparedBlocksMax)
        var bytes: UInt64 = 0
        for block in waiting {
            let payload = try payload(of: block)
            bytes += payload.bodyBytes
            guard bytes <= BatchLimits.blockBodyBytesMax else { break }
            guard block.height > preparedHeight else { continue }
            preparedHeight = block.height
            var missing: [BatchCertificate] = []
            for certificate in payload.certificates where try body(certificate.digest) == nil {
                missing.append(certificate)
            }
            guard !missing.isEmpty else { continue }
            try feed(.bodiesWanted(missing, of: layout(of: block.epoch).committee))
        }
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

    /// Every transaction but those that the certificate calls invalid, with whom to thank for it.
    private func executable(
        _ batch: Batch, _ certificate: Verified<BatchCertificate>
    ) -> ExecutableBlock.Batch {
        let value = certificate.value
        let invalid = Set(value.invalid)
        let valid = batch.transactions.enumerated().filter { !invalid.contains(UInt32($0.offset)) }
        let sealed = value.header.sealedHeight(layout.settings) ?? 0
        return ExecutableBlock.Batch(
            owner: value.header.content.owner, period: layout.settings.period(of: sealed),
            chunks: (0..<value.header.chunkCount).map { chunk in
                ExecutableBlock.ChunkCredit(
                    transactions: UInt32(value.header.range(ofChunk: chunk).count),
                    verifiers: value.verifiers(ofChunk: chunk))
            },
            transactions: valid.map { Verified.attested($0.element, by: certificate) })
    }

    private mutating func execute(
        _ block: Block, _ batches: [ExecutableBlock.Batch]
    ) throws(StorageFault) {
        let certificates = proven[block.digest]?.certificates ?? []
        let former = try formerLanes(before: block)
        let outcome = try ledger.execute(try executableBlock(block, batches))
        try writeCollected()
        var writes = outcome.writes
        writes.append(ChainStore.rootWrites(outcome.stateRoot, at: block.height))
        writes.append(ChainStore.forgetting(former))
        if configuration.planted == .writesSplit {
            let parts = writes.halves
            effects += [.write(parts.0), .write(parts.1)]
        } else {
            effects.append(.write(writes))
        }
        remember(outcome.stateRoot, at: block.height)
        for certificate in certificates { mempool.releaseBody(certificate.value.digest) }
        try report(block, batches, outcome)
        proven[block.digest] = nil
        payloads[block.digest] = nil
        pendingHeights[block.digest] = nil
        dropOldAccusations()
    }

    /// What the ledger is given of a block whose certificates are proven.
    func executableBlock(
        _ block: Block, _ batches: [ExecutableBlock.Batch]
    ) throws(StorageFault) -> ExecutableBlock {
        ExecutableBlock(
            height: block.height, digest: block.digest, time: block.time,
            proposer: block.proposer, direct: proven[block.digest]?.direct ?? [],
            batches: batches,
            systemValues: try shardValues(of: block, try formerLanes(before: block)))
    }

    /// What a block changes in the shard table, as part of the state: ranks of record and lanes'
    /// heads, and the going of those of terms whose batches have all expired.
    private func shardValues(
        of block: Block, _ former: (lanes: [Lane], tenures: [Tenure])
    ) throws(StorageFault) -> [ExecutableBlock.SystemValue] {
        let payload = try payload(of: block)
        let layout = layout(of: block.epoch)
        var values = payload.complaints.map { $0.lane.tenure.stateValue(rank: $0.lane.rank + 1) }
        for certificate in payload.certificates {
            values.append(
                certificate.lane.stateValue(
                    LaneTable.Head(
                        position: certificate.position, digest: certificate.digest)))
        }
        let changed = Set(values.map(\.name))
        let closed =
            former.lanes.map { $0.stateValue(nil) }
            + former.tenures.map { $0.stateValue(rank: nil) }
        values += closed.filter { !changed.contains($0.name) }
        let gone = Set(values.map(\.name))
        return values + pastValues(at: block.height, layout).filter { !gone.contains($0.name) }
    }

    /// What the first block of an epoch takes out of the state: what the one before left there.
    private func formerLanes(
        before block: Block
    ) throws(StorageFault) -> (lanes: [Lane], tenures: [Tenure]) {
        guard block.height > 1, configuration.genesis.epochs.isFirst(block.height) else {
            return ([], [])
        }
        return try store.formerLanes()
    }

    /// The lanes and ranks of the terms that end to matter at `height`.
    private func pastValues(
        at height: Height, _ layout: ShardLayout
    ) -> [ExecutableBlock.SystemValue] {
        let oldest = layout.oldestTerm(at: height)
        let before = layout.oldestTerm(at: height.clampedRetreat(by: 1))
        var values: [ExecutableBlock.SystemValue] = []
        for shard in 0..<UInt16(layout.shardCount) {
            for term in before(shard)..<max(before(shard), oldest(shard)) {
                values.append(Tenure(shard: shard, term: term).stateValue(rank: nil))
                for rank in 0..<UInt16(layout.committee.count) {
                    values.append(Lane(shard: shard, term: term, rank: rank).stateValue(nil))
                }
            }
        }
        return values
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
        let direct = proven[block.digest]?.direct ?? []
        let transactions = (direct + batches.flatMap(\.transactions)).map(\.value)
        var executed: [ExecutedTransaction] = []
        executed.reserveCapacity(transactions.count)
        for (transaction, result) in zip(transactions, outcome.results) {
            executed.append(ExecutedTransaction(transaction, skipped: NodeCore.skipReason(result)))
        }
        // Below the target there is room for everybody: a tip buys nothing.
        tips.note(outcome.isAboveTarget ? outcome.tips : outcome.tips.map { _ in 0 })
        former?.setVerifierSets(ledger.verifierSets)
        try feed(.advanced(block.height, verifierSets: ledger.verifierSets))
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

extension Lane {
    /// The lane's head in the state; nil takes it away.
    fileprivate func stateValue(_ head: LaneTable.Head?) -> ExecutableBlock.SystemValue {
        ExecutableBlock.SystemValue(name: "lane/\(shard)/\(term)/\(rank)", value: head?.bcsBytes)
    }
}

extension Tenure {
    /// The rank of record in the state; nil takes it away.
    fileprivate func stateValue(rank: UInt16?) -> ExecutableBlock.SystemValue {
        ExecutableBlock.SystemValue(
            name: "owner/\(shard)/\(term)", value: rank.map { ValidatorIndex($0).bcsBytes })
    }
}
