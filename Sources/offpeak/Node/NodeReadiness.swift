internal import Consensus
internal import Execution
internal import Primitives
internal import RPC
internal import Runtime

/// Whether a node takes part, and if not, why: for `/ready` and for clients that wait in vain.
struct NodeReadiness {
    private let node: RunningNode

    /// Milliseconds without a finalized block after which the chain counts as standing still: an
    /// idle network finalizes one a second.
    private static let stillMilliseconds: UInt64 = 10_000

    init(_ node: RunningNode) { self.node = node }

    var now: Readiness {
        let reasons = reasons
        return Readiness(ready: reasons.isEmpty, reasons: reasons)
    }

    private var reasons: [String] {
        let status = node.status
        var reasons: [String] = []
        if let reason = quorumReason { reasons.append(reason) }
        if let progress = status.progress, progress.isCatchingUp {
            reasons.append(
                "catching up: blocks above height \(status.finalizedHeight) are fetched")
        }
        let lag = node.genesis.parameters.consensus.executionLagMax
        if status.finalizedHeight > status.appliedHeight.clampedAdvance(by: lag) {
            reasons.append(
                "executing: height \(status.appliedHeight) of \(status.finalizedHeight)")
        }
        if status.finalizedHeight == status.openedAtHeight {
            // Until then nobody has said how far the chain is.
            reasons.append("no block was finalized since the start")
        } else if node.sinceFinalized > NodeReadiness.stillMilliseconds {
            reasons.append("no block was finalized for \(node.sinceFinalized / 1000) s")
        }
        return reasons
    }

    /// Why nothing can be finalized, nil if links to a quorum stand.
    var quorumReason: String? {
        let committee = node.committee
        let weight = node.connectedWeight
        guard weight < committee.quorum else { return nil }
        let reached = node.peers.filter { committee.index(of: $0.peerID) != nil }.count
        return """
            no quorum: this node reaches \(reached) of \(others) other validators; weight \
            \(weight) of \(committee.totalWeight), \(committee.quorum) needed
            """
    }

    private var others: Int {
        node.committee.count - (node.ownIndex == nil ? 0 : 1)
    }
}
