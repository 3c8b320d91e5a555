internal import Mempool
internal import NodeCore
internal import Primitives

/// Keeps one sender out.
struct CensoringOwner: NodeMisbehaviour {
    mutating func hear(_ message: NodeMessage, _ actor: inout ActorContext) -> NodeMessage? {
        let victim = actor.victim
        switch message {
        case .mempool(.forward(let transactions)):
            let kept = transactions.filter { $0.transaction.sender != victim }
            return kept.isEmpty ? nil : .mempool(.forward(kept))
        case .mempool(.appeal(let transaction)):
            return transaction.transaction.sender == victim ? nil : message
        default: return message
        }
    }
}
