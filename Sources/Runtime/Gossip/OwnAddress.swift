internal import Gossip
internal import NIOCore

/// What a node says where it is reached.
enum OwnAddress {
    /// The addresses for the own record. `links` and `gossip` are bound.
    /// - Throws: `NetworkFault` for hosts that no record can carry.
    ///
    /// Where all interfaces are listened on and nothing is advertised, the first address that isn't
    /// the loopback's stands for them.
    static func record(
        advertised: NetworkAddress?, links: NetworkAddress, gossip: NetworkAddress
    ) throws(NetworkFault) -> [PeerAddress] {
        let tcp = advertised ?? named(links)
        let isElsewhere = gossip.host != links.host && !isAny(gossip.host)
        let udp = NetworkAddress(host: isElsewhere ? gossip.host : tcp.host, port: gossip.port)
        guard let first = Endpoint(host: tcp.host, port: tcp.port),
            let second = Endpoint(host: udp.host, port: udp.port),
            first.host.utf8.count + second.host.utf8.count <= hostBytesMax
        else {
            throw NetworkFault(
                description: """
                    other nodes can't be told that this one is at \(tcp) and \(udp): a name of at \
                    most \(hostBytesMax / 2) letters, digits, dots and dashes is wanted; see \
                    network.advertised in config.yaml
                    """)
        }
        return [PeerAddress(.links, first), PeerAddress(.gossip, second)]
    }

    /// Bytes of both hosts together that a record has room for.
    private static let hostBytesMax = 320

    private static func isAny(_ host: String) -> Bool { host == "0.0.0.0" || host == "::" }

    private static func named(_ address: NetworkAddress) -> NetworkAddress {
        guard isAny(address.host) else { return address }
        let loopback = address.host == "::" ? "::1" : "127.0.0.1"
        return NetworkAddress(
            host: interfaceAddress(likes: address.host) ?? loopback, port: address.port)
    }

    private static func interfaceAddress(likes host: String) -> String? {
        let devices = (try? System.enumerateDevices()) ?? []
        let texts = devices.compactMap { $0.address?.ipAddress }
        return texts.first { text in
            host.contains(":")
                ? text.contains(":") && text != "::1" && !text.hasPrefix("fe80")
                : text.contains(".") && !text.hasPrefix("127.")
        }
    }
}
