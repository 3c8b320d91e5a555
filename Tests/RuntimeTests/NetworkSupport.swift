import Foundation
import Logging
import Primitives

@testable import Runtime

/// Records what the links tell, and lets a test wait for it.
// SAFETY: every property is used with the condition's lock held.
final class RecordingHandler: NetworkHandler, @unchecked Sendable {
    private let condition = NSCondition()
    private var frames: [PeerID: [Frame]] = [:]
    private var connections: [PeerID] = []
    private var closings: [LinkRefusal] = []
    private var saturated = false

    func received(_ frame: Frame, from peer: PeerID) {
        change { frames[peer, default: []] += [frame] }
    }
    func connected(_ peer: PeerID, address: String) { change { connections.append(peer) } }
    func disconnected(_ peer: PeerID, reason: LinkRefusal) { change { closings.append(reason) } }

    var isSaturated: Bool {
        get { condition.withLock { saturated } }
        set { change { saturated = newValue } }
    }

    func frames(from peer: PeerID) -> [Frame] { condition.withLock { frames[peer] ?? [] } }
    var connectionCount: Int { condition.withLock { connections.count } }
    var reasons: [LinkRefusal] { condition.withLock { closings } }

    private func change(_ body: () -> Void) {
        condition.withLock {
            body()
            condition.broadcast()
        }
    }

    /// Waits until `holds` or for the time given; whether it held.
    func wait(seconds: Double = 20, until holds: (RecordingHandler.View) -> Bool) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        return condition.withLock {
            while !holds(view) {
                guard condition.wait(until: end) else { return holds(view) }
            }
            return true
        }
    }

    struct View {
        let frames: [PeerID: [Frame]]
        let connections: [PeerID]
        let closings: [LinkRefusal]
    }

    private var view: View {
        View(frames: frames, connections: connections, closings: closings)
    }
}

/// Lines that a logger wrote.
// SAFETY: the lines are used with the condition's lock held.
final class LogLines: @unchecked Sendable {
    private let condition = NSCondition()
    private var lines: [String] = []

    func logger(_ style: LineLogHandler.Style = .text(colours: false)) -> Logger {
        Log.logger("network", level: .trace, style: style) { line in
            self.condition.withLock {
                self.lines.append(line)
                self.condition.broadcast()
            }
        }
    }

    var all: [String] { condition.withLock { lines } }

    /// Waits for a line that holds every part.
    func wait(for parts: [String], seconds: Double = 20) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        func isThere() -> Bool { lines.contains { line in parts.allSatisfy(line.contains) } }
        return condition.withLock {
            while !isThere() {
                guard condition.wait(until: end) else { return isThere() }
            }
            return true
        }
    }
}

/// A node's network for tests: short times, a port of the system's choice.
struct TestNode {
    let key: SecretKey
    let handler = RecordingHandler()
    let log = LogLines()
    let metrics = Metrics()
    let network: PeerNetwork

    var peerID: PeerID { network.peerID }
    var address: NetworkAddress { NetworkAddress(host: "127.0.0.1", port: network.port) }

    init(
        _ key: SecretKey, chain: UInt8 = 1, peers: [ConfiguredPeer] = [], port: UInt16 = 0,
        limits: NetworkLimits = TestNode.limits,
        isAllowed: @escaping @Sendable (PeerID) -> Bool = { _ in true }
    ) throws {
        self.key = key
        let settings = NetworkSettings(
            listen: NetworkAddress(host: "127.0.0.1", port: port), peers: peers,
            isAllowed: isAllowed, limits: limits, log: log.logger(), metrics: metrics)
        network = try PeerNetwork(
            settings: settings, identity: key, chainID: TestNode.chain(chain), handler: handler)
    }

    static func chain(_ number: UInt8) -> ChainID {
        ChainID(Digest.hash(.genesis, [number]).bytes32)
    }

    static var limits: NetworkLimits {
        var limits = NetworkLimits()
        limits.redialMilliseconds = 10...200
        limits.tickMilliseconds = 20
        limits.guestsMax = 0
        return limits
    }

    func peer(_ id: PeerID? = nil) -> ConfiguredPeer {
        ConfiguredPeer(peerID: id ?? peerID, address: address)
    }
}

extension SecretKey {
    /// A fixed key for tests.
    static func test(_ number: UInt8) -> SecretKey {
        SecretKey(seed: SecureBytes(copying: [UInt8](repeating: number, count: 32)))
    }
}
