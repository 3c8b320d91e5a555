internal import Glibc

/// How many files and sockets this process may have open.
///
/// Many systems begin with 1,024, fewer than connections alone may take. Without a free one the
/// journal can't be renewed, and a node stops whose disk does that: so that no client can bring it
/// there, connections get what is left when files have theirs.
package enum OpenFiles {
    /// The store's tables, journal, log, what threads and the runtime open, and connections and
    /// links that are closing: a node with few files keeps some hundred for clients.
    private static let ownMax = Int(StoreLimits().openFilesMax) + 320
    /// RPC with fewer connections than this serves nobody.
    private static let connectionsMin = 16

    /// Raises this process's bound as far as `connections` and files want it and the system
    /// allows it.
    /// - Parameter links: to other nodes, both directions.
    /// - Returns: the connections that RPC may have, at most `connections`.
    /// - Throws: `HomeFault` if the bound is too low for a node.
    package static func reserve(links: Int, connections: Int) throws(HomeFault) -> Int {
        let reserved = ownMax + links
        let bound = raise(to: reserved + connections)
        let left = min(connections, bound - reserved)
        guard left >= connectionsMin else {
            throw HomeFault(
                """
                this process may open \(bound) files, and a node with \(links) links needs \
                \(reserved + connectionsMin) at least: raise the hard limit (ulimit -n, \
                LimitNOFILE), or lower limits.connections in config.yaml
                """)
        }
        return left
    }

    /// The bound after it was raised towards `wanted`.
    private static func raise(to wanted: Int) -> Int {
        var limits = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limits) == 0 else { return wanted }
        if limits.rlim_cur < rlim_t(wanted) {
            limits.rlim_cur = min(limits.rlim_max, rlim_t(wanted))
            _ = setrlimit(resource, &limits)
            _ = getrlimit(resource, &limits)
        }
        return Int(clamping: limits.rlim_cur)
    }
}
