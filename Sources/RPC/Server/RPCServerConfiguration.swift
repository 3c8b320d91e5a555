/// Where the server listens and how much it takes on.
package struct RPCServerConfiguration: Hashable, Sendable {
    /// The address to bind; from other machines nothing can be reached by default.
    package var host = "127.0.0.1"
    /// The port to bind; 0 lets the system choose.
    package var port = 8645
    /// Requests that are carried out at once. Beyond it: 429 with `Retry-After`.
    package var requestsMax = 1024
    /// Calls of `transaction_wait` at once, below `requestsMax`. Beyond it: `overloaded`.
    package var waitsMax = 512
    /// Open connections. Beyond it: the one is closed that waits for its client the longest.
    package var connectionsMax = 1024
    /// Milliseconds without a byte after which a connection is closed.
    package var idleMilliseconds: Int64 = 20_000
    /// Milliseconds from the first byte of a request's body to its last. Beyond it: 408.
    package var bodyMilliseconds: Int64 = 10_000
    /// Milliseconds in which a client must take something of an answer. Beyond it: closed.
    package var answerMilliseconds: Int64 = 10_000
    /// Milliseconds that open connections have to finish when the server stops.
    package var stopMilliseconds: Int64 = 2_000

    /// Connections beyond `connectionsMax` that may be open for a moment, while others close.
    /// Beyond it: the system's queue.
    static let closingMax = 64

    package init() {}
}
