package import Primitives

/// The state machine: the state after a block is a pure function of the state before it and of
/// the block.
///
/// Upon a block: carry out what is due (Expiry.swift); execute the transactions of its batches in
/// order (Executor.swift), the block's own first: skip, or fee and sequence and then all operations
/// or none; pay out the fees (Fees.swift); check the supply; determine a committee
/// (Elections.swift) and a verifier set (VerifierSets.swift) when their time has come; commit what
/// changed to the tree (StateTree.swift). All that must reach the disk is handed out as one
/// `WriteSet`.
///
/// The store is written later, so the ledger remembers what it handed out until `writesApplied()`.
///
/// Invariants, each checked where it could break: for every asset the parts of the totals make up
/// the supply; for every escrow what came in is held, released or refunded; equal blocks on equal
/// states give equal roots.
package struct Ledger: Sendable {
    /// How many times the base fee a transaction pays that the block itself carries.
    package static let directFeeFactor: UInt64 = 2

    /// The last block's height; 0 after genesis.
    package private(set) var height: Height
    package private(set) var stateRoot: Digest
    /// The last block's time.
    package private(set) var time: Timestamp
    package var totals: Totals { executor.totals }
    /// As genesis says, and as the validators have changed it since.
    package var parametersInForce: LedgerParameters { executor.rules.parameters }
    /// What a unit of weight costs in the next block.
    package var baseFee: BaseFee { executor.baseFee }
    /// Those of the periods that can still matter, by period.
    package internal(set) var verifierSets: [UInt64: VerifierSet]
    /// The committees of the epochs that can still matter.
    package internal(set) var epochs: EpochTable
    /// The newest block that ended an epoch; nil within the first one.
    var boundary: EpochBoundary?
    private let chainID: ChainID
    let source: any KeyValueSource
    private(set) var executor: Executor
    private var tree: StateTree
    private var history: HistoryLog
    private(set) var hasPendingWrites = false
    /// What the last block wrote: its memory is used again once nobody else holds it.
    private var lastWrites = WriteSet()
    private var accountBatch = StateBatch()

    /// The ledger that the store holds.
    /// - Parameters:
    ///   - judge: Says what reported evidence proves.
    ///   - planted: For simulations, a rule to break.
    /// - Throws: `StorageFault` when it holds none, another network's, or a damaged one.
    package init(
        opening source: any KeyValueSource, genesis: Genesis,
        judge: any EvidenceJudge = NoEvidence(), breaking planted: PlantedFault? = nil
    ) throws(StorageFault) {
        guard let head = try StoredState.head(in: source) else {
            throw StorageFault("the store holds no ledger; it must be started from a genesis first")
        }
        guard head.chainID == genesis.chainID else {
            throw StorageFault(
                "the store holds the ledger of chain \(head.chainID), the genesis is that of chain"
                    + " \(genesis.chainID); use the home folder that belongs to this genesis")
        }
        var rules = LedgerRules(genesis, planted: planted)
        let parameters = try LedgerReader(source).parameters()
        rules.parameters = parameters ?? genesis.parameters
        let epochs = try EpochTable(
            opening: source, genesis.parameters, genesis.chainID, at: head.height)
        try self.init(head, source, rules, epochs, judge)
    }

    private init(
        _ head: StoredState.Head, _ source: any KeyValueSource, _ rules: LedgerRules,
        _ epochs: EpochTable, _ judge: any EvidenceJudge
    ) throws(StorageFault) {
        guard let committee = epochs.committee(at: head.height) else {
            throw StorageFault("the committee at height \(head.height) isn't known")
        }
        height = head.height
        stateRoot = head.stateRoot
        time = head.time
        chainID = head.chainID
        self.source = source
        self.epochs = epochs
        boundary = try EpochBoundary.stored(in: source, epochs.schedule, at: head.height)
        verifierSets = try Ledger.storedSets(rules.periods, at: head.height, in: source)
        let accounts = AccountTable(
            cachedBytesMax: Executor.cachedAccountBytesMax,
            keepsPostings: try PostingIndex.start(in: source) != nil)
        executor = Executor(
            rules: rules, judge: judge, epochs: epochs, committee: committee, source: source,
            accounts: accounts, totals: head.totals,
            height: head.height, time: head.time,
            baseFee: try BaseFee.stored(in: source, first: rules.firstBaseFee))
        executor.proposalQueue = try ProposalQueue.stored(in: source)
        tree = StateTree()
        history = try HistoryLog(opening: source)
        guard history.count == head.height.rawValue else {
            throw StorageFault(
                "the history has \(history.count) blocks, the ledger stands at \(head.height)")
        }
    }

    /// The store now has every write that was handed out.
    package mutating func writesApplied() {
        guard hasPendingWrites else { return }
        hasPendingWrites = false
        executor.writesApplied()
        tree.writesApplied()
    }

    /// Executes the next block.
    ///
    /// - Precondition: Its height is one above the ledger's.
    /// - Throws: `StorageFault` when the store is damaged or the books don't balance; the ledger
    ///   must not be used any more then.
    package mutating func execute(_ block: ExecutableBlock) throws(StorageFault) -> BlockOutcome {
        precondition(block.height == height.next, "block \(block.height) after \(height)")
        executor.height = block.height
        executor.verifierSets = verifierSets
        executor.epochs = epochs
        executor.committee = try committee(at: block.height)
        executor.time = max(block.time, time)
        executor.usedWeight = 0
        executor.tips = []
        let before = (parameters: executor.rules.parameters, queue: executor.proposalQueue)
        try executor.carryOutProposals(atStartOfEpoch: epochs.schedule.isFirst(block.height))
        let expiries = try executor.carryOutDeadlines()
        let run = try executeTransactions(block)
        let results = run.results
        try checkSupply()
        var writes = lastWrites
        lastWrites = WriteSet()
        writes.removeAll()
        defer { lastWrites = writes }
        let receipts = Ledger.writeReceipts(results, into: &writes)
        for use in run.uses { writes.put(use.id.bytes, in: .receipts, for: use.key) }
        let receiptsRoot = StoredReceiptTree.write(receipts, at: block.height, into: &writes)
        executor.accounts.postings.write(at: block.height, time: executor.time, into: &writes)
        let head = appendToHistory(block, receiptsRoot, into: &writes)
        let values = block.systemValues + [head] + moveBaseFee() + queueValue(before.queue)
        stateRoot = try commit(block, values, changedFrom: before.parameters, into: &writes)
        height = block.height
        time = executor.time
        writes.put(self.head.bcsBytes, in: .meta, for: StoredState.headKey)
        hasPendingWrites = true
        return BlockOutcome(
            height: height, stateRoot: stateRoot, writes: writes, results: results,
            expiries: expiries, receiptsRoot: receiptsRoot, tips: executor.tips,
            isAboveTarget: executor.usedWeight > executor.rules.fees.targetWeight)
    }

    private func committee(at height: Height) throws(StorageFault) -> Committee {
        guard let committee = epochs.committee(at: height) else {
            throw StorageFault("the committee at height \(height) isn't known")
        }
        return committee
    }

    private func queueValue(_ before: ProposalQueue) -> [ExecutableBlock.SystemValue] {
        let queue = executor.proposalQueue
        guard queue != before else { return [] }
        let value = queue.entries.isEmpty ? nil : queue.bcsBytes
        return [ExecutableBlock.SystemValue(name: ProposalQueue.name, value: value)]
    }

    /// Sets the next block's base fee.
    /// - Returns: The value of the state, if it changed.
    private mutating func moveBaseFee() -> [ExecutableBlock.SystemValue] {
        let next = executor.baseFee.next(used: executor.usedWeight, executor.rules.fees)
        guard next != executor.baseFee else { return [] }
        executor.baseFee = next
        return [ExecutableBlock.SystemValue(name: BaseFee.name, value: next.bcsBytes)]
    }

    private mutating func appendToHistory(
        _ block: ExecutableBlock, _ receiptsRoot: Digest, into writes: inout WriteSet
    ) -> ExecutableBlock.SystemValue {
        let entry = HistoryEntry(
            height: block.height, block: block.digest, receiptsRoot: receiptsRoot)
        history.append(entry, into: &writes)
        let head = HistoryHead(count: history.count, root: history.root)
        return ExecutableBlock.SystemValue(name: HistoryHead.name, value: head.bcsBytes)
    }

    /// The block's own transactions and then those of its batches; pays out the fees.
    private mutating func executeTransactions(
        _ block: ExecutableBlock
    ) throws(StorageFault) -> Run {
        var run = Run()
        var split = FeeSplit(
            shares: executor.rules.fees.shares,
            validatorCount: executor.committee.count)
        let fees = try execute(block.direct, feeFactor: Ledger.directFeeFactor, &run)
        // Nothing else has paid a tip yet.
        let tips = executor.tips.reduce(UInt64(0)) { $0 + $1.rawValue }
        let usual = tips + (fees - tips) / Ledger.directFeeFactor
        split.addDirect(fees, usual: usual, proposer: block.proposer)
        for batch in block.batches {
            let fees = try execute(batch.transactions, feeFactor: 1, &run)
            split.add(
                fees, of: batch, set: verifierSets[batch.period], proposer: block.proposer)
        }
        try executor.distribute(split)
        return run
    }

    /// What a block's transactions have come to so far.
    private struct Run {
        var results: [TransactionResult] = []
        /// Which transaction used which sequence of which stream: the rows of those.
        var uses: [(key: [UInt8], id: TransactionID)] = []
        /// The place of the next receipt.
        var index: UInt32 = 0
    }

    /// - Returns: The sum of the fees, part of the supply, which 64 bits hold.
    private mutating func execute(
        _ transactions: [Verified<SignedTransaction>], feeFactor: UInt64, _ run: inout Run
    ) throws(StorageFault) -> UInt64 {
        var fees: UInt64 = 0
        let foresight = AccountForesight(transactions)
        for (place, transaction) in transactions.enumerated() {
            executor.foresee(foresight, after: place)
            let result = try executor.execute(
                transaction.value, index: run.index, feeFactor: feeFactor)
            run.results.append(result)
            guard case .executed(let receipt) = result else { continue }
            if let key = StoredState.useKey(of: transaction.value.transaction) {
                run.uses.append((key, receipt.transactionID))
            }
            fees += receipt.fee.rawValue
            run.index += 1
        }
        return fees
    }

    private func checkSupply() throws(StorageFault) {
        guard !totals.isBalanced else { return }
        throw StorageFault(
            "supply at height \(executor.height): balances \(totals.balances), escrowed"
                + " \(totals.escrowed), bonded \(totals.bonded), deposits \(totals.deposits) and"
                + " undistributed \(totals.undistributed) don't make up \(totals.supply)")
    }

    /// - Returns: The leaves of the receipts' tree.
    private static func writeReceipts(
        _ results: [TransactionResult], into writes: inout WriteSet
    ) -> [Bytes32] {
        var leaves = ReceiptTree.Leaves()
        for case .executed(let receipt) in results {
            writes.put(in: .receipts) {
                $0.append(receipt.transactionID)
            } value: {
                $0.append(receipt)
            }
            writes.withLastValue { leaves.append($0) }
        }
        return leaves.takeHashes()
    }

    private var head: StoredState.Head {
        StoredState.Head(
            chainID: chainID, height: height, stateRoot: stateRoot, time: time, totals: totals)
    }
}

