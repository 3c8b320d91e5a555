/// A named part of the store; keys of different columns never meet.
package enum Column: String, CaseIterable, Sendable {
    /// Single values: format version, heights, roots, instance id.
    case meta
    /// Height (8 bytes, big-endian) → finalized block.
    case blocks
    /// Block digest → height.
    case blockHeights
    /// Height (big-endian) → finalization certificate, for those heights that have one.
    case finalizations
    /// Batch digest → batch body.
    case batches
    /// Certified batches not yet included, and lane records of this node: what it acked or sealed.
    case lanes
    /// State key (32 bytes) → value.
    case state
    /// Tree node key → tree node.
    case nodes
    /// Deadline (8 bytes, big-endian) and escrow id → nothing: what the block must carry out.
    case deadlines
    /// Transaction id → receipt with its place.
    case receipts
    /// Party address and escrow id → nothing: the escrows that an address takes part in.
    case escrowsByParty
    /// Bond (8 bytes, big-endian, each bit turned) and verifier's key → nothing: the verifiers, the
    /// highest bonds first.
    case bonds
    /// The log of executed blocks (level and index → entry or hash) and the trees of their receipts
    /// (height and chunk → hashes).
    case history
    /// Guardian's address and account's address → nothing: the accounts that an address guards.
    case guarded
    /// Address, height (8 bytes, big-endian) and place in the block (4 bytes, big-endian) → change
    /// of what the account holds; empty in a store that keeps no history of accounts.
    case postings
}

/// A fault of the disk or of what it gave back: the node stops, it never carries on.
package struct StorageFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was wrong, where, and what to do.
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// What the pure modules read from. Reads see every `WriteSet` that was handed out before the
/// current event.
package protocol KeyValueSource: Sendable {
    func value(in column: Column, for key: [UInt8]) throws(StorageFault) -> [UInt8]?

    /// At most `limit` pairs with `start <= key < end` (bytewise; no upper bound if nil) in rising
    /// order of key.
    func pairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue]

    /// As `pairs`, but the last ones, in falling order of key.
    func lastPairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue]
}

extension KeyValueSource {
    /// For sources in memory: reads the whole range.
    package func lastPairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        try pairs(in: column, from: start, before: end, limit: .max).suffix(limit).reversed()
    }
}

/// A key with its value.
package struct KeyValue: Hashable, Sendable {
    package let key: [UInt8]
    package let value: [UInt8]
    package init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }
}

extension UInt64 {
    /// Eight bytes, the highest first: their order is the numbers' order.
    package var bigEndianBytes: [UInt8] {
        Swift.withUnsafeBytes(of: bigEndian) { Array($0) }
    }
}
