package import Primitives

/// What a validator may not sign because it may have signed something else before, and forgot.
///
/// Two batches at one position of a lane convict their owner, so an owner that lost its store
/// seals only in terms that began after everything that it can have known: a lane is of one term,
/// and the term follows from the sealer's finalized height. Acks need no such wait: what a
/// validator says of a batch follows from the batch, so a second ack can't contradict a forgotten
/// one. That it may ack a rival of a forgotten batch matters only beside an owner that lies, and
/// then the validator is one of the F that the protocol bears.
package enum Silence: Hashable, Sendable {
    case none
    /// Nothing at all is sealed or acked.
    case complete
    /// Nothing is sealed; acks are given.
    case sealing
    /// Nothing is sealed in terms that may be sealed in when this height is the newest finalized.
    case sealingThrough(Height)
}

extension MempoolEngine {
    /// Whether this owner can't have sealed in the lane before and forgotten it.
    func maySeal(in lane: Lane) -> Bool {
        switch silence {
        case .none: true
        case .complete, .sealing: false
        case .sealingThrough(let height): lane.term > layout.term(of: lane.shard, after: height)
        }
    }
}
