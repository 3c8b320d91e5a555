/// Bounds of the engine's memory, messages and answers.
package enum ConsensusLimits {
    /// Views ahead of the current one for which votes and a proposal are kept; what lies beyond is
    /// dropped unverified, and catch-up takes over.
    package static let futureViews: UInt64 = 16
    /// Views behind the current one for which votes are still taken; later ones are dropped.
    package static let pastViews: UInt64 = 32
    /// The newest notarized views whose finalize votes are taken and sent again however old.
    package static let finalizeViewsKept = 32
    /// Nullifications inside a proposal; a longer gap is filled by requests.
    package static let skipsMax = 8
    /// Bytes of a block's payload, 1 MiB: certificates of batches, never transactions.
    package static let payloadBytesMax = 1 << 20
    /// Blocks in an answer to a `SyncRequest`.
    package static let syncBlocksMax = 64
    /// Bytes of the blocks in such an answer, 4 MiB; the first block is sent even beyond.
    package static let syncBytesMax = 4 << 20
    /// Answers that a peer gets in a unit of time Δ; what it asks beyond is ignored.
    package static let requestBurst: UInt64 = 64
    /// Things asked for at one time, each from one peer; the rest waits for the next round.
    package static let requestsMax = 16
    /// The most milliseconds that a request or the next repair waits in a slow network.
    package static let retryMilliseconds: UInt64 = 1_000
    /// Milliseconds until a range of the chain is asked of the next member: at least, and at most
    /// on a line that doesn't bring it in less.
    package static let syncPatienceMin: UInt64 = 100
    package static let syncPatienceMax: UInt64 = 1_600
    /// Missing blocks of a finalized chain that are asked for one by one.
    package static let singleBlocksMax: UInt64 = 4
    /// Blocks held below a finalization that they don't yet join to the chain; beyond, they are
    /// dropped and come again with the catch-up.
    package static let unjoinedBlocksMax = 512
    /// The same in bytes of payload, 64 MiB.
    package static let unjoinedBytesMax = 64 << 20
    /// Finalized blocks between two rewrites of the journal: keeps it short, and rewrites rare.
    package static let journalBlocksMax: UInt64 = 256
}
