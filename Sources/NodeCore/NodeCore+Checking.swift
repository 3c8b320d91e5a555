internal import Consensus
internal import Execution
internal import Mempool
internal import Primitives

/// What a validator checks of a proposed block before it votes.
extension NodeCore {
    /// Answers the engine, now or when an execution or a check of signatures is done.
    mutating func check(_ block: Block, _ context: ChainContext) throws(StorageFault) {
        guard let payload = wellFormed(block, context) else {
            return try drive(.blockChecked(block.digest, valid: false))
        }
        switch try judgeExecuted(block, context.parent).and(try judgeNextSet(block, context)) {
        case .wrong: return try drive(.blockChecked(block.digest, valid: false))
        case .undecided: return deferredChecks.append((block, context))
        case .right: break
        }
        payloads[block.digest] = payload
        pendingHeights[block.digest] = block.height
        try prove(payload, of: block.digest)
        if proven[block.digest] != nil {
            try drive(.blockChecked(block.digest, valid: true))
        }
    }

    /// The payload, if it has the one encoding, keeps the lanes' rule and the block's limits.
    private func wellFormed(_ block: Block, _ context: ChainContext) -> BlockPayload? {
        guard let payload = try? BlockPayload(decoding: block.payload),
            !block.header.tail,
            var table = table(after: context), include(block, in: &table)
        else { return nil }
        let fits =
            payload.transactionCount <= BatchLimits.blockTransactionsMax
            && payload.bodyBytes <= BatchLimits.blockBodyBytesMax
        return fits ? payload : nil
    }

    private enum Judgement {
        case right, wrong, undecided

        /// Of both.
        func and(_ other: Judgement) -> Judgement {
            if self == .wrong || other == .wrong { return .wrong }
            return self == .right ? other : self
        }
    }

    /// Compares the header's claim about the executed state with this node's own.
    private func judgeExecuted(
        _ block: Block, _ parent: Block
    ) throws(StorageFault) -> Judgement {
        let claim = block.executed
        guard claim.height >= parent.executed.height, claim.height < block.height,
            mayCarryPayload(block.height, executed: claim.height) || block.payload.isEmpty
        else { return .wrong }
        guard claim.height <= ledger.height else { return .undecided }
        // Empty blocks may name a height far below what was executed meanwhile.
        var root = recentRoots[claim.height]
        if root == nil { root = try store.stateRoot(at: claim.height) }
        return root == claim.stateRoot ? .right : .wrong
    }

    /// The last block of an epoch names the committee that its ancestors elect.
    private mutating func judgeNextSet(
        _ block: Block, _ context: ChainContext
    ) throws(StorageFault) -> Judgement {
        guard let claim = block.header.nextSetHash else { return .right }
        guard let record = try nextRecord(after: context) else { return .undecided }
        return record.digest == claim ? .right : .wrong
    }

    /// Starts the check of what isn't known yet; afterwards `proven` has it, or will have it.
    mutating func prove(_ payload: BlockPayload, of digest: Digest) throws(StorageFault) {
        guard proven[digest] == nil, !proving.contains(digest) else { return }
        let epoch = unexecuted.first { $0.digest == digest }?.epoch ?? committee.epoch
        let known = payload.certificates.compactMap { mempool.verified($0) }
        guard known.count == payload.certificates.count, payload.direct.isEmpty,
            payload.complaints.isEmpty
        else {
            proving.insert(digest)
            return effects.append(
                .check(.payload(block: digest, payload, in: layout(of: epoch)), .consensus))
        }
        proven[digest] = ProvenPayload(certificates: known, direct: [])
    }

    mutating func finishProving(
        _ digest: Digest, _ payload: CheckedPayload
    ) throws(StorageFault) {
        proving.remove(digest)
        let certificates = payload.certificates.compactMap(\.self)
        let direct = payload.direct.compactMap(\.self)
        guard payload.complaintsHold, certificates.count == payload.certificates.count,
            direct.count == payload.direct.count
        else {
            if unexecuted.contains(where: { $0.digest == digest }) {
                effects.append(.halt("block \(digest) is final with a wrong signature"))
            }
            return try drive(.blockChecked(digest, valid: false))
        }
        for certificate in certificates { mempool.learn(certificate, at: moment.now) }
        mempool.noteDirect(direct)
        proven[digest] = ProvenPayload(certificates: certificates, direct: direct)
        try drive(.blockChecked(digest, valid: true))
        try executeReady()
    }

    /// Takes up what waited for an execution.
    mutating func resumeChecks() throws(StorageFault) {
        let waiting = deferredChecks
        deferredChecks = []
        for item in waiting where item.block.height > mempool.height {
            try check(item.block, item.context)
        }
    }
}
