internal import Primitives

/// How the ledger's rows lie in the store: keys, values and what a damaged one means.
enum StoredState {
    /// What the ledger knows of itself. Wire: chain id, height, root, time, totals.
    struct Head: Hashable, Sendable, BCSCodable {
        let chainID: ChainID
        let height: Height
        let stateRoot: Digest
        /// Of the last block.
        let time: Timestamp
        let totals: Totals

        init(
            chainID: ChainID, height: Height, stateRoot: Digest, time: Timestamp, totals: Totals
        ) {
            self.chainID = chainID
            self.height = height
            self.stateRoot = stateRoot
            self.time = time
            self.totals = totals
        }

        func encode(to writer: inout BCSWriter) {
            writer.append(chainID)
            writer.append(height)
            writer.append(stateRoot)
            writer.append(time)
            writer.append(totals)
        }

        init(from reader: inout BCSReader) throws(BCSError) {
            chainID = try reader.read()
            height = try reader.read()
            stateRoot = try reader.read()
            time = try reader.read()
            totals = try reader.read()
        }
    }

    /// The key of the head in the meta column.
    static let headKey = Array("ledger".utf8)

    static func head(in source: any KeyValueSource) throws(StorageFault) -> Head? {
        guard let bytes = try source.value(in: .meta, for: headKey) else { return nil }
        return try decode(bytes, "the ledger's head")
    }

    /// The value at a path of the state.
    static func record<Record: BCSDecodable>(
        at path: Bytes32, in source: any KeyValueSource
    ) throws(StorageFault) -> Record? {
        guard let row = try row(at: path, in: source) else { return nil }
        return try decode(row.value, "the state at \(path)")
    }

    static func row(
        at path: Bytes32, in source: any KeyValueSource
    ) throws(StorageFault) -> StateRow? {
        guard let bytes = try source.value(in: .state, for: path.bytes) else { return nil }
        do throws(BCSError) {
            return try StateRow(bytes: bytes)
        } catch {
            throw damaged("the state at \(path)", error)
        }
    }

    /// Where a closed escrow stays readable: among the receipts, one byte longer than their keys.
    static func closedEscrowKey(_ id: EscrowID) -> [UInt8] { [UInt8(ascii: "e")] + id.bytes }

    /// Which transaction used a sequence of a stream: among the receipts, ten bytes longer than
    /// their keys.
    static func useKey(
        _ sender: Address, _ stream: UInt16, _ sequence: SequenceNumber
    ) -> [UInt8] {
        sender.bytes + [UInt8(stream >> 8), UInt8(stream & 0xFF)]
            + sequence.rawValue.bigEndianBytes
    }

    /// The same for a transaction; nil on stream 0, where payments aren't handed about signed.
    static func useKey(of transaction: Transaction) -> [UInt8]? {
        guard transaction.stream != 0 else { return nil }
        return useKey(transaction.sender, transaction.stream, transaction.sequence)
    }

    /// Bytes of such a key.
    static let useKeyBytes = 42

    static func partyKey(_ party: Address, _ id: EscrowID) -> [UInt8] { party.bytes + id.bytes }

    static func deadlineKey(_ due: Timestamp, _ id: EscrowID) -> [UInt8] {
        due.rawValue.bigEndianBytes + id.bytes
    }

    static func bondKey(_ bonded: Amount, _ verifier: PublicKey) -> [UInt8] {
        (~bonded.rawValue).bigEndianBytes + verifier.bytes
    }

    static func decode<Value: BCSDecodable>(
        _ bytes: [UInt8], _ what: @autoclosure () -> String
    ) throws(StorageFault) -> Value {
        do throws(BCSError) {
            return try Value(bcs: bytes)
        } catch {
            throw damaged(what(), error)
        }
    }

    static func damaged(_ what: String, _ error: BCSError) -> StorageFault {
        StorageFault(
            "\(what) is damaged (\(error)); move the store away and let the node fetch the chain"
                + " again")
    }
}
