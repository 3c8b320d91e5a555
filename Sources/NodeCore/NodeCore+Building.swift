internal import Consensus
internal import Execution
internal import Mempool
internal import Primitives

/// What a leader proposes.
extension NodeCore {
    /// Answers the engine's request to build, if there is one and an answer is possible.
    mutating func build() throws(StorageFault) {
        guard let request = pendingBuild else { return }
        let parent = request.context.parent
        guard let height = parent.height.next, ledger.height >= parent.executed.height,
            let table = table(after: request.context)
        else { return }
        var nextSet: Digest?
        if configuration.genesis.epochs.isLast(height) {
            guard let record = try nextRecord(after: request.context) else { return }
            nextSet = record.digest
        }
        let payload =
            mayCarryPayload(height, executed: ledger.height)
            ? proposal(after: table, at: height) : BlockPayload([])
        guard !payload.isEmpty || request.mayBeEmpty, isPaced(after: parent) else { return }
        pendingBuild = nil
        let contents = BlockContents(
            payload: payload.bytes,
            executed: ExecutedRef(height: ledger.height, stateRoot: ledger.stateRoot),
            time: moment.wall, nextSetHash: nextSet)
        try drive(.blockBuilt(request.view, contents))
    }

    /// The owners that complaints pass over, what owners left out, and certified batches: fewer
    /// while execution is behind.
    private func proposal(after table: LaneTable, at height: Height) -> BlockPayload {
        let complaints = mempool.passable(after: table, at: height)
        var table = table
        for complaint in complaints { try? table.passOver(complaint.lane) }
        let lag = height.rawValue - min(height.rawValue, ledger.height.rawValue)
        var certificates = mempool.includable(after: table, at: height)
        if lag > executionLagMax / 2 {
            certificates = Array(certificates.prefix(max(1, certificates.count / 4)))
        }
        return BlockPayload(certificates, direct: mempool.direct, complaints: complaints)
    }

    /// Under load blocks keep a distance, so that they grow instead of multiplying: each costs
    /// every validator the same votes.
    private mutating func isPaced(after parent: Block) -> Bool {
        buildAt = nil
        let elapsed = moment.wall.clampedRetreat(by: parent.time.rawValue).rawValue
        guard elapsed < NodeCore.blockInterval, isFull(parent) else { return true }
        buildAt = moment.now.advanced(byMilliseconds: NodeCore.blockInterval - elapsed)
        return false
    }

    /// Whether a block carries enough that the next should wait for more.
    private func isFull(_ block: Block) -> Bool {
        guard let payload = payloads[block.digest] ?? (try? BlockPayload(decoding: block.payload))
        else { return false }
        return payload.transactionCount >= NodeCore.busyTransactions
    }

    /// Milliseconds between two blocks while the first has `busyTransactions` or more.
    static let blockInterval: UInt64 = 80
    static let busyTransactions = 32

    /// Whether execution is near enough for a block at `height` to bring more to execute.
    ///
    /// Further on blocks are empty. They must be possible: blocks that were notarized and not
    /// finalized pile up while messages are slow, none of them can be executed before a later one
    /// is final, and without a later one the chain would stand still for ever.
    func mayCarryPayload(_ height: Height, executed: Height) -> Bool {
        height <= executed.clampedAdvance(by: executionLagMax)
    }

    var executionLagMax: UInt64 { configuration.genesis.parameters.consensus.executionLagMax }

    /// The lanes after a block's ancestors, or nil if a pending one breaks their rule. Ancestors
    /// that were finalized since the context was made are in the table already.
    func table(after context: ChainContext) -> LaneTable? {
        var table = mempool.table
        for block in context.pending where block.height > mempool.height {
            guard include(block, in: &table) else { return nil }
        }
        return table
    }

    /// Whether a block's batches follow the lanes, which move on.
    func include(_ block: Block, in table: inout LaneTable) -> Bool {
        let known = payloads[block.digest]
        guard let payload = known ?? (try? BlockPayload(decoding: block.payload)) else {
            return false
        }
        do throws(LaneTable.Fault) {
            for complaint in payload.complaints {
                guard complaint.isComplete(at: block.height, in: layout) else { return false }
                try table.passOver(complaint.lane)
            }
            for certificate in payload.certificates {
                try table.include(
                    certificate.header, at: block.height, in: layout.settings)
            }
        } catch {
            return false
        }
        return true
    }
}
