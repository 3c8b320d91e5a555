internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// TLS 1.3 with certificates on both sides, and the sockets' options.
enum LinkTLS {
    static func server(_ certificate: LinkCertificate) -> TLSConfiguration {
        both(
            .makeServerConfiguration(
                certificateChain: [.certificate(certificate.certificate)],
                privateKey: .privateKey(certificate.privateKey)))
    }

    static func client(_ certificate: LinkCertificate) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateChain = [.certificate(certificate.certificate)]
        configuration.privateKey = .privateKey(certificate.privateKey)
        return both(configuration)
    }

    /// The certificate is asked for on both sides; what it must hold is decided by `Link.verify`,
    /// which takes the place of TLS's own check. No authority is trusted.
    private static func both(_ configuration: TLSConfiguration) -> TLSConfiguration {
        var configuration = configuration
        configuration.minimumTLSVersion = .tlsv13
        configuration.maximumTLSVersion = .tlsv13
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates([])
        configuration.shutdownTimeout = .seconds(1)
        return configuration
    }

    /// `TCP_NOTSENT_LOWAT` of Linux: how much the system takes beyond what it can send now.
    private static let unsentLimit = NIOBSDSocket.Option(rawValue: 25)

    static func options(_ bootstrap: ClientBootstrap, _ limits: NetworkLimits) -> ClientBootstrap {
        bootstrap
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.tcpOption(unsentLimit), value: limits.unsentBytesMax)
            .channelOption(.writeBufferWaterMark, value: waterMark)
    }

    static func options(_ bootstrap: ServerBootstrap, _ limits: NetworkLimits) -> ServerBootstrap {
        bootstrap
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.tcpOption(unsentLimit), value: limits.unsentBytesMax)
            .childChannelOption(.writeBufferWaterMark, value: waterMark)
    }

    /// Bytes that may lie between the queue and the system; the rest waits where what is urgent
    /// can overtake it.
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(
        low: 32 << 10, high: 64 << 10)
}
