internal import Primitives

/// A kind of record that the ledger changes while it executes.
protocol LedgerRecord: Hashable, Sendable, BCSCodable {
    associatedtype Key: Identifier32
    static var kind: StateKind { get }
    /// Memory beside the record's own size that it takes, in bytes; about.
    var heapBytes: Int { get }
}

extension Account: LedgerRecord {
    typealias Key = Address
    static var kind: StateKind { .account }
}

extension Escrow: LedgerRecord {
    typealias Key = EscrowID
    static var kind: StateKind { .escrow }
    var heapBytes: Int { 512 }
}

extension Verifier: LedgerRecord {
    typealias Key = PublicKey
    static var kind: StateKind { .verifier }
    var heapBytes: Int { 256 }
}

extension Asset: LedgerRecord {
    typealias Key = AssetID
    static var kind: StateKind { .asset }
    var heapBytes: Int { 256 }
}

extension ParameterProposal: LedgerRecord {
    typealias Key = ProposalID
    static var kind: StateKind { .proposal }
    var heapBytes: Int { 1024 }
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

    private struct Place: ResidentKey {
        let key: Record.Key
        var indexHash: UInt64 { SlotIndex.hash(key.bytes32) }
    }

    private struct Stored: ResidentValue {
        let path: Bytes32
        /// Nil where there is none.
        var record: Record?
        /// Whether the block has read it.
        var isTouched = false

        var heapBytes: Int { record?.heapBytes ?? 0 }
    }

    private struct Touched: Sendable {
        let slot: Int
        let before: Record?
    }

    private struct Undo: Sendable {
        let slot: Int
        let record: Record?
    }

    private var table: ResidentTable<Place, Stored>
    /// Read in this block, in that order.
    private var touched: [Touched] = []
    /// Writes of the operations that are being carried out.
    private var undo: [Undo] = []

    /// - Parameter cachedBytesMax: Memory for records that no block is changing.
    init(cachedBytesMax: Int) { table = ResidentTable(bytesMax: cachedBytesMax) }

    /// Says that the record will be read soon.
    func foresee(_ key: Record.Key, _ step: Foresight) {
        table.foresee(Place(key: key).indexHash, step)
    }

    /// The record outside of a block.
    func peek(
        _ key: Record.Key, _ source: any KeyValueSource
    ) throws(StorageFault) -> Record? {
        if let slot = table.slot(of: Place(key: key)) { return table[slot].record }
        return try StoredState.record(at: StateKey(Record.kind, key).path, in: source)
    }

    /// The record as the block sees it.
    mutating func read(
        _ key: Record.Key, _ source: any KeyValueSource
    ) throws(StorageFault) -> Record? {
        let slot = try slot(of: key, source)
        let record = table[slot].record
        if !table[slot].isTouched {
            table.patch(slot) { $0.isTouched = true }
            touched.append(Touched(slot: slot, before: record))
        }
        return record
    }

    /// - Returns: Where the record lies in memory.
    private mutating func slot(
        of key: Record.Key, _ source: any KeyValueSource
    ) throws(StorageFault) -> Int {
        if let slot = table.slot(of: Place(key: key)) { return slot }
        let path = StateKey(Record.kind, key).path
        let record: Record? = try StoredState.record(at: path, in: source)
        return table.insert(Stored(path: path, record: record), for: Place(key: key))
    }

    /// Sets a record that was read in this block.
    /// - Returns: The record before.
    @discardableResult
    mutating func write(_ record: Record, for key: Record.Key) -> Record? {
        guard let slot = table.slot(of: Place(key: key)), table[slot].isTouched else {
            preconditionFailure("\(Record.kind) \(key) written before it was read")
        }
        let before = table.patch(slot) { stored in
            defer { stored.record = record }
            return stored.record
        }
        undo.append(Undo(slot: slot, record: before))
        return before
    }

    /// What follows can be taken back.
    mutating func beginOperations() { undo.removeAll(keepingCapacity: true) }

    /// Takes back every write since `beginOperations`.
    mutating func revertOperations() {
        for step in undo.reversed() { table.patch(step.slot) { $0.record = step.record } }
        undo.removeAll(keepingCapacity: true)
    }

    /// Ends the block: what it changed. Records that `isGone` leave the state.
    mutating func takeChanges(isGone: (Record) -> Bool = { _ in false }) -> [Change] {
        var changes: [Change] = []
        takeChanges(isGone: isGone) { changes.append($0) }
        return changes
    }

    /// As `takeChanges`, one after the other.
    mutating func takeChanges(
        isGone: (Record) -> Bool = { _ in false }, _ body: (Change) -> Void
    ) {
        for (place, entry) in touched.enumerated() {
            if place + 8 < touched.count { table.foresee(slot: touched[place + 8].slot) }
            table.patch(entry.slot) { $0.isTouched = false }
            table.touch(entry.slot)
            let now = table[entry.slot].record
            guard entry.before != now else { continue }
            body(
                Change(
                    key: table.key(at: entry.slot).key, path: table[entry.slot].path,
                    before: entry.before, after: now))
            let kept = now.flatMap { isGone($0) ? nil : $0 }
            if kept == nil { table.patch(entry.slot) { $0.record = nil } }
            table.note(moreBytes: (kept?.heapBytes ?? 0) - (entry.before?.heapBytes ?? 0))
        }
        touched.removeAll(keepingCapacity: true)
        undo.removeAll(keepingCapacity: true)
    }

    /// The store has every write that was handed out.
    mutating func writesApplied() { table.trim() }
}
