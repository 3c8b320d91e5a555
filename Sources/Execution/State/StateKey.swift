package import Primitives

/// What a value of the state is.
package enum StateKind: UInt8, Sendable, CaseIterable {
    /// Id: the address.
    case account = 0
    /// Id: the escrow's id; open and disputed ones only.
    case escrow = 1
    /// Id: a name in UTF-8; values that other parts of the node keep in the state.
    case system = 2
    /// Id: the place in the committee, two bytes, big-endian; as genesis has it.
    case validator = 3
    /// Id: empty; the parameters of genesis.
    case parameters = 4
    /// Id: the key that signs acks; validators, by their voting keys, and others.
    case verifier = 5
    /// Id: the asset's id; all but the native one.
    case asset = 6
    /// Id: the proposal's id; those that stand only.
    case proposal = 7
}

/// The name of a value of the state. Its path in the tree is `H(stateKey, kind ‖ id)`.
///
/// Wire: kind, id as a byte string.
package struct StateKey: Hashable, Sendable, BCSCodable {
    /// The most bytes of an id.
    package static let idBytesMax = 64

    package let kind: StateKind
    package let id: [UInt8]

    package init(_ kind: StateKind, _ id: [UInt8]) {
        precondition(id.count <= StateKey.idBytesMax, "an id of \(id.count) bytes")
        self.kind = kind
        self.id = id
    }

    package init(_ kind: StateKind, _ id: some Identifier32) { self.init(kind, id.bytes) }

    package static func system(_ name: String) -> StateKey {
        StateKey(.system, Array(name.utf8))
    }

    package static func validator(_ index: ValidatorIndex) -> StateKey {
        StateKey(.validator, [UInt8(index.rawValue >> 8), UInt8(index.rawValue & 0xFF)])
    }

    package static let parameters = StateKey(.parameters, [])

    /// Where the value hangs in the tree.
    package var path: Bytes32 { Digest.hash(.stateKey, [kind.rawValue] + id).bytes32 }

    package func encode(to writer: inout BCSWriter) {
        writer.append(kind.rawValue)
        writer.appendBytes(id)
    }

    /// Appends the key of a kind whose ids have 32 bytes.
    static func append(_ kind: StateKind, _ id: some Identifier32, to writer: inout BCSWriter) {
        writer.append(kind.rawValue)
        writer.appendLength(Bytes32.count)
        writer.append(id.bytes32)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let raw = try reader.readUInt8()
        guard let kind = StateKind(rawValue: raw) else {
            throw BCSError(.unknownVariant(UInt32(raw)), at: start)
        }
        self.kind = kind
        id = try reader.readBytes(maximum: StateKey.idBytesMax)
    }
}

/// A row of the state column: the value with its name, so that a scan knows what it reads. The tree
/// commits to the value alone, under the path of the name.
///
/// Wire: key, then the value's bytes to the end of the row.
package struct StateRow: Hashable, Sendable {
    package let key: StateKey
    package let value: [UInt8]

    package init(key: StateKey, value: [UInt8]) {
        self.key = key
        self.value = value
    }

    /// What the store holds.
    package var bytes: [UInt8] {
        var writer = BCSWriter(capacity: 2 + key.id.count + value.count)
        writer.append(key)
        writer.appendFixed(value)
        return writer.bytes
    }

    package init(bytes: [UInt8]) throws(BCSError) {
        var reader = BCSReader(bytes)
        key = try reader.read()
        value = try reader.readFixed(reader.remaining)
    }

    /// The hash that the tree's leaf is made from.
    package var valueHash: Bytes32 { Digest.hash(.stateValue, value).bytes32 }
}
