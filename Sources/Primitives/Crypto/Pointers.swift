extension UnsafeRawBufferPointer {
    /// The address of the first byte, for C; the buffer must not be empty.
    var octets: UnsafePointer<UInt8> {
        guard let baseAddress else { preconditionFailure("an empty buffer has no address") }
        return baseAddress.assumingMemoryBound(to: UInt8.self)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// The address of the first byte, for C; the buffer must not be empty.
    var octets: UnsafeMutablePointer<UInt8> {
        guard let baseAddress else { preconditionFailure("an empty buffer has no address") }
        return baseAddress.assumingMemoryBound(to: UInt8.self)
    }
}
