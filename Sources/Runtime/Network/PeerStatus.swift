package import Primitives
internal import Synchronization

/// Who dialled.
package enum LinkDirection: String, Sendable {
    case incoming, outgoing
}

/// An open link, for status.
package struct PeerStatus: Hashable, Sendable {
    package let peerID: PeerID
    /// Host and port of the other end.
    package let address: String
    package let direction: LinkDirection
    /// Milliseconds since 1970 when the link opened.
    package let since: Timestamp
    /// The newest round trip; nil before the first pong.
    package var roundTripMicroseconds: UInt64?
    /// Bytes of chunks that arrived, by kind, with headers, as they travel inside TLS.
    package var bytesIn: [FrameKind: UInt64]
    /// Bytes of frames that were queued to be sent, by kind, packed, with one header each.
    package var bytesOut: [FrameKind: UInt64]
}

/// What a link counts, readable from any thread.
final class LinkCounters: Sendable {
    private struct State {
        var roundTripMicroseconds: UInt64?
        var bytesIn = [UInt64](repeating: 0, count: FrameKind.allCases.count)
        var bytesOut = [UInt64](repeating: 0, count: FrameKind.allCases.count)
    }

    private let peerID: PeerID
    private let address: String
    private let direction: LinkDirection
    private let since: Timestamp
    private let state = Mutex(State())

    init(peerID: PeerID, address: String, direction: LinkDirection, since: Timestamp) {
        self.peerID = peerID
        self.address = address
        self.direction = direction
        self.since = since
    }

    /// Takes the bytes of each kind that arrived so far.
    func received(_ byteCounts: [UInt64]) { state.withLock { $0.bytesIn = byteCounts } }

    func sent(_ count: Int, of kind: FrameKind) {
        state.withLock { $0.bytesOut[Int(kind.rawValue)] += UInt64(count) }
    }

    func measured(roundTripMicroseconds: UInt64) {
        state.withLock { $0.roundTripMicroseconds = roundTripMicroseconds }
    }

    var status: PeerStatus {
        let state = state.withLock { $0 }
        func byKind(_ counts: [UInt64]) -> [FrameKind: UInt64] {
            var result: [FrameKind: UInt64] = [:]
            for kind in FrameKind.allCases { result[kind] = counts[Int(kind.rawValue)] }
            return result
        }
        return PeerStatus(
            peerID: peerID, address: address, direction: direction, since: since,
            roundTripMicroseconds: state.roundTripMicroseconds, bytesIn: byKind(state.bytesIn),
            bytesOut: byKind(state.bytesOut))
    }
}

/// The open links, readable from any thread; written by the network thread.
final class PeerDirectory: Sendable {
    private let links = Mutex<[PeerID: LinkCounters]>([:])

    func set(_ counters: LinkCounters?, for peer: PeerID) {
        links.withLock { $0[peer] = counters }
    }

    /// Sorted by peer id.
    var statuses: [PeerStatus] {
        links.withLock { Array($0.values) }.map(\.status).sorted { $0.peerID < $1.peerID }
    }

    var count: Int { links.withLock { $0.count } }
}
