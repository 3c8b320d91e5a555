package import Primitives

/// Why a link isn't opened, or is closed.
package enum LinkRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer runs on another genesis.
    case otherChain(ours: ChainID, theirs: ChainID)
    /// The certificate doesn't prove an identity.
    case badCertificate
    /// The TLS handshake failed; the system's text.
    case handshake(String)
    case handshakeTimeout
    /// Neither of the committee, nor bonded, nor configured, where no others are let in.
    case unknownPeer(PeerID)
    /// As many strangers as may have links do.
    case tooManyGuests(Int)
    /// Another node answers at the address of the one that was dialled.
    case wrongPeer(expected: PeerID, found: PeerID)
    /// The node reached itself.
    case own
    case banned(PeerID, seconds: UInt64)
    case tooManyLinks(Int)
    case tooManyFromAddress(String, Int)
    case tooManyHandshakes(Int)
    /// Another link to the same peer is in use.
    case duplicate
    /// A newer link took this one's place.
    case replaced
    case otherVersion(UInt16)
    /// The peer broke the frame format.
    case badFrame(FrameFault)
    /// Guests hold too much that is unfinished, and this one the most.
    case tooMuchUnfinished(Int)
    /// Nothing arrived for this long.
    case silent(milliseconds: UInt64)
    /// The peer takes less than it is sent.
    case tooSlow(FrameKind)
    /// The peer said why it closes the link.
    case goodbye(String)
    /// The connection ended without a word.
    case connectionLost(String)
    /// Misbehaviour was counted up to the limit; the last reason.
    case penalised(String)
    case stopping

    /// The stable name, for figures.
    package var name: String {
        switch self {
        case .otherChain: "other_chain"
        case .badCertificate: "bad_certificate"
        case .handshake: "handshake"
        case .handshakeTimeout: "handshake_timeout"
        case .unknownPeer: "unknown_peer"
        case .tooManyGuests: "too_many_guests"
        case .wrongPeer: "wrong_peer"
        case .own: "own"
        case .banned: "banned"
        case .tooManyLinks: "too_many_links"
        case .tooManyFromAddress: "too_many_from_address"
        case .tooManyHandshakes: "too_many_handshakes"
        case .duplicate: "duplicate"
        case .replaced: "replaced"
        case .otherVersion: "other_version"
        case .badFrame: "bad_frame"
        case .tooMuchUnfinished: "too_much_unfinished"
        case .silent: "silent"
        case .tooSlow: "too_slow"
        case .goodbye: "goodbye"
        case .connectionLost: "connection_lost"
        case .penalised: "penalised"
        case .stopping: "stopping"
        }
    }

    package var description: String {
        switch self {
        case .otherChain(let ours, let theirs):
            "the peer runs on another genesis: its chain id is \(theirs), ours is \(ours)"
        case .badCertificate: "the peer's certificate doesn't prove an identity"
        case .handshake(let text): "the TLS handshake failed: \(text)"
        case .handshakeTimeout: "the peer didn't finish the handshake in time"
        case .unknownPeer(let peer): "the peer \(peer) is neither a validator nor configured"
        case .tooManyGuests(let count): "\(count) strangers have links, no more are let in"
        case .wrongPeer(let expected, let found):
            "the node at this address is \(found), not \(expected)"
        case .own: "the address is this node's own"
        case .banned(let peer, let seconds):
            "the peer \(peer) is banned for \(seconds) more seconds"
        case .tooManyLinks(let count): "\(count) links are open, no more are allowed"
        case .tooManyFromAddress(let address, let count):
            "\(count) links come from \(address), no more are allowed"
        case .tooManyHandshakes(let count): "\(count) handshakes are under way, this is the oldest"
        case .duplicate: "another link to this peer is in use"
        case .replaced: "a newer link to this peer took its place"
        case .otherVersion(let version):
            "the peer speaks version \(version) of the link protocol, not \(LinkMessage.version)"
        case .badFrame(let fault): "the peer sent \(fault)"
        case .tooMuchUnfinished(let bytes): "\(bytes) bytes of unfinished frames lie here"
        case .silent(let milliseconds): "nothing arrived for \(milliseconds) ms"
        case .tooSlow(let kind): "the peer takes \(kind.name) frames more slowly than they come"
        case .goodbye(let reason): "the peer closed the link: \(reason)"
        case .connectionLost(let text): "the connection ended: \(text)"
        case .penalised(let reason): "the peer misbehaved: \(reason)"
        case .stopping: "the node stops"
        }
    }
}
