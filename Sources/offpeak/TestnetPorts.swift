internal import Glibc

/// Ports of 127.0.0.1 that nobody listens on.
enum TestnetPorts {
    /// `count` different ports that the system gave as free.
    ///
    /// All are held until the last is known, so that none is given twice. Another process may take
    /// one before its node does: then the node says so, and the network isn't started.
    static func free(_ count: Int) throws(CommandFault) -> [UInt16] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        var ports: [UInt16] = []
        for _ in 0..<count {
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard handle >= 0 else { throw fault("socket") }
            sockets.append(handle)
            ports.append(try bindAnywhere(handle))
        }
        return ports
    }

    private static func bindAnywhere(_ handle: Int32) throws(CommandFault) -> UInt16 {
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(handle, raw, length) == 0 ? getsockname(handle, raw, &length) : -1
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
