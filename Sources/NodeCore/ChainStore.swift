package import Consensus
package import Execution
package import Mempool
package import Primitives

/// The chain's part of the store: blocks, certificates, lanes and this node's acks.
package struct ChainStore: Sendable {
    package let source: any KeyValueSource

    package init(_ source: any KeyValueSource) { self.source = source }

    private static let finalizedKey = Array("chain/finalized".utf8)
    private static let rootPrefix = Array("chain/root/".utf8)
    private static let endPrefix = Array("chain/end/".utf8)
    private static let recordPrefix = Array("chain/epoch/".utf8)
    private static let headPrefix = UInt8(ascii: "h")
    private static let rankPrefix = UInt8(ascii: "r")
    /// Lanes and tenures of the epoch before that the state still names.
    private static let formerHeadPrefix = UInt8(ascii: "p")
    private static let formerRankPrefix = UInt8(ascii: "q")
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

    /// A transaction of the finalized block at `height`; nil where it isn't one of them, or where
    /// its batch isn't stored. O(transactions of the block).
    package func transaction(
        _ id: TransactionID, at height: Height
    ) throws(StorageFault) -> SignedTransaction? {
        guard let block = try block(at: height) else { return nil }
        guard let payload = try? BlockPayload(decoding: block.payload) else {
            throw StorageFault("block \(height) has a broken payload")
        }
        if let direct = payload.direct.first(where: { $0.id == id }) { return direct }
        for certificate in payload.certificates {
            let batch = try batch(certificate.digest)
            if let found = batch?.transactions.first(where: { $0.id == id }) { return found }
        }
        return nil
    }

    /// The state root after `height`, if it was executed.
    package func stateRoot(at height: Height) throws(StorageFault) -> Digest? {
        let key = ChainStore.rootPrefix + height.rawValue.bigEndianBytes
        guard let bytes = try source.value(in: .meta, for: key) else { return nil }
        return try decode(bytes, as: Digest.self, of: "the state root of \(height)")
    }

    /// How an epoch ended, or nil before its boundary block is final.
    package func end(of epoch: Epoch) throws(StorageFault) -> EpochEnd? {
        let key = ChainStore.endPrefix + epoch.rawValue.bigEndianBytes
        guard let bytes = try source.value(in: .meta, for: key) else { return nil }
        return try decode(bytes, as: EpochEnd.self, of: "the end of epoch \(epoch)")
    }

    /// The committee of an epoch that this node has entered; nil for epoch 0, which is genesis'.
    package func record(of epoch: Epoch) throws(StorageFault) -> EpochRecord? {
        let key = ChainStore.recordPrefix + epoch.rawValue.bigEndianBytes
        guard let bytes = try source.value(in: .meta, for: key) else { return nil }
        return try decode(bytes, as: EpochRecord.self, of: "the committee of epoch \(epoch)")
    }

    /// The committee of an epoch that this node has entered.
    package func committee(
        of epoch: Epoch, genesis: Genesis
    ) throws(StorageFault) -> Committee? {
        if epoch == 0 { return genesis.committee }
        guard let record = try record(of: epoch) else { return nil }
        do throws(Committee.Fault) {
            return try record.committee(chainID: genesis.chainID)
        } catch {
            throw StorageFault("the committee of epoch \(epoch) can't vote: \(error)")
        }
    }

    /// What of the epoch before the state still names: its lanes and its tenures.
    package func formerLanes() throws(StorageFault) -> (lanes: [Lane], tenures: [Tenure]) {
        var (lanes, tenures): ([Lane], [Tenure]) = ([], [])
        for pair in try all(ChainStore.formerHeadPrefix) {
            lanes.append(try decode(Array(pair.key.dropFirst()), as: Lane.self, of: "a lane"))
        }
        for pair in try all(ChainStore.formerRankPrefix) {
            tenures.append(
                try decode(Array(pair.key.dropFirst()), as: Tenure.self, of: "a shard's term"))
        }
        return (lanes, tenures)
    }

    package func lanes() throws(StorageFault) -> LaneTable {
        var table = LaneTable()
        for pair in try all(ChainStore.headPrefix) {
            let lane = try decode(Array(pair.key.dropFirst()), as: Lane.self, of: "a lane")
            table.set(
                try decode(pair.value, as: LaneTable.Head.self, of: "a lane's head"), for: lane)
        }
        for pair in try all(ChainStore.rankPrefix) {
            let tenure = try decode(
                Array(pair.key.dropFirst()), as: Tenure.self, of: "a shard's term")
            let rank = try decode(pair.value, as: Height.self, of: "a rank of record")
            table.set(rank: UInt16(clamping: rank.rawValue), of: tenure)
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

    /// The keys of this node's acks.
    func ackKeys() throws(StorageFault) -> [[UInt8]] { try all(ChainStore.ackPrefix).map(\.key) }

    /// Whether the body is stored, without decoding it.
    package func hasBatch(_ digest: Digest) throws(StorageFault) -> Bool {
        try source.value(in: .batches, for: digest.bytes) != nil
    }

    /// The height whose state root lies at a key of the meta column, nil for other keys.
    static func rootHeight(_ key: [UInt8]) -> Height? { number(key, rootPrefix).map { Height($0) } }

    /// The epoch whose end lies at a key of the meta column, nil for other keys.
    static func endedEpoch(_ key: [UInt8]) -> Epoch? { number(key, endPrefix).map { Epoch($0) } }

    /// The epoch whose committee lies at a key of the meta column, nil for other keys.
    static func recordedEpoch(_ key: [UInt8]) -> Epoch? {
        number(key, recordPrefix).map { Epoch($0) }
    }

    private static func number(_ key: [UInt8], _ prefix: [UInt8]) -> UInt64? {
        guard key.starts(with: prefix), key.count == prefix.count + 8 else { return nil }
        return key.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }

    /// Checks that a row of the lanes column can be read.
    static func checkLane(_ row: KeyValue) throws(StorageFault) {
        let name = Array(row.key.dropFirst())
        switch row.key.first {
        case headPrefix:
            _ = try decode(name, as: Lane.self, of: "a lane")
            _ = try decode(row.value, as: LaneTable.Head.self, of: "a lane's head")
        case rankPrefix:
            _ = try decode(name, as: Tenure.self, of: "a shard's term")
            _ = try decode(row.value, as: Height.self, of: "a rank of record")
        case formerHeadPrefix: _ = try decode(name, as: Lane.self, of: "a lane")
        case formerRankPrefix: _ = try decode(name, as: Tenure.self, of: "a shard's term")
        case ackPrefix: _ = try decode(row.value, as: Ack.self, of: "an ack")
        default: throw StorageFault("\(Hex.encode(row.key)) isn't a key of the lanes column")
        }
    }

    private func all(_ prefix: UInt8) throws(StorageFault) -> [KeyValue] {
        try source.pairs(in: .lanes, from: [prefix], before: [prefix + 1], limit: .max)
    }

    private func decode<Value: BCSDecodable>(
        _ bytes: [UInt8], as type: Value.Type, of what: @autoclosure () -> String
    ) throws(StorageFault) -> Value {
        try ChainStore.decode(bytes, as: type, of: what())
    }

    private static func decode<Value: BCSDecodable>(
        _ bytes: [UInt8], as type: Value.Type, of what: @autoclosure () -> String
    ) throws(StorageFault) -> Value {
        do throws(BCSError) {
            return try Value(bcs: bytes)
        } catch {
            throw StorageFault("\(what()) is damaged in the store: \(error)")
        }
    }

    // MARK: Writing

    /// What a finalized block leaves in the store before it is executed.
    static func writes(_ block: Block, certificate: Certificate?) -> WriteSet {
        var writes = WriteSet()
        let place = block.height.rawValue.bigEndianBytes
        writes.put(block.bcsBytes, in: .blocks, for: place)
        writes.put(block.height.bcsBytes, in: .blockHeights, for: block.digest.bytes)
        if let certificate {
            writes.put(certificate.bcsBytes, in: .finalizations, for: place)
        }
        writes.put(block.height.bcsBytes, in: .meta, for: finalizedKey)
        return writes
    }

    /// That an epoch is over.
    static func writes(_ end: EpochEnd) -> WriteSet {
        var writes = WriteSet()
        writes.put(
            end.bcsBytes, in: .meta, for: endPrefix + end.epoch.rawValue.bigEndianBytes)
        return writes
    }

    /// The entry into an epoch: its committee, and the lanes of the one before, which are closed.
    static func writes(entering record: EpochRecord, closing table: LaneTable) -> WriteSet {
        var writes = ChainStore.writes(from: table, to: LaneTable())
        writes.put(
            record.bcsBytes, in: .meta, for: recordPrefix + record.epoch.rawValue.bigEndianBytes)
        for lane in table.lanes {
            writes.put([], in: .lanes, for: [formerHeadPrefix] + lane.bcsBytes)
        }
        for tenure in table.passedOver {
            writes.put([], in: .lanes, for: [formerRankPrefix] + tenure.bcsBytes)
        }
        return writes
    }

    /// The state doesn't name these any more.
    static func forgetting(_ former: (lanes: [Lane], tenures: [Tenure])) -> WriteSet {
        var writes = WriteSet()
        for lane in former.lanes { writes.delete([formerHeadPrefix] + lane.bcsBytes, in: .lanes) }
        for tenure in former.tenures {
            writes.delete([formerRankPrefix] + tenure.bcsBytes, in: .lanes)
        }
        return writes
    }

    /// What changed in the shard table.
    static func writes(from before: LaneTable, to after: LaneTable) -> WriteSet {
        var writes = WriteSet()
        for lane in Set(before.lanes + after.lanes).sorted() where before[lane] != after[lane] {
            write(after[lane]?.bcsBytes, [headPrefix] + lane.bcsBytes, into: &writes)
        }
        for tenure in Set(before.passedOver + after.passedOver).sorted()
        where before.rank(of: tenure) != after.rank(of: tenure) {
            let rank = after.rank(of: tenure)
            write(
                rank == 0 ? nil : Height(UInt64(rank)).bcsBytes,
                [rankPrefix] + tenure.bcsBytes, into: &writes)
        }
        return writes
    }

    private static func write(_ value: [UInt8]?, _ key: [UInt8], into writes: inout WriteSet) {
        if let value {
            writes.put(value, in: .lanes, for: key)
        } else {
            writes.delete(key, in: .lanes)
        }
    }

    static func rootWrites(_ root: Digest, at height: Height) -> WriteSet {
        var writes = WriteSet()
        writes.put(root.bcsBytes, in: .meta, for: rootPrefix + height.rawValue.bigEndianBytes)
        return writes
    }
}
