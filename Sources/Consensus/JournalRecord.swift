package import Primitives

/// What must survive a restart. Replayed in the order of writing.
///
/// Wire: variant index, then the value.
package enum JournalRecord: Hashable, Sendable, BCSCodable {
    /// A vote of this node, on disk before it is sent.
    case vote(Vote)
    /// A block that this node proposed, notarized or needs to finalize.
    case block(Block)
    /// A certificate that this node acted upon.
    case certificate(Certificate)

    package func encode(to writer: inout BCSWriter) {
        writer.appendVariant(UInt32(type))
        switch self {
        case .vote(let value): writer.append(value)
        case .block(let value): writer.append(value)
        case .certificate(let value): writer.append(value)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0: self = .vote(try reader.read())
        case 1: self = .block(try reader.read())
        case 2: self = .certificate(try reader.read())
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
    }

    /// The variant index.
    package var type: UInt8 {
        switch self {
        case .vote: 0
        case .block: 1
        case .certificate: 2
        }
    }

    /// The view that the record is about.
    package var view: View {
        switch self {
        case .vote(let vote): vote.view
        case .block(let block): block.view
        case .certificate(let certificate): certificate.view
        }
    }
}
