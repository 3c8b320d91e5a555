internal import NodeCore
internal import Primitives

/// Changes bytes of what it sends; what can't be decoded any more is dropped, as a link would
/// drop it.
struct Garbler: NodeMisbehaviour {
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] {
        guard actor.random.chance(250) else { return [message] }
        var bytes = message.bcsBytes
        for _ in 0...actor.random.next() % 3 {
            let place = Int(actor.random.next() % UInt64(bytes.count))
            bytes[place] ^= UInt8(truncatingIfNeeded: 1 << (actor.random.next() % 8))
        }
        guard let garbled = try? NodeMessage(bcs: bytes) else { return [] }
        return [garbled]
    }
}
