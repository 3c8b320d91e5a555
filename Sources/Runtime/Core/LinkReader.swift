internal import Logging
internal import NodeCore
internal import Primitives

/// Decodes what arrives on the links and puts it on the core's queue.
struct LinkReader: NetworkHandler {
    let queue: CoreQueue
    let network: NetworkBox
    let gossip: GossipBox
    let logger: Logger

    /// A message must decode and must come in the kind of frame that is made for it.
    func received(_ frame: Frame, from peer: PeerID) {
        do throws(BCSError) {
            let message = try NodeMessage(bcs: frame.payload)
            guard FrameKind(message.channel) == frame.kind else {
                return penalise(peer, "a message in a frame of kind \(frame.kind.name)")
            }
            queue.push(.received(peer, message))
        } catch {
            penalise(peer, "a malformed \(frame.kind.name) message: \(error)")
        }
    }

    private func penalise(_ peer: PeerID, _ reason: String) {
        network.value?.penalise(peer, reason: reason, points: 50)
    }

    func connected(_ peer: PeerID, address: String) { queue.push(.connected(peer)) }

    /// The peer may be dead: gossip finds out.
    func disconnected(_ peer: PeerID, reason: LinkRefusal) {
        queue.push(.disconnected(peer))
        gossip.value?.linkLost(peer)
    }

    var isSaturated: Bool { queue.isSaturated }
}
