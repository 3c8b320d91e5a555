package import Primitives

/// What tells one record of a validator's signatures from another: drawn at random when the record
/// is made, so that an answer can't be one to an earlier record.
///
/// Wire: 16 bytes.
package struct RecordID: Hashable, Sendable, BCSCodable, CustomStringConvertible {
    private let low: UInt64
    private let high: UInt64

    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// The id of exactly 16 bytes, or nil for any other count.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        let words = [bytes[0..<8], bytes[8..<16]].map { word in
            word.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        self.init(low: words[0], high: words[1])
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(low)
        writer.append(high)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        low = try reader.readUInt64()
        high = try reader.readUInt64()
    }

    package var description: String { Hex.encode(bcsBytes) }
}

/// A validator that started asks every other one what is known of its key. The link says whose it
/// is.
///
/// Wire: epoch, record.
package struct RecoveryRequest: Hashable, Sendable, BCSCodable {
    package let epoch: Epoch
    /// The sender's record.
    package let record: RecordID

    package init(epoch: Epoch, record: RecordID) {
        self.epoch = epoch
        self.record = record
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(epoch)
        writer.append(record)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        epoch = try reader.read()
        record = try reader.read()
    }
}

/// What a validator knows of one that asks, and where it stands itself. The link says whose it is.
///
/// Wire: epoch, record, isFirst, view, entry (optional), newest (optional).
package struct RecoveryAnswer: Hashable, Sendable, BCSCodable {
    package let epoch: Epoch
    /// The record that was asked for.
    package let record: RecordID
    /// Whether the answerer has forgotten nothing since its own start, and has never known another
    /// record of the one that asks.
    package let isFirst: Bool
    /// The view that the answerer is in; 0 if it can't vouch for it, being in recovery itself.
    package let view: View
    /// The certificate that let it enter the view; nil for the views 0 and 1.
    package let entry: Certificate?
    /// The vote of the highest view that the answerer holds of the key that asks.
    package let newest: Vote?

    package init(
        epoch: Epoch, record: RecordID, isFirst: Bool, view: View, entry: Certificate?,
        newest: Vote?
    ) {
        self.epoch = epoch
        self.record = record
        self.isFirst = isFirst
        self.view = view
        self.entry = entry
        self.newest = newest
    }

    /// Whether the certificate shows that somebody could enter the view.
    var isProven: Bool {
        guard view > 1 else { return true }
        guard let entry, entry.subject.epoch == epoch else { return false }
        return entry.view >= view.clampedRetreat(by: 1)
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(epoch)
        writer.append(record)
        writer.append(isFirst)
        writer.append(view)
        writer.append(optional: entry)
        writer.append(optional: newest)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        epoch = try reader.read()
        record = try reader.read()
        isFirst = try reader.readBool()
        view = try reader.read()
        entry = try reader.readOptional()
        newest = try reader.readOptional()
    }
}

extension RecoveryAnswer: SignedValue {
    package func signatureClaims(in context: CertificateContext) -> [SignatureClaim]? {
        let ofEntry = entry.map { $0.signatureClaims(in: context) } ?? []
        let ofVote = newest.map { $0.signatureClaims(in: context) } ?? []
        guard let ofEntry, let ofVote else { return nil }
        return ofEntry + ofVote
    }
}