extension Ledger {
    /// Takes the block's changes out of the executor and commits them to the tree.
    private mutating func commit(
        _ block: ExecutableBlock, _ systemValues: [ExecutableBlock.SystemValue],
        changedFrom parameters: LedgerParameters, into writes: inout WriteSet
    ) throws(StorageFault) -> Digest {
        var changes: [StateTree.Change] = []
        var accounts = accountBatch
        accountBatch = StateBatch()
        executor.accounts.takeChanges { change in
            GuardianIndex.move(change.key, from: change.before, to: change.after, &writes)
            accounts.write(change.after, change.key, at: change.path, into: &writes)
        }
        accounts.takeChanges(into: &changes)
        accountBatch = accounts
        for change in executor.escrows.takeChanges(isGone: { $0.state == .closed }) {
            guard let escrow = change.after else { continue }
            try index(escrow, before: change.before, into: &writes)
            // One that opened and closed in the same block was never in the state.
            guard escrow.state != .closed || change.before != nil else { continue }
            changes.append(
                StateWriter.write(
                    escrow.state == .closed ? nil : escrow, StateKey(.escrow, change.key),
                    at: change.path, into: &writes))
        }
        changes += commitVerifiers(into: &writes)
        changes += try commitAssets(into: &writes)
        changes += commitProposals(into: &writes)
        if executor.rules.parameters != parameters {
            let key = StateKey.parameters
            changes.append(
                StateWriter.write(executor.rules.parameters, key, at: key.path, into: &writes))
        }
        // A set is made with the committee of its epoch.
        let determined = try determineEpochs(block) + determineSet()
        changes += Ledger.write(systemValues + determined, into: &writes)
        changes.sort { $0.path < $1.path }
        return try tree.update(changes, source: source, into: &writes)
    }

