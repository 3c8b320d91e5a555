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
    /// Milliseconds that `transaction_wait` may wait; longer waits ask again.
    package static let waitMillisecondsMax: UInt64 = 60_000
    /// The same where the client names no time.
    package static let waitMillisecondsDefault: UInt64 = 30_000
    /// Escrows on one page of `escrow_list`.
    package static let pageMax = 100
    /// Escrows on a page where the client names no limit.
    package static let pageDefault = 20
}
