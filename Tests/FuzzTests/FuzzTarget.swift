/// One kind of bytes that come from outside, with everything that must hold of them.
struct FuzzTarget: Sendable {
    /// Names the folder of its corpus too.
    let name: String
    /// Bytes of an input at most: enough for every form, and short enough to be quick.
    let bytesMax: Int
    /// Inputs that are accepted, each with a name: what the corpus begins with.
    let seeds: @Sendable () throws -> [FuzzSeed]
    /// Looks at any bytes; whether they are accepted. Traps, and what is thrown, are faults of the
    /// product.
    let check: @Sendable ([UInt8]) throws -> Bool

    static let all: [FuzzTarget] = pure + shell

    private static let pure = [
        datagram, transaction, batch, ack, certificate, proposal, sync, proof, step, voucher,
    ]

    #if OFFPEAK_SHELL
        private static let shell = [frame, body, configuration, genesis, journal]
    #else
        private static let shell = [genesis]
    #endif
}

/// Bytes with a name for their file.
struct FuzzSeed: Sendable {
    let name: String
    let bytes: [UInt8]

    init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// Something that must hold of every input and doesn't.
struct Violation: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Throws with `what` unless `holds`.
func expect(_ holds: Bool, _ what: @autoclosure () -> String) throws(Violation) {
    if !holds { throw Violation(what()) }
}
