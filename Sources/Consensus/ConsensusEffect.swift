package import Primitives

/// What the engine wants done, in order.
///
/// The shell's side of the contract: nothing that stands behind a `.persist` with `sync` leaves
/// the machine before the journal is synced; if it can't be, the process stops.
package enum ConsensusEffect: Hashable, Sendable {
    /// Append to the journal. Without `sync` the records become durable with the next that has it.
    case persist([JournalRecord], sync: Bool)
    /// Send to every other validator; the own copy is already counted.
    case broadcast(ConsensusMessage)
    case send(PeerID, ConsensusMessage)
    /// Answer a peer that asks for a block that the engine no longer holds, if the store does.
    case serveBlock(PeerID, Digest)
    /// Replaces the earlier timer of that name.
    case setTimer(TimerID, Instant)
    case cancelTimer(TimerID)
    /// This node leads: answer `.blockBuilt` as soon as there is something to order, or
    /// `.buildFailed`. Comes again with `mayBeEmpty` when the wait is over: then answer at once,
    /// with an empty payload if there is nothing. A later view's request withdraws it.
    case build(View, ChainContext, mayBeEmpty: Bool)
    /// Answer `.blockChecked` when the verdict is known.
    case check(Block, ChainContext)
    /// Blocks that are final from now on, each once, ascending without gaps; the certificate is
    /// the last one's. After a restart blocks may come again that the store already holds.
    case commit([Block], Certificate)
    /// The same for the epoch's last blocks, with the proof that it is over: nothing more is
    /// committed by this engine.
    case commitLast([Block], EpochEnd)
    /// Two votes that prove their signer at fault.
    case evidence(Evidence)
    /// The peer sent what no honest node sends.
    case penalise(PeerID, Penalty)
    /// The assumption on faulty weight is broken: stop, keep everything for a person to look at.
    case halt(String)
    /// Rewrite the journal to these records, after the store's commits so far are synced.
    case compact([JournalRecord])
}

/// Why a peer is penalised.
package enum Penalty: String, Hashable, Sendable {
    /// Blocks that don't join the finalized chain to their certificate.
    case brokenChain
    /// A block or certificate of an impossible shape.
    case malformed
}
