package import Mempool
package import Primitives

/// What a block orders: certified batches, by shard, rank and position.
///
/// Wire: list of batch certificates (at most 1,024). An empty payload is the empty byte string.
package struct BlockPayload: Hashable, Sendable {
    package let certificates: [BatchCertificate]

    package init(_ certificates: [BatchCertificate]) { self.certificates = certificates }

    package var bytes: [UInt8] {
        guard !certificates.isEmpty else { return [] }
        var writer = BCSWriter()
        writer.append(list: certificates)
        return writer.bytes
    }

    /// - Throws: `BCSError` for anything but the one encoding.
    package init(decoding bytes: [UInt8]) throws(BCSError) {
        guard !bytes.isEmpty else {
            certificates = []
            return
        }
        var reader = BCSReader(bytes)
        certificates = try reader.readList(
            minimum: 1, maximum: BatchLimits.blockCertificatesMax, elementBytes: 300)
        try reader.finish()
    }
}
