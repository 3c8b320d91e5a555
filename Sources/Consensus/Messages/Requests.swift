package import Primitives

/// Where a node stands, so that others can tell what it lacks. The link says whose it is.
///
/// Wire: epoch, view, height, finalization (optional).
package struct Status: Hashable, Sendable, BCSCodable {
    package let epoch: Epoch
    /// The view that the sender is in.
    package let view: View
    /// The sender's last finalized height: a claim, never a target.
    package let height: Height
    /// The newest finalization that the sender holds.
    package let finalization: Certificate?

    package init(epoch: Epoch, view: View, height: Height, finalization: Certificate?) {
        self.epoch = epoch
        self.view = view
        self.height = height
        self.finalization = finalization
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(epoch)
        writer.append(view)
        writer.append(height)
        writer.append(optional: finalization)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        epoch = try reader.read()
        view = try reader.read()
        height = try reader.read()
        finalization = try reader.readOptional()
    }
}

/// Asks for a certificate of `view`. Wire: epoch, view, want.
package struct CertificateRequest: Hashable, Sendable, BCSCodable {
    /// Wire: variant index.
    package enum Want: UInt32, Hashable, Sendable, BCSCodable {
        /// A notarization, or a finalization of the view or of a later one.
        case notarization
        /// A nullification, or a finalization of a later view.
        case nullification
        /// Both, or a finalization of the view or of a later one.
        case any

        package func encode(to writer: inout BCSWriter) { writer.appendVariant(rawValue) }

        package init(from reader: inout BCSReader) throws(BCSError) {
            let start = reader.offset
            let index = try reader.readULEB128()
            guard let want = Want(rawValue: index) else {
                throw BCSError(.unknownVariant(index), at: start)
            }
            self = want
        }
    }

    package let epoch: Epoch
    package let view: View
    package let want: Want

    package init(epoch: Epoch, view: View, want: Want) {
        self.epoch = epoch
        self.view = view
        self.want = want
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(epoch)
        writer.append(view)
        writer.append(want)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        epoch = try reader.read()
        view = try reader.read()
        want = try reader.read()
    }
}

/// Asks for a block, final or not. Wire: epoch, ref.
package struct BlockRequest: Hashable, Sendable, BCSCodable {
    package let epoch: Epoch
    package let ref: BlockRef

    package init(epoch: Epoch, ref: BlockRef) {
        self.epoch = epoch
        self.ref = ref
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(epoch)
        writer.append(ref)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        epoch = try reader.read()
        ref = try reader.read()
    }
}

/// Asks for finalized blocks from a height upward. Wire: from.
package struct SyncRequest: Hashable, Sendable, BCSCodable {
    /// At least 1.
    package let from: Height

    package init(from: Height) { self.from = from }

    package func encode(to writer: inout BCSWriter) { writer.append(from) }
    package init(from reader: inout BCSReader) throws(BCSError) { from = try reader.read() }
}

/// Finalized blocks, the last one with its finalization.
///
/// Wire: blocks (list of 1...64, ascending, each the parent of the next), certificate.
package struct SyncResponse: Hashable, Sendable, BCSCodable {
    package let blocks: [Block]
    /// The finalization of the last block.
    package let certificate: Certificate

    package init(blocks: [Block], certificate: Certificate) {
        self.blocks = blocks
        self.certificate = certificate
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(list: blocks)
        writer.append(certificate)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        blocks = try reader.readList(
            minimum: 1, maximum: ConsensusLimits.syncBlocksMax, elementBytes: Block.bytesMin)
        certificate = try reader.read()
    }
}
