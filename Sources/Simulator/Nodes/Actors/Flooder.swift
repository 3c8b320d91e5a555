internal import NodeCore
internal import Primitives

/// Sends everything twenty times.
struct Flooder: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        actor.random.chance(100) ? Array(repeating: message, count: 20) : [message]
    }
}
