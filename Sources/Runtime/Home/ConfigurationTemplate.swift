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
          # Where datagrams of other nodes arrive: host:port (null: the same as listen).
          gossip: \(gossip.map { "\"\($0)\"" } ?? "null")
          # Where to ask for other nodes: host:port of some that are usually there, for datagrams.
          # Nothing else is needed to find all others. Three are enough.
        \(seedsText)
          # Nodes to keep a link to in any case, each with its id and address.
        \(peersText)

        node:
          # What this node says it is: validator, verifier, relay (null: validator if it holds a
          # voting key of the committee, relay otherwise).
          role: \(role?.rawValue ?? "null")

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

        scrub:
          # Minutes in which everything in the store is read again once, to find what rots on the
          # disk while other nodes still have it; 10080 is a week, 0 never. Never more than 2% of a
          # core and 4 MiB a second. Damage stops the node with exit code 74.
          periodMinutes: \(scrubMinutes)

        history:
          # Whether every change of every balance is kept, for `offpeak query history` and
          # statements. What is switched off is gone; switched on again, it begins anew.
          accounts: \(keepsAccountHistory)

        limits:
          # Links from and to other nodes.
          connections: \(limits.connections)
          # Links from one source address.
          connectionsPerAddress: \(limits.connectionsPerAddress)
          # Links with nodes that are neither validators, nor bonded, nor listed above.
          guests: \(limits.guests)
          # Memory for decoded blocks of the store, in MiB.
          blockCacheMegabytes: \(limits.blockCacheMegabytes)

        """
    }

    private var seedsText: String {
        if seeds.isEmpty { return "  seeds: []" }
        return (["  seeds:"] + seeds.map { "    - \"\($0)\"" }).joined(separator: "\n")
    }

    private var peersText: String {
        if peers.isEmpty { return "  peers: []" }
        let lines = peers.map { peer in
            "    - id: \"\(peer.peerID)\"\n      address: \"\(peer.address)\""
        }
        return (["  peers:"] + lines).joined(separator: "\n")
    }
}
