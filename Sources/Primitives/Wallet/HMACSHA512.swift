internal import CSodium

/// HMAC-SHA512 with one key; `wipe` it after use.
struct HMACSHA512 {
    /// The number of bytes of a code.
    static let count = 64
    private var keyed = crypto_auth_hmacsha512_state()

    /// - Precondition: `key` isn't empty.
    init(key: UnsafeRawBufferPointer) {
        Sodium.start()
        crypto_auth_hmacsha512_init(&keyed, key.octets, key.count)
    }

    /// Writes the code of `message` into the first 64 bytes of `output`, which may overlap it.
    func authenticate(
        _ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) {
        precondition(output.count >= HMACSHA512.count, "\(output.count) bytes for a code")
        var state = keyed
        crypto_auth_hmacsha512_update(&state, message.octets, UInt64(message.count))
        crypto_auth_hmacsha512_final(&state, output.octets)
        sodium_memzero(&state, MemoryLayout.size(ofValue: state))
    }

    mutating func wipe() { sodium_memzero(&keyed, MemoryLayout.size(ofValue: keyed)) }
}

/// PBKDF2 with HMAC-SHA512 (RFC 8018), for one block of output.
enum PBKDF2 {
    /// 64 bytes from `password` and `salt`, neither empty. O(rounds), about 2 µs each.
    static func derive(password: SecureBytes, salt: SecureBytes, rounds: Int) -> SecureBytes {
        precondition(rounds > 0, "\(rounds) rounds")
        let first = saltWithBlockNumber(salt)
        let work = SecureBytes(count: 2 * HMACSHA512.count) { work in
            let sum = UnsafeMutableRawBufferPointer(rebasing: work[..<64])
            let latest = UnsafeMutableRawBufferPointer(rebasing: work[64...])
            var hmac = password.withUnsafeBytes { HMACSHA512(key: $0) }
            first.withUnsafeBytes { hmac.authenticate($0, into: latest) }
            sum.copyMemory(from: UnsafeRawBufferPointer(latest))
            for _ in 1..<rounds {
                hmac.authenticate(UnsafeRawBufferPointer(latest), into: latest)
                for place in 0..<64 { sum[place] ^= latest[place] }
            }
            hmac.wipe()
        }
        return work.slice(0..<64)
    }

    private static func saltWithBlockNumber(_ salt: SecureBytes) -> SecureBytes {
        SecureBytes(count: salt.count + 4) { buffer in
            salt.withUnsafeBytes { buffer.copyMemory(from: $0) }
            UnsafeMutableRawBufferPointer(rebasing: buffer[salt.count...])
                .copyBytes(from: [0, 0, 0, 1] as [UInt8])
        }
    }
}
