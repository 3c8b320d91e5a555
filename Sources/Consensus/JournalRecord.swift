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
    /// The last view in which this node may have signed what it doesn't remember: it signs above,
    /// and only once this is on disk.
    case floor(View)
    /// The first signing record that was known of another validator.
    case introduced(ValidatorIndex, RecordID)
    /// All records are of this epoch: the first one, in every epoch but epoch 0.
    case epoch(Epoch)

    package func encode(to writer: inout BCSWriter) {
        writer.appendVariant(UInt32(type))
        switch self {
        case .vote(let value): writer.append(value)
        case .block(let value): writer.append(value)
        case .certificate(let value): writer.append(value)
        case .floor(let value): writer.append(value)
        case .introduced(let index, let record):
            writer.append(index)
            writer.append(record)
        case .epoch(let value): writer.append(value)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0: self = .vote(try reader.read())
        case 1: self = .block(try reader.read())
        case 2: self = .certificate(try reader.read())
        case 3: self = .floor(try reader.read())
        case 4: self = .introduced(try reader.read(), try reader.read())
        case 5: self = .epoch(try reader.read())
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
    }

    /// The variant index.
    package var type: UInt8 {
        switch self {
        case .vote: 0
        case .block: 1
        case .certificate: 2
        case .floor: 3
        case .introduced: 4
        case .epoch: 5
        }
    }

    /// The view that the record is about; 0 for one about none.
    package var view: View {
        switch self {
        case .vote(let vote): vote.view
        case .block(let block): block.view
        case .certificate(let certificate): certificate.view
        case .floor(let view): view
        case .introduced, .epoch: 0
        }
    }

    /// The epoch that the record is about by itself; nil for one that its journal tells.
    package var epoch: Epoch? {
        switch self {
        case .vote(let vote): vote.subject.epoch
        case .block(let block): block.epoch
        case .certificate(let certificate): certificate.subject.epoch
        case .floor, .introduced: nil
        case .epoch(let epoch): epoch
        }
    }

    /// The epoch that a journal is of.
    package static func epoch(of records: [JournalRecord]) -> Epoch {
        if case .epoch(let epoch)? = records.first { epoch } else { 0 }
    }
}
