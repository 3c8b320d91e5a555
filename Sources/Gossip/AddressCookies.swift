internal import Primitives

/// What an address must send back before anything that costs is done for it: nobody who only
/// forges a sender's address gets to see it. Nothing is kept for an address.
///
/// A cookie is the first eight bytes of the hash, in the domain `offpeak/cookie`, of a secret of
/// this process, the number of the period, host and port.
struct AddressCookies: Sendable {
    private let secret: [UInt8]

    /// With a secret of the process's own.
    init(using generator: inout some RandomNumberGenerator) {
        var writer = BCSWriter()
        for _ in 0..<4 { writer.append(generator.next()) }
        secret = writer.bytes
    }

    /// What is wanted from an address now; never zero.
    func cookie(for address: Endpoint, at now: Instant) -> UInt64 {
        cookie(address, period(now))
    }

    /// Whether an address sent what was wanted in this period or in the one before.
    func isValid(_ cookie: UInt64, from address: Endpoint, at now: Instant) -> Bool {
        let period = period(now)
        return cookie == self.cookie(address, period)
            || period > 0 && cookie == self.cookie(address, period - 1)
    }

    private func period(_ now: Instant) -> UInt64 {
        now.milliseconds / GossipLimits.cookieMilliseconds
    }

    private func cookie(_ address: Endpoint, _ period: UInt64) -> UInt64 {
        var writer = BCSWriter(capacity: 96)
        writer.appendFixed(secret)
        writer.append(period)
        writer.append(address)
        return max(1, Digest.hash(.cookie, writer.bytes).bytes32.leadingWord)
    }
}
