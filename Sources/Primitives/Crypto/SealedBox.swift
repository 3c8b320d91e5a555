internal import CSodium

/// The number that makes each sealing under one key different: 24 bytes, used once.
package struct BoxNonce: Hashable, Sendable {
    /// The bytes are the three numbers, little-endian, one after the other.
    package let words: (UInt64, UInt64, UInt64)

    package init(_ first: UInt64, _ second: UInt64, _ third: UInt64) {
        words = (first, second, third)
    }

    package static func == (left: BoxNonce, right: BoxNonce) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
    }

    fileprivate func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let ordered = (words.0.littleEndian, words.1.littleEndian, words.2.littleEndian)
        return Swift.withUnsafeBytes(of: ordered, body)
    }
}

/// What two identities share and nobody else knows: seals datagrams between them (libsodium's
/// `crypto_box`: X25519, XSalsa20, Poly1305). The same key serves both directions, so whoever uses
/// it keeps the nonces of the two apart.
package struct SharedKey: Sendable, CustomStringConvertible {
    /// Bytes that sealing adds.
    package static let overheadBytes = 16

    private let secret: SecureBytes

    /// The key of a point and a scalar of X25519; nil for a point of small order.
    init?(point: [UInt8], scalar: SecureBytes) {
        var status: Int32 = -1
        secret = SecureBytes(count: 32) { key in
            scalar.withUnsafeBytes { status = crypto_box_beforenm(key.octets, point, $0.octets) }
        }
        guard status == 0 else { return nil }
    }

    /// `message`, encrypted and authenticated: `overheadBytes` longer. About 3 µs for 1,200 bytes.
    package func seal(_ message: [UInt8], _ nonce: BoxNonce) -> [UInt8] {
        var box = [UInt8](repeating: 0, count: message.count + SharedKey.overheadBytes)
        nonce.withUnsafeBytes { nonce in
            secret.withUnsafeBytes { key in
                _ = crypto_box_easy_afternm(
                    &box, message, UInt64(message.count), nonce.octets, key.octets)
            }
        }
        return box
    }

    /// What was sealed, or nil if a bit of it, the nonce or the key is another.
    package func open(_ box: [UInt8], _ nonce: BoxNonce) -> [UInt8]? {
        guard box.count >= SharedKey.overheadBytes else { return nil }
        var message = [UInt8](repeating: 0, count: box.count - SharedKey.overheadBytes)
        let status = nonce.withUnsafeBytes { nonce in
            secret.withUnsafeBytes { key in
                crypto_box_open_easy_afternm(
                    &message, box, UInt64(box.count), nonce.octets, key.octets)
            }
        }
        return status == 0 ? message : nil
    }

    package var description: String { "SharedKey([redacted])" }
}
