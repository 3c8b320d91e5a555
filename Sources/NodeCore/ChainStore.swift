package import Consensus
package import Mempool
package import Primitives

/// The chain's part of the store: blocks, certificates, lanes and this node's acks.
package struct ChainStore: Sendable {
    package let source: any KeyValueSource

    package init(_ source: any KeyValueSource) { self.source = source }

    private static let finalizedKey = Array("chain/finalized".utf8)
    private static let rootPrefix = Array("chain/root/".utf8)
    private static let headPrefix = UInt8(ascii: "h")
    private static let ackPrefix = UInt8(ascii: "a")

    // MARK: Reading

    /// The newest finalized height in the store, 0 for genesis alone.
    package func finalizedHeight() throws(StorageFault) -> Height {
        guard let bytes = try source.value(in: .meta, for: ChainStore.finalizedKey) else {
            return 0
        }
        return try decode(bytes, as: Height.self, of: "the finalized height")
    }

    /// The finalized block at `height`, or nil above the tip and for genesis.
    package func block(at height: Height) throws(StorageFault) -> Block? {
        guard
            let bytes = try source.value(in: .blocks, for: height.rawValue.bigEndianBytes)
        else { return nil }
        return try decode(bytes, as: Block.self, of: "block \(height)")
    }

    package func height(of digest: Digest) throws(StorageFault) -> Height? {
        guard let bytes = try source.value(in: .blockHeights, for: digest.bytes) else {
            return nil
        }
        return try decode(bytes, as: Height.self, of: "the height of block \(digest)")
    }

    package func finalization(at height: Height) throws(StorageFault) -> Certificate? {
        guard
            let bytes = try source.value(
                in: .finalizations, for: height.rawValue.bigEndianBytes)
        else { return nil }
        return try decode(bytes, as: Certificate.self, of: "the finalization of \(height)")
    }

    /// The highest height in `from ..< from + count` that has a finalization, with it.
    package func lastFinalization(
        from height: Height, count: UInt64
    ) throws(StorageFault) -> (Height, Certificate)? {
        let pairs = try source.pairs(
            in: .finalizations, from: height.rawValue.bigEndianBytes,
            before: height.clampedAdvance(by: count).rawValue.bigEndianBytes,
            limit: Int(count))
        guard let last = pairs.last else { return nil }
        let certificate = try decode(
            last.value, as: Certificate.self, of: "a finalization above \(height)")
        let place = last.key.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (Height(place), certificate)
    }

    package func batch(_ digest: Digest) throws(StorageFault) -> Batch? {
        guard let bytes = try source.value(in: .batches, for: digest.bytes) else { return nil }
        return try decode(bytes, as: Batch.self, of: "batch \(digest)")
    }

    /// The state root after `height`, if it was executed.
    package func stateRoot(at height: Height) throws(StorageFault) -> Digest? {
        let key = ChainStore.rootPrefix + height.rawValue.bigEndianBytes
        guard let bytes = try source.value(in: .meta, for: key) else { return nil }
        return try decode(bytes, as: Digest.self, of: "the state root of \(height)")
    }

    package func lanes() throws(StorageFault) -> LaneTable {
        var table = LaneTable()
        for pair in try all(ChainStore.headPrefix) {
            let lane = try decode(Array(pair.key.dropFirst()), as: Lane.self, of: "a lane")
            table.set(
                try decode(pair.value, as: LaneTable.Head.self, of: "a lane's head"), for: lane)
        }
        return table
    }

    /// This node's acks that no block has passed, with their batches.
    package func acks() throws(StorageFault) -> [RecoveredAck] {
        var recovered: [RecoveredAck] = []
        for pair in try all(ChainStore.ackPrefix) {
            let ack = try decode(pair.value, as: Ack.self, of: "an ack")
            guard let batch = try batch(ack.header.digest) else {
                throw StorageFault("batch \(ack.header.digest) is missing although it was acked")
            }
            recovered.append(RecoveredAck(ack: ack, batch: batch))
        }
        return recovered
    }

    private func all(_ prefix: UInt8) throws(StorageFault) -> [KeyValue] {
        try source.pairs(in: .lanes, from: [prefix], before: [prefix + 1], limit: .max)
    }

    private func decode<Value: BCSDecodable>(
        _ bytes: [UInt8], as type: Value.Type, of what: String
    ) throws(StorageFault) -> Value {
        do throws(BCSError) {
            return try Value(bcs: bytes)
        } catch {
            throw StorageFault("\(what) is damaged in the store: \(error)")
        }
    }

    // MARK: Writing

    /// What a finalized block leaves in the store before it is executed.
    static func writes(
        _ block: Block, _ payload: BlockPayload, certificate: Certificate?, table: LaneTable
    ) -> WriteSet {
        var writes = WriteSet()
        let place = block.height.rawValue.bigEndianBytes
        writes.put(block.bcsBytes, in: .blocks, for: place)
        writes.put(block.height.bcsBytes, in: .blockHeights, for: block.digest.bytes)
        if let certificate {
            writes.put(certificate.bcsBytes, in: .finalizations, for: place)
        }
        for lane in Set(payload.certificates.map(\.lane)).sorted() {
            guard let head = table[lane] else { continue }
            writes.put(head.bcsBytes, in: .lanes, for: [headPrefix] + lane.bcsBytes)
        }
        writes.put(block.height.bcsBytes, in: .meta, for: finalizedKey)
        return writes
    }

    static func rootWrites(_ root: Digest, at height: Height) -> WriteSet {
        var writes = WriteSet()
        writes.put(root.bcsBytes, in: .meta, for: rootPrefix + height.rawValue.bigEndianBytes)
        return writes
    }
}
