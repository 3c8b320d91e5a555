internal import CBlake2

/// Independent hashes of one domain that are made together, one in each lane of the processor's
/// vectors: several times as fast as one after the other.
///
/// Holds a copy of each input until `takeHashes`.
package struct HashQueue: Sendable {
    /// How the lanes are worked; all paths give the same hashes.
    package enum Path: Int32, CaseIterable, Sendable {
        case portable = 0
        /// Four lanes.
        case avx2 = 1
        /// Eight lanes.
        case avx512 = 2

        /// The fastest that this processor has.
        package static let best = Path(rawValue: offpeak_blake2_best_path()) ?? .portable
    }

    private let personal: [UInt8]
    private let path: Int32
    private var inputs: [UInt8] = []
    /// Where each input ends.
    private var ends: [Int] = []

    /// - Parameter path: For tests; one that the processor doesn't have becomes the best it has.
    package init(_ domain: HashDomain, path: Path = .best) {
        self.init(personal: domain.personal, path: path)
    }

    init(personal: [UInt8], path: Path) {
        precondition(personal.count == 16, "a personalization of \(personal.count) bytes")
        self.personal = personal
        self.path = path.rawValue
    }

    /// The number of inputs.
    package var count: Int { ends.count }

    package mutating func append(_ input: UnsafeRawBufferPointer) {
        inputs.append(contentsOf: input)
        ends.append(inputs.count)
    }

    package mutating func append(_ first: UInt8, _ rest: UnsafeRawBufferPointer) {
        inputs.append(first)
        append(rest)
    }

    package mutating func append(_ first: Bytes32, _ second: Bytes32) {
        first.withUnsafeBytes { inputs.append(contentsOf: $0) }
        second.withUnsafeBytes { append($0) }
    }

    package mutating func append(_ first: UInt8, _ second: Bytes32, _ third: Bytes32) {
        inputs.append(first)
        append(second, third)
    }

    /// The hashes of all inputs in their order; the queue is empty then.
    package mutating func takeHashes() -> [Bytes32] {
        let hashes = [UInt64](unsafeUninitializedCapacity: 4 * ends.count) { words, count in
            count = 4 * ends.count
            guard let base = words.baseAddress else { return }
            base.withMemoryRebound(to: UInt8.self, capacity: 8 * count) {
                offpeak_blake2_hash(inputs, ends, ends.count, personal, $0, path)
            }
        }
        defer {
            inputs.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        }
        return hashes.withUnsafeBytes { buffer in
            ends.indices.map {
                Bytes32(
                    loading: UnsafeRawBufferPointer(rebasing: buffer[32 * $0..<32 * $0 + 32]))
            }
        }
    }
}

/// Hashes pairs of hashes as `HashQueue` does its inputs, where they lie.
package struct PairHasher: Sendable {
    private let personal: [UInt8]

    /// As many fill the widest vectors.
    package static let groupCount = 8

    package init(_ domain: HashDomain) { personal = domain.personal }

    /// - Parameters:
    ///   - pairs: 64 bytes for each pair.
    ///   - hashes: Takes 32 bytes for each.
    package func hash(
        _ pairs: UnsafeRawBufferPointer, into hashes: UnsafeMutableRawBufferPointer
    ) {
        let count = pairs.count / 64
        precondition(hashes.count >= 32 * count, "\(hashes.count) bytes for \(count) hashes")
        guard count > 0 else { return }
        offpeak_blake2_hash_pairs(
            pairs.octets, count, personal, hashes.octets, HashQueue.Path.best.rawValue)
    }
}

extension HashDomain {
    /// The 16 bytes of BLAKE2b's `person` parameter.
    var personal: [UInt8] {
        var bytes = Array(rawValue.utf8.prefix(16))
        bytes.append(contentsOf: repeatElement(0, count: 16 - bytes.count))
        return bytes
    }
}
