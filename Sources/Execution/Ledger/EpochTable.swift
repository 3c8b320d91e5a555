package import Primitives

/// The committees of the epochs that can still matter, as the state has them.
///
/// That of epoch 0 is genesis'; each later one is elected a lag before its epoch (Elections.swift).
/// An epoch is kept until evidence about its last height expires: evidence about an earlier epoch
/// is judged by the committee of that epoch. In the state each is a value of its own, so that it
/// can be proven and a restart finds it again.
package struct EpochTable: Hashable, Sendable {
    /// The most epochs of a table: with 128 validators each, about 10 MB.
    package static let countMax: UInt64 = 256

    private struct Entry: Hashable, Sendable {
        let record: EpochRecord
        let committee: Committee
    }

    package let schedule: EpochSchedule
    /// Heights after an epoch's last one for which it is kept.
    private let keptBlocks: UInt64
    private let chainID: ChainID
    private var entries: [Epoch: Entry] = [:]
    /// The newest epoch whose committee is known.
    package private(set) var newest: Epoch = 0

    /// Epoch 0 alone, as at height 0.
    package init(_ genesis: Genesis) {
        self.init(genesis.parameters, genesis.chainID)
        entries[0] = Entry(record: genesis.epochRecord, committee: genesis.committee)
    }

    private init(_ parameters: LedgerParameters, _ chainID: ChainID) {
        schedule = parameters.epochs
        keptBlocks = parameters.verification.unbondBlocks
        self.chainID = chainID
    }

    /// What the store has for a ledger at `height`.
    /// - Throws: `StorageFault` where an epoch that must be there is missing or damaged.
    init(
        opening source: any KeyValueSource, _ parameters: LedgerParameters, _ chainID: ChainID,
        at height: Height
    ) throws(StorageFault) {
        self.init(parameters, chainID)
        let reader = LedgerReader(source)
        for number in oldest(at: height).rawValue...schedule.newest(after: height).rawValue {
            guard let record = try reader.epochRecord(Epoch(number)) else {
                throw StorageFault(
                    "the store lacks the committee of epoch \(number); move the store away and let"
                        + " the node fetch the chain again")
            }
            try insert(record)
        }
    }

    /// The committee of an epoch, nil where it isn't known yet or not any more.
    package subscript(epoch: Epoch) -> Committee? { entries[epoch]?.committee }

    /// What the state has of an epoch, nil where it isn't known yet or not any more.
    package func record(of epoch: Epoch) -> EpochRecord? { entries[epoch]?.record }

    /// The committee that the block at a height belongs to.
    package func committee(at height: Height) -> Committee? {
        self[schedule.epoch(of: height)]
    }

    /// Those that are known, in their order.
    package var epochs: [Epoch] { entries.keys.sorted() }

    /// The oldest epoch that the state after `height` has.
    func oldest(at height: Height) -> Epoch {
        schedule.epoch(of: height.clampedRetreat(by: keptBlocks))
    }

    /// Whether the state after `height` has `epoch`.
    static func isKept(
        _ epoch: Epoch, at height: Height, _ parameters: LedgerParameters
    ) -> Bool {
        let oldest = height.clampedRetreat(by: parameters.verification.unbondBlocks)
        let schedule = parameters.epochs
        return schedule.epoch(of: oldest) <= epoch && epoch <= schedule.newest(after: height)
    }

    /// - Throws: `StorageFault` for validators that can't vote: no election makes such ones.
    mutating func insert(_ record: EpochRecord) throws(StorageFault) {
        do throws(Committee.Fault) {
            let committee = try record.committee(chainID: chainID)
            entries[record.epoch] = Entry(record: record, committee: committee)
        } catch {
            throw StorageFault("the committee of epoch \(record.epoch) can't vote: \(error)")
        }
        newest = max(newest, record.epoch)
    }

    /// Forgets the epochs that can't matter after `height`.
    /// - Returns: They, in their order.
    mutating func removePassed(at height: Height) -> [Epoch] {
        let oldest = oldest(at: height)
        let passed = entries.keys.filter { $0 < oldest }.sorted()
        for epoch in passed { entries[epoch] = nil }
        return passed
    }

    /// The name of the state's value for an epoch.
    package static func name(of epoch: Epoch) -> String { "\(namePrefix)\(epoch)" }

    static let namePrefix = "epoch/"
}

/// The newest block that ended an epoch: a value of the system in the state, absent before the
/// first one.
///
/// Wire: epoch, block.
package struct EpochBoundary: Hashable, Sendable, BCSCodable {
    /// Its name among the values of the system.
    package static let name = "boundary"

    /// The one that it ended.
    package let epoch: Epoch
    /// The digest of the block.
    package let block: Digest

    package init(epoch: Epoch, block: Digest) {
        self.epoch = epoch
        self.block = block
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(epoch)
        writer.append(block)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        epoch = try reader.read()
        block = try reader.read()
    }

    /// What the store has for a ledger at `height`.
    /// - Throws: `StorageFault` where it isn't the newest.
    static func stored(
        in source: any KeyValueSource, _ schedule: EpochSchedule, at height: Height
    ) throws(StorageFault) -> EpochBoundary? {
        let path = StateKey.system(name).path
        let boundary: EpochBoundary? = try StoredState.record(at: path, in: source)
        guard boundary?.epoch == schedule.newestEnded(after: height) else {
            throw StorageFault(
                "the last block of an epoch that the state names isn't the newest at height"
                    + " \(height); move the store away and let the node fetch the chain again")
        }
        return boundary
    }
}

extension LedgerReader {
    /// The committee of an epoch, nil where it isn't known yet or not any more.
    package func epochRecord(_ epoch: Epoch) throws(StorageFault) -> EpochRecord? {
        let path = StateKey.system(EpochTable.name(of: epoch)).path
        let record: EpochRecord? = try StoredState.record(at: path, in: source)
        guard record.map({ $0.epoch == epoch }) ?? true else {
            throw StorageFault("the committee of epoch \(epoch) is that of another one")
        }
        return record
    }
}