    private mutating func commitVerifiers(into writes: inout WriteSet) -> [StateTree.Change] {
        var changes: [StateTree.Change] = []
        for change in executor.verifiers.takeChanges(isGone: \.isGone) {
            executor.bonds.move(
                change.key, from: change.before?.bonded ?? 0, to: change.after?.bonded ?? 0,
                &writes)
            let left = change.after.flatMap { $0.isGone ? nil : $0 }
            changes.append(
                StateWriter.write(
                    left, StateKey(.verifier, change.key), at: change.path, into: &writes))
        }
        return changes
    }

    private mutating func commitProposals(into writes: inout WriteSet) -> [StateTree.Change] {
        var changes: [StateTree.Change] = []
        for change in executor.proposals.takeChanges(isGone: \.isGone) {
            let left = change.after.flatMap { $0.isGone ? nil : $0 }
            guard left != nil || change.before != nil else { continue }
            changes.append(
                StateWriter.write(
                    left, StateKey(.proposal, change.key), at: change.path, into: &writes))
        }
        return changes
    }

    private mutating func commitAssets(
        into writes: inout WriteSet
    ) throws(StorageFault) -> [StateTree.Change] {
        var changes: [StateTree.Change] = []
        for change in executor.assets.takeChanges(isGone: \.isRetired) {
            if let asset = change.after, !asset.isBalanced {
                throw StorageFault(
                    "supply of asset \(change.key) at height \(executor.height): balances"
                        + " \(asset.balances) and escrowed \(asset.escrowed) don't make up"
                        + " \(asset.supply)")
            }
            let left = change.after.flatMap { $0.isRetired ? nil : $0 }
            guard left != nil || change.before != nil else { continue }
            changes.append(
                StateWriter.write(
                    left, StateKey(.asset, change.key), at: change.path, into: &writes))
        }
        return changes
    }

