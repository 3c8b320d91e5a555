internal import Mempool
internal import NodeCore
internal import Primitives

/// Stores and checks nothing for others.
struct LazyAttester: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        if case .mempool(.ack) = message { [] } else { [message] }
    }
}
