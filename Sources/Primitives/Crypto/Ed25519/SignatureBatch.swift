internal import CSodium

/// Signatures checked together, with the verdicts that rule SC gives each alone.
///
/// With a random z for each signature, the sum of z·[8](S·B - h·A - R) over all of them is O if
/// every equation holds. If one doesn't, it is O with a probability of at most 2^-128: the left
/// sides lie in the group of prime order L, and of all values of one coefficient at most one makes
/// the sum O. So a sum that is O proves its signatures (Naccache, M'Raihi, Vaudenay, Raphaeli 1994;
/// Bernstein et al. 2012, section 5), and because rule SC multiplies by 8, one that isn't O holds a
/// signature that fails alone, too ("Taming the many EdDSAs", 2020).
///
/// A sum that isn't O is halved: the left half is summed, the right half is the difference. The
/// coefficients stay, since nothing of them leaves this function; a wrong signature goes
/// undetected with a probability of at most 2^-128 for each of the at most 2·n sums.
package struct SignatureBatch {
    private struct Entry {
        /// Place among the signatures added.
        let index: Int
        let key: Int
        let equation: SignatureEquation
    }

    private var keys: [PublicKey: Int] = [:]
    private var points: [AffinePoint?] = []
    private var entries: [Entry] = []
    private var refused: [Int] = []
    /// The number of signatures added.
    package private(set) var count = 0

    package init(capacity: Int) {
        entries.reserveCapacity(capacity)
        points.reserveCapacity(capacity)
        keys.reserveCapacity(capacity)
    }

    /// Adds a signature; about 10 µs, of which half is saved for a key that was added before.
    package mutating func add(
        publicKey: PublicKey, message: UnsafeRawBufferPointer, signature: Signature
    ) {
        let index = count
        count += 1
        let key = place(of: publicKey)
        guard let minusA = points[key],
            let equation = SignatureEquation(
                publicKey: publicKey, minusA: minusA, message: message, signature: signature)
        else {
            refused.append(index)
            return
        }
        entries.append(Entry(index: index, key: key, equation: equation))
    }

    private mutating func place(of publicKey: PublicKey) -> Int {
        if let place = keys[publicKey] { return place }
        points.append(SignatureEquation.decode(publicKey.bytes32))
        keys[publicKey] = points.count - 1
        return points.count - 1
    }

    /// The places of the signatures that don't hold, rising.
    package func invalid() -> [Int] { invalid(coefficients: SignatureBatch.coefficients) }

    /// The same with coefficients below 2^128 from elsewhere, given their number.
    func invalid(coefficients: (Int) -> [GroupScalar]) -> [Int] {
        let wrong = search(coefficients).found()
        return (refused + wrong.map { entries[$0].index }).sorted()
    }

    /// Whether every signature holds: `invalid().isEmpty`, without looking for those that don't.
    package var allHold: Bool {
        refused.isEmpty && search(SignatureBatch.coefficients).isEmpty
    }

    private func search(_ coefficients: (Int) -> [GroupScalar]) -> BatchSearch {
        BatchSearch(
            equations: entries.map(\.equation), keys: entries.map(\.key), keyCount: points.count,
            coefficients: coefficients(entries.count))
    }

    /// Coefficients of 128 bits from the system's generator, stretched by ChaCha20. They decide
    /// nothing but the probability of an error, and never leave the check.
    static func coefficients(_ count: Int) -> [GroupScalar] {
        let seed = Sodium.randomBytes(Int(randombytes_SEEDBYTES))
        var words = [UInt64](repeating: 0, count: 2 * count)
        words.withUnsafeMutableBytes {
            randombytes_buf_deterministic($0.octets, $0.count, seed)
        }
        return (0..<count).map { GroupScalar(words[2 * $0], words[2 * $0 + 1], 0, 0) }
    }
}
