internal import Glibc

/// Ports of 127.0.0.1 that nobody listens on, neither for links nor for datagrams.
enum TestnetPorts {
    /// `count` different ports that the system gave as free.
    ///
    /// All are held until the last is known, so that none is given twice. Another process may take
    /// one before its node does: then the node says so, and the network isn't started.
    static func free(_ count: Int) throws(CommandFault) -> [UInt16] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        var ports: [UInt16] = []
        for _ in 0..<count + attemptsMax where ports.count < count {
            let links = try open(SOCK_STREAM, &sockets)
            let port = try bind(links, to: 0)
            let datagrams = try open(SOCK_DGRAM, &sockets)
            if (try? bind(datagrams, to: port)) != nil { ports.append(port) }
        }
        guard ports.count == count else { throw fault("bind for datagrams") }
        return ports
    }

    /// Ports that may be free for links and taken for datagrams.
    private static let attemptsMax = 64

    private static func open(
        _ type: __socket_type, _ sockets: inout [Int32]
    ) throws(CommandFault) -> Int32 {
        let handle = socket(AF_INET, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard handle >= 0 else { throw fault("socket") }
        sockets.append(handle)
        return handle
    }

    /// Binds to a port, 0 for any; the port.
    private static func bind(_ handle: Int32, to port: UInt16) throws(CommandFault) -> UInt16 {
        var address = loopback(port: port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                Glibc.bind(handle, raw, length) == 0 ? getsockname(handle, raw, &length) : -1
            }
        }
        guard status == 0 else { throw fault("bind") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// 127.0.0.1 and a port as the system's calls want them.
    static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func fault(_ call: String) -> CommandFault {
        CommandFault("no free port of 127.0.0.1: \(call): \(String(cString: strerror(errno)))")
    }
}
