internal import Consensus
internal import Execution
internal import Mempool
internal import Primitives

/// How a node gets from one epoch into the next.
extension NodeCore {
    /// Goes on with the next committee if the epoch is over and the state names that committee.
    /// - Returns: Whether it did.
    mutating func enterNextEpoch() throws(StorageFault) -> Bool {
        guard consensus.end != nil else { return false }
        let next = consensus.epoch.clampedAdvance(by: 1)
        guard let record = ledger.epochs.record(of: next), let committee = ledger.epochs[next]
        else { return false }
        former = layout
        var layout = configuration.layout(of: committee)
        layout.setVerifierSets(ledger.verifierSets)
        let lanes = configuration.planted == .lanesKept ? LaneTable() : mempool.table
        var writes = ChainStore.writes(entering: record, closing: lanes)
        if configuration.planted == .committeeUnsaved { writes = WriteSet() }
        for key in try store.ackKeys() { writes.delete(key, in: .lanes) }
        mempool.enter(layout, ownIndex: configuration.ownIndex(in: committee), at: moment.now)
        // Acks of the old lanes go with the lanes: until then a restart must find both.
        var needsSync = false
        for effect in mempool.takeWrites() {
            switch effect {
            case .store(let more):
                writes.append(more)
                needsSync = true
            case .forget(let more): writes.append(more)
            default: preconditionFailure("an effect that is no write among writes")
            }
        }
        effects.append(.write(writes))
        if needsSync { effects.append(.sync) }
        forgetOldEpoch()
        // The store has the boundary block only after this event.
        let boundary = consensus.finalized
        formerConsensus = consensus
        let entering =
            configuration.planted == .entryUnasked ? configuration.voting(.full) : configuration
        consensus = SimplexEngine(
            configuration: NodeCore.consensusConfiguration(
                entering, committee, from: boundary,
                tip: ConsensusConfiguration.Tip(block: boundary, certificate: nil)),
            journal: [], at: moment)
        lastView = 0
        try drive(.start)
        try feed(.advanced(ledger.height, verifierSets: ledger.verifierSets))
        return true
    }

    /// The committee of the next epoch by the state after the blocks of `context`; nil while bodies
    /// are missing.
    ///
    /// As a rule execution has come so far. Where blocks that aren't final yet pile up it can't,
    /// and nothing might ever become final without a block above them: then they are executed on
    /// a copy of the ledger, for what they elect is a function of the chain alone.
    mutating func nextRecord(
        after context: ChainContext
    ) throws(StorageFault) -> EpochRecord? {
        let next = committee.epoch.clampedAdvance(by: 1)
        if let record = ledger.epochs.record(of: next) { return record }
        if let foreseen, foreseen.parent == context.parent.digest { return foreseen.record }
        let decision = configuration.genesis.epochs.decision(of: next)
        let ahead = unexecuted.filter { $0.height <= context.finalized.height } + context.pending
        var blocks: [ExecutableBlock] = []
        for block in ahead where block.height > ledger.height && block.height <= decision {
            guard let batches = try executable(block) else { return nil }
            blocks.append(try executableBlock(block, batches))
        }
        // The tables of a large ledger take their time to copy: once for each chain.
        var copy = ledger
        for block in blocks {
            guard block.height == copy.height.next else { return nil }
            _ = try copy.execute(block)
        }
        guard let record = copy.epochs.record(of: next) else { return nil }
        foreseen = (context.parent.digest, record)
        return record
    }

    /// What the old epoch's engine asked for isn't wanted any more.
    private mutating func forgetOldEpoch() {
        deferredChecks = []
        pendingBuild = nil
        buildAt = nil
        heightAboveFloor = nil
        foreseen = nil
    }

    /// The layout that a block's certificates are checked in: the present one or that of the epoch
    /// before, which execution may still be in.
    func layout(of epoch: Epoch) -> ShardLayout {
        guard epoch != committee.epoch, let former, former.committee.epoch == epoch else {
            return layout
        }
        return former
    }

    /// After a restart in an epoch whose predecessor isn't executed.
    mutating func setFormer() throws(StorageFault) {
        let next = ledger.height.clampedAdvance(by: 1)
        let epoch = configuration.genesis.epochs.epoch(of: next)
        guard epoch < committee.epoch, let committee = ledger.epochs[epoch] else { return }
        former = configuration.layout(of: committee)
        former?.setVerifierSets(ledger.verifierSets)
    }
}
