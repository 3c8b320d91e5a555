internal import Consensus
internal import NodeCore
internal import Primitives

/// Sends what it sent long ago again and again.
struct Outdated: NodeMisbehaviour {
    private var old: [NodeMessage] = []
    private static let oldMax = 64

    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        if old.count < Outdated.oldMax {
            old.append(message)
        } else if actor.random.chance(50) {
            old[Int(actor.random.next() % UInt64(old.count))] = message
        }
        guard actor.random.chance(300), let again = actor.random.element(of: old) else {
            return [message]
        }
        return [message, again]
    }
}
