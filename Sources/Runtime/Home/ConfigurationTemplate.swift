extension Configuration {
    /// The file that `offpeak init` writes: every setting with its value and what it means.
    package var template: String {
        """
        # Settings of an Offpeak node. What is left out keeps the value that `offpeak init` shows;
        # an unknown key is an error.

        network:
          # Where links from other nodes arrive: host:port.
          listen: "\(listen)"
          # What other nodes should dial, if it isn't the address above (null: it is).
          advertised: \(advertised.map { "\"\($0)\"" } ?? "null")
          # Nodes to keep a link to, each with its id and address.
        \(peersText)

        rpc:
          # Where JSON-RPC, /health, /ready and /metrics are served; null serves none.
          # Anybody who reaches this address can submit and read: keep it on the loopback address
          # or behind a proxy.
          listen: \(rpcListen.map { "\"\($0)\"" } ?? "null")

        log:
          # \(LogLevel.allCases.map(\.rawValue).joined(separator: ", "))
          level: \(logLevel.rawValue)
          # auto (text on a terminal, JSON elsewhere), text, json
          format: \(logFormat.rawValue)

        verifier:
          # Threads that check signatures; 0 for one on each core.
          threads: \(verifierThreads)

        \(share.template)

        limits:
          # Links from and to other nodes.
          connections: \(limits.connections)
          # Links from one source address.
          connectionsPerAddress: \(limits.connectionsPerAddress)
          # Memory for decoded blocks of the store, in MiB.
          blockCacheMegabytes: \(limits.blockCacheMegabytes)

        """
    }

    private var peersText: String {
        if peers.isEmpty { return "  peers: []" }
        let lines = peers.map { peer in
            "    - id: \"\(peer.peerID)\"\n      address: \"\(peer.address)\""
        }
        return (["  peers:"] + lines).joined(separator: "\n")
    }
}
