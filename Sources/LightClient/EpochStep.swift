package import Consensus
package import Primitives

/// The way from an epoch into the next: how the one ended, and who votes in the other.
///
/// Wire: end, record.
package struct EpochStep: Hashable, Sendable, BCSCodable {
    package let end: EpochEnd
    /// The next epoch's committee, whose digest the end's boundary block carries.
    package let record: EpochRecord

    package init(end: EpochEnd, record: EpochRecord) {
        self.end = end
        self.record = record
    }

    /// The epoch that it leads out of.
    package var epoch: Epoch { end.epoch }

    package func encode(to writer: inout BCSWriter) {
        writer.append(end)
        writer.append(record)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        end = try reader.read()
        record = try reader.read()
    }
}

/// Why a step doesn't lead from one epoch into the next.
package enum StepFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The bytes aren't a step.
    case unreadable(BCSError)
    case otherChain(found: ChainID, wanted: ChainID)
    /// It leads out of another epoch than the last one that is known.
    case otherEpoch(Epoch)
    /// The epoch ends at another height than that of the block.
    case otherHeight(found: Height, wanted: Height)
    /// What is finalized isn't the boundary block, and no tail of it.
    case notLinked
    /// The block isn't the one of its height that is trusted.
    case notTrusted(Height)
    /// The certificate isn't signed by a quorum of the epoch's validators.
    case noQuorum
    /// The committee isn't the one that the boundary block names.
    case otherCommittee
    /// The committee is one of another epoch than the next.
    case committeeOfOtherEpoch(Epoch)
    /// The committee stands on another boundary block than the one that was followed.
    case otherBoundary
    /// The validators can't vote.
    case invalidCommittee(Committee.Fault)

    package var description: String {
        switch self {
        case .unreadable(let error): "its bytes can't be read: \(error)"
        case .otherChain(let found, let wanted): "it is of chain \(found), not of \(wanted)"
        case .otherEpoch(let found):
            "it leads out of epoch \(found): one for each epoch is wanted, in their order"
        case .otherHeight(let found, let wanted):
            "its block has height \(found), and the epoch ends at \(wanted)"
        case .notLinked: "its certificate doesn't finalize the epoch's last block"
        case .notTrusted(let height):
            "its block isn't the one of height \(height) that is trusted: one of the two is of a"
                + " forged chain"
        case .noQuorum: "its end isn't signed by a quorum of the epoch's validators"
        case .otherCommittee: "its committee isn't the one that the epoch's last block names"
        case .committeeOfOtherEpoch(let found): "its committee is that of epoch \(found)"
        case .otherBoundary:
            "its committee names another block than the last one of the epoch before"
        case .invalidCommittee(let fault): "its committee can't vote: \(fault)"
        }
    }
}
