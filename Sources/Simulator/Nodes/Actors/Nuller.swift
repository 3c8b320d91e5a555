internal import Consensus
internal import NodeCore
internal import Primitives

/// Wants every view to end without a block.
struct Nuller: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        guard case .consensus(.vote(let vote)) = message else { return [message] }
        return [.consensus(.vote(actor.vote(.nullify, in: vote.view, for: .zero)))]
    }
}
