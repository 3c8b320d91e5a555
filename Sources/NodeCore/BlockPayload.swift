package import Mempool
package import Primitives

/// What a block orders: owners that complaints pass over, transactions that the leader puts in
/// itself, and certified batches, by lane and position.
///
/// Wire: list of complaint certificates (at most 16), list of signed transactions (at most 64, at
/// most 128 KiB), list of batch certificates (at most 1,024). An empty payload is the empty byte
/// string.
package struct BlockPayload: Hashable, Sendable {
    package let complaints: [ComplaintCertificate]
    package let direct: [SignedTransaction]
    package let certificates: [BatchCertificate]

    package init(
        _ certificates: [BatchCertificate], direct: [SignedTransaction] = [],
        complaints: [ComplaintCertificate] = []
    ) {
        self.certificates = certificates
        self.direct = direct
        self.complaints = complaints
    }

    package var isEmpty: Bool { certificates.isEmpty && direct.isEmpty && complaints.isEmpty }

    /// Bytes of the bodies that it orders.
    package var bodyBytes: UInt64 {
        certificates.reduce(0) { $0 + UInt64($1.header.content.byteLength) }
    }

    /// Transactions of batches and those that the block carries itself.
    package var transactionCount: Int {
        certificates.reduce(direct.count) { $0 + Int($1.header.content.transactionCount) }
    }

    package var bytes: [UInt8] {
        guard !isEmpty else { return [] }
        var writer = BCSWriter()
        writer.append(list: complaints)
        writer.append(list: direct)
        writer.append(list: certificates)
        return writer.bytes
    }

    /// - Throws: `BCSError` for anything but the one encoding.
    package init(decoding bytes: [UInt8]) throws(BCSError) {
        guard !bytes.isEmpty else {
            self.init([])
            return
        }
        var reader = BCSReader(bytes)
        let complaints: [ComplaintCertificate] = try reader.readList(
            maximum: BatchLimits.complaintsMax, elementBytes: ComplaintCertificate.bytesMin)
        let start = reader.offset
        let direct: [SignedTransaction] = try reader.readList(
            maximum: BatchLimits.directMax, elementBytes: SignedTransaction.bytesMin)
        guard reader.offset - start <= BatchLimits.directBytesMax + 8 else {
            throw BCSError(.invalidValue("too many bytes of transactions"), at: start)
        }
        let certificates: [BatchCertificate] = try reader.readList(
            maximum: BatchLimits.blockCertificatesMax, elementBytes: 300)
        try reader.finish()
        self.init(certificates, direct: direct, complaints: complaints)
        guard !isEmpty else {
            throw BCSError(.invalidValue("an empty payload that isn't empty"), at: 0)
        }
    }
}

/// A payload whose signatures hold.
struct ProvenPayload: Sendable {
    let certificates: [Verified<BatchCertificate>]
    let direct: [Verified<SignedTransaction>]
}
