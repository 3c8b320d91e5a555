/// Bounds on what a client may ask, each with what happens beyond it.
package enum RPCLimits {
    /// Bytes of a request's body: a batch of the largest transactions with room to spare. Beyond
    /// it: 413.
    package static let bodyBytesMax = 1 << 20
    /// Requests in a batch. Beyond it: `invalidRequest`.
    package static let batchMax = 20
    /// Depth of arrays and objects. Beyond it: `invalidRequest`, before anything is built.
    package static let nestingMax = 32
    /// Members of one JSON object; no method has a tenth of that. Beyond it: `invalidRequest`.
    package static let membersMax = 64
    /// Elements of one JSON array. Beyond it: `invalidRequest`.
    package static let elementsMax = 1024
    /// Bytes of a request's id, which its answer repeats. Beyond it: `invalidRequest`.
    package static let idBytesMax = 256
    /// Bytes of a request's head. Beyond it: 400, and the connection is closed.
    package static let headBytesMax = 16 << 10
    /// Header fields of a request. Beyond it: the same.
    package static let headFieldsMax = 100
    /// Requests on one connection that came and have no answer yet. Beyond it: closed.
    package static let pipelinedMax = 16
    /// Bytes that large requests and answers under way hold together: with what small ones hold, a
    /// third of what a node may use. Beyond it: 429.
    package static let heldBytesMax = 96 << 20
    /// Bytes of a request or an answer that aren't counted: nearly all are smaller.
    package static let freeBytesMax = 16 << 10
    /// What a request's byte counts for: JSON that was read takes several times its text.
    package static let readingFactor = 8
    /// Bytes of an answer that are handed to the connection at once: the rest waits, counted, until
    /// the client has taken these.
    package static let pieceBytes = 32 << 10
    /// Milliseconds that `transaction_wait` may wait; longer waits ask again.
    package static let waitMillisecondsMax: UInt64 = 60_000
    /// The same where the client names no time.
    package static let waitMillisecondsDefault: UInt64 = 30_000
    /// Escrows on one page of `escrow_list`.
    package static let pageMax = 100
    /// Escrows on a page where the client names no limit.
    package static let pageDefault = 20
    /// Postings on one page of `account_history`: about 200 KB.
    package static let historyPageMax = 500
    /// Postings on a page where the client names no limit.
    package static let historyPageDefault = 50
    /// Steps on one page of `epoch_proofs`.
    package static let epochPageMax = 64
    /// Bytes of proofs after which a page of `epoch_proofs` ends, whatever its limit: one step of
    /// large committees takes 100 KB, and one with all the tails that there may be 12 MB.
    package static let epochPageBytes = 1 << 20
}
