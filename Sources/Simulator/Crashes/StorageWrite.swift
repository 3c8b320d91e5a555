internal import NodeCore
internal import Primitives

/// What a node does to its disk, by what it is for: each is a place where a crash can meet it.
package enum StorageWrite: String, Sendable, Hashable, CaseIterable {
    /// Records of what was signed, behind those that are there.
    case journalAppend
    /// The journal's records must be on disk before anything that follows.
    case journalSync
    /// A shorter journal takes the place of the old one, after a sync of the store.
    case journalCompaction
    /// The body of a batch and what this node says of it.
    case batchAndAck
    /// A further word about a batch whose body is there.
    case ack
    /// A body that was fetched from others.
    case fetchedBody
    /// Final blocks with their certificate and the lanes' heads.
    case block
    /// What the execution of a block leaves: state, tree, receipts.
    case execution
    /// Rows that nobody needs any more go.
    case forgetting
    case storeSync
    /// What the store wrote goes from the process to the system.
    case storeFlush

    /// The writes of an effect, in order; nil for the flush after the last effect of a call.
    static func all(of effect: NodeEffect?) -> [StorageWrite] {
        switch effect {
        case nil: [.storeFlush]
        case .write(let writes): kind(of: writes).map { [$0] } ?? []
        case .sync: [.storeSync]
        case .journal(let records, let sync):
            (records.isEmpty ? [] : [.journalAppend]) + (sync ? [.journalSync] : [])
        case .compactJournal: [.journalCompaction]
        default: []
        }
    }

    private static func kind(of writes: WriteSet) -> StorageWrite? {
        if writes.isEmpty { return nil }
        if writes.changes.allSatisfy({ $0.value == nil }) { return .forgetting }
        let columns = Set(writes.changes.map(\.column))
        if columns.contains(.blocks) { return .block }
        guard columns.isSubset(of: [.batches, .lanes]) else { return .execution }
        guard columns.contains(.batches) else { return .ack }
        return columns.contains(.lanes) ? .batchAndAck : .fetchedBody
    }

    var isOfJournal: Bool { self == .journalAppend || self == .journalSync }
}
