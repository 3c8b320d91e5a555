internal import Primitives

/// A kind of record that the ledger changes while it executes.
protocol LedgerRecord: Hashable, Sendable, BCSCodable {
    associatedtype Key: Identifier32
    static var kind: StateKind { get }
}

extension Account: LedgerRecord {
    typealias Key = Address
    static var kind: StateKind { .account }
}

extension Escrow: LedgerRecord {
    typealias Key = EscrowID
    static var kind: StateKind { .escrow }
}

extension Verifier: LedgerRecord {
    typealias Key = PublicKey
    static var kind: StateKind { .verifier }
}

extension Asset: LedgerRecord {
    typealias Key = AssetID
    static var kind: StateKind { .asset }
}

extension ParameterProposal: LedgerRecord {
    typealias Key = ProposalID
    static var kind: StateKind { .proposal }
}

/// Records of one kind as the block that is being executed sees them.
///
/// Changes of a transaction's operations can be taken back; at the end of the block the table gives
/// out what differs from the block's start, in the order in which records were first touched.
struct RecordTable<Record: LedgerRecord>: Sendable {
    /// A record that the block changed.
    struct Change {
        let key: Record.Key
        let path: Bytes32
        let before: Record?
        let after: Record?
    }

    private struct Stored: Sendable {
        let path: Bytes32
        let record: Record
    }

    private struct Touched: Sendable {
        let path: Bytes32
        let before: Record?
        var now: Record?
    }

    private struct Undo: Sendable {
        let key: Record.Key
        let record: Record?
    }

    private var touched: [Record.Key: Touched] = [:]
    private var order: [Record.Key] = []
    private var undo: [Undo] = []
    private var cache: OverlayCache<Record.Key, Stored>

    init(cachedMax: Int) { cache = OverlayCache(countMax: cachedMax) }

    /// The record outside of a block.
    func peek(
        _ key: Record.Key, _ source: any KeyValueSource
    ) throws(StorageFault) -> Record? {
        switch cache.knowledge(of: key) {
        case .value(let stored): stored.record
        case .deleted: nil
        case .unknown:
            try StoredState.record(at: StateKey(Record.kind, key).path, in: source)
        }
    }

    /// The record as the block sees it.
    mutating func read(
        _ key: Record.Key, _ source: any KeyValueSource
    ) throws(StorageFault) -> Record? {
        if let entry = touched[key] { return entry.now }
        let entry = try load(key, source)
        touched[key] = entry
        order.append(key)
        return entry.now
    }

    private mutating func load(
        _ key: Record.Key, _ source: any KeyValueSource
    ) throws(StorageFault) -> Touched {
        let known = cache.recall(key)
        if case .value(let stored) = known {
            return Touched(path: stored.path, before: stored.record, now: stored.record)
        }
        let path = StateKey(Record.kind, key).path
        guard case .unknown = known,
            let record: Record = try StoredState.record(at: path, in: source)
        else { return Touched(path: path, before: nil, now: nil) }
        cache.keep(Stored(path: path, record: record), for: key)
        return Touched(path: path, before: record, now: record)
    }

    /// Sets a record that was read in this block.
    /// - Returns: The record before.
    @discardableResult
    mutating func write(_ record: Record, for key: Record.Key) -> Record? {
        guard let entry = touched[key] else {
            preconditionFailure("\(Record.kind) \(key) written before it was read")
        }
        undo.append(Undo(key: key, record: entry.now))
        touched[key]?.now = record
        return entry.now
    }

    /// What follows can be taken back.
    mutating func beginOperations() { undo.removeAll(keepingCapacity: true) }

    /// Takes back every write since `beginOperations`.
    mutating func revertOperations() {
        for step in undo.reversed() { touched[step.key]?.now = step.record }
        undo.removeAll(keepingCapacity: true)
    }

    /// Ends the block: what it changed. Records that `isGone` leave the state.
    mutating func takeChanges(isGone: (Record) -> Bool = { _ in false }) -> [Change] {
        var changes: [Change] = []
        changes.reserveCapacity(order.count)
        for key in order {
            guard let entry = touched[key], entry.before != entry.now else { continue }
            changes.append(
                Change(key: key, path: entry.path, before: entry.before, after: entry.now))
            let kept = entry.now.flatMap { isGone($0) ? nil : $0 }
            cache.keep(kept.map { Stored(path: entry.path, record: $0) }, for: key)
        }
        touched.removeAll(keepingCapacity: true)
        order.removeAll(keepingCapacity: true)
        undo.removeAll(keepingCapacity: true)
        return changes
    }

    /// The store has every write that was handed out.
    mutating func writesApplied() { cache.writesApplied() }
}
