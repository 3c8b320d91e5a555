package import Primitives

/// That an epoch is over: its boundary block, and how it became final.
///
/// Wire: boundary (header), tails (list of headers, at most 65,536), certificate.
package struct EpochEnd: Hashable, Sendable, BCSCodable {
    /// The most tails that an end holds. Each is a view that was notarized and not finalized.
    package static let tailsMax = 65_536

    /// The header of the epoch's last block, which names the next committee.
    package let boundary: BlockHeader
    /// The blocks that made it final, each the parent of the next; none where it was finalized
    /// itself.
    package let tails: [BlockHeader]
    /// The finalization of the last tail, or of the boundary block.
    package let certificate: Certificate

    package init(boundary: Block, tails: [Block], certificate: Certificate) {
        self.boundary = boundary.header
        self.tails = tails.map(\.header)
        self.certificate = certificate
    }

    package var epoch: Epoch { boundary.epoch }

    package func encode(to writer: inout BCSWriter) {
        writer.append(boundary)
        writer.append(list: tails)
        writer.append(certificate)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        boundary = try reader.read()
        tails = try reader.readList(maximum: EpochEnd.tailsMax, elementBytes: Block.bytesMin - 1)
        certificate = try reader.read()
    }

    /// The tails as blocks, to hand on.
    package var tailBlocks: [Block] {
        tails.filter { $0.payloadRoot == Block.root(of: []) }
            .map { Block(header: $0, payload: []) }
    }

    /// Whether the parts belong together: the tails join the boundary block to the block that the
    /// certificate finalizes. Whether a quorum signed that is the certificate's own question.
    package var isLinked: Bool {
        var last = boundary
        var ref = BlockRef(view: boundary.view, digest: boundary.digest)
        for tail in tails {
            guard tail.tail, tail.epoch == boundary.epoch, tail.chainID == boundary.chainID,
                tail.parent == ref, tail.view > last.view, tail.height == last.height.next
            else { return false }
            last = tail
            ref = BlockRef(view: tail.view, digest: tail.digest)
        }
        return !boundary.tail && boundary.nextSetHash != nil && certificate.kind == .finalize
            && certificate.subject.epoch == boundary.epoch && certificate.ref == ref
    }
}
