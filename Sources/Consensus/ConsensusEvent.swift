package import Primitives

/// What comes into the engine.
package enum ConsensusEvent: Sendable {
    /// Once, after the effects of a restart can be carried out.
    case start
    /// A message that `wants` let pass and whose signatures hold.
    case message(from: PeerID, Verified<ConsensusMessage>)
    /// A timer that was set is due.
    case timer(TimerID)
    /// The answer to `.build`: what to propose in the view.
    case blockBuilt(View, BlockContents)
    /// The answer to `.build` where nothing can be proposed: the view is given up at once.
    case buildFailed(View)
    /// The answer to `.check`; a stable verdict. What can't be decided yet isn't answered.
    case blockChecked(Digest, valid: Bool)
    /// The node holds something to order: it then waits 2Δ for a leader, without the idle time.
    /// Forgotten at each `.commit`: said again after it if something is left.
    case workAvailable
}

/// What a proposer orders.
package struct BlockContents: Hashable, Sendable {
    /// At most `ConsensusLimits.payloadBytesMax` bytes.
    package let payload: [UInt8]
    package let executed: ExecutedRef
    /// The proposer's clock; the engine raises it above the parent's time.
    package let time: Timestamp
    /// For the last block of an epoch, the digest of the next epoch's record.
    package let nextSetHash: Digest?

    package init(
        payload: [UInt8], executed: ExecutedRef, time: Timestamp, nextSetHash: Digest? = nil
    ) {
        self.payload = payload
        self.executed = executed
        self.time = time
        self.nextSetHash = nextSetHash
    }
}

/// Setting a timer replaces the earlier one of the same name.
package enum TimerID: UInt8, Hashable, Sendable, CaseIterable {
    /// The leader's proposal is late.
    case proposal
    /// The view lasts too long.
    case view
    /// Send again what may have been lost.
    case retry
    /// The leader proposes even with nothing to order.
    case idle
    /// Ask another peer for what is missing.
    case fetch
    /// Ask again how far this node's key may have got.
    case recovery
}

/// The blocks that a new one stands on.
package struct ChainContext: Hashable, Sendable {
    /// The last finalized block.
    package let finalized: Block
    /// What lies above it, ascending, down to and with the parent; empty if the parent is final.
    package let pending: [Block]

    package init(finalized: Block, pending: [Block]) {
        self.finalized = finalized
        self.pending = pending
    }

    package var parent: Block { pending.last ?? finalized }
}
