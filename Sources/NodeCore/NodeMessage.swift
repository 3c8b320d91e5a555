package import Consensus
package import Mempool
package import Primitives

/// What nodes tell each other. Wire: variant index, then the payload.
///
/// Indirect: it is handed on many times between link, queue and engine, and read once.
package indirect enum NodeMessage: Hashable, Sendable, BCSCodable {
    /// 0
    case consensus(ConsensusMessage)
    /// 1
    case mempool(MempoolMessage)

    /// Which queue and which limits a message has on a link.
    package enum Channel: UInt8, Hashable, Sendable, CaseIterable {
        case consensus
        case certificates
        case transactions
        case batches
        case sync
    }

    package func encode(to writer: inout BCSWriter) {
        switch self {
        case .consensus(let message):
            writer.appendVariant(0)
            writer.append(message)
        case .mempool(let message):
            writer.appendVariant(1)
            writer.append(message)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0: self = .consensus(try reader.read())
        case 1: self = .mempool(try reader.read())
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
    }

    /// The channel that the message goes by; one that comes by another is refused.
    package var channel: Channel {
        switch self {
        case .consensus(.syncRequest), .consensus(.syncResponse), .consensus(.block),
            .consensus(.blockRequest):
            .sync
        case .consensus: .consensus
        case .mempool(.certificate), .mempool(.ack), .mempool(.checkAlso), .mempool(.declined),
            .mempool(.complaint):
            .certificates
        case .mempool(.forward), .mempool(.answers), .mempool(.appeal): .transactions
        case .mempool(.batch), .mempool(.task): .batches
        case .mempool(.bodyRequest), .mempool(.body), .mempool(.bodyMissing): .sync
        }
    }
}
