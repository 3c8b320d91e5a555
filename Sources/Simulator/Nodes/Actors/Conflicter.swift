internal import Consensus
internal import NodeCore
internal import Primitives

/// Proposes two blocks in each view that it leads: one half of the network gets the other.
struct Conflicter: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        guard case .consensus(.proposal(let proposal)) = message, node.isMultiple(of: 2) else {
            return [message]
        }
        let old = proposal.block
        let header = BlockHeader(
            chainID: old.chainID, epoch: old.epoch, view: old.view, height: old.height,
            parent: old.header.parent, proposer: old.header.proposer,
            time: old.time.clampedAdvance(by: 1), executed: old.executed,
            payloadRoot: old.header.payloadRoot)
        let block = Block(header: header, payload: old.payload)
        let vote = actor.vote(.notarize, in: block.view, for: block.digest)
        let other = Proposal(
            block: block, signature: vote.signature,
            parentCertificate: proposal.parentCertificate, skips: proposal.skips)
        return [.consensus(.proposal(other))]
    }
}