    /// Deadline, parties, and what stays readable of a closed escrow.
    private mutating func index(
        _ escrow: Escrow, before: Escrow?, into writes: inout WriteSet
    ) throws(StorageFault) {
        guard escrow.isBalanced else {
            throw StorageFault(
                "escrow \(escrow.id): held \(escrow.held), released \(escrow.released) and"
                    + " refunded \(escrow.refunded) aren't what was paid in")
        }
        executor.deadlines.move(escrow.id, from: before?.due, to: escrow.due, &writes)
        if before == nil {
            for party in escrow.parties {
                writes.put([], in: .escrowsByParty, for: StoredState.partyKey(party, escrow.id))
            }
        }
        if escrow.state == .closed {
            let key = StoredState.closedEscrowKey(escrow.id)
            writes.put(escrow.bcsBytes, in: .receipts, for: key)
        }
    }

    private static func write(
        _ systemValues: [ExecutableBlock.SystemValue], into writes: inout WriteSet
    ) -> [StateTree.Change] {
        var last: [String: Int] = [:]
        for (place, value) in systemValues.enumerated() { last[value.name] = place }
        var changes: [StateTree.Change] = []
        for (place, value) in systemValues.enumerated() where last[value.name] == place {
            let key = StateKey.system(value.name)
            changes.append(
                StateWriter.write(raw: value.value, key, at: key.path, into: &writes))
        }
        return changes
    }
}
