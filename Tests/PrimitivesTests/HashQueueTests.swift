import CSodium
import TestSupport
import Testing

@testable import Primitives

@Suite struct HashQueueTests {
    /// BLAKE2b-256 by libsodium.
    private func sodium(_ bytes: [UInt8], _ personal: [UInt8]) -> Bytes32 {
        var hash = [UInt8](repeating: 0, count: 32)
        let status = crypto_generichash_blake2b_salt_personal(
            &hash, 32, bytes, UInt64(bytes.count), nil, 0, nil, personal)
        #expect(status == 0)
        return Bytes32(hash) ?? .zero
    }

    private func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    @Test(arguments: HashQueue.Path.allCases)
    func `every path gives libsodium's hashes, however many lanes are taken`(
        path: HashQueue.Path
    ) {
        var generator = SeededGenerator(seed: 0xB2 + UInt64(path.rawValue))
        let edges = [0, 1, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000]
        for count in 1...19 {
            let personal = bytes(16, &generator)
            var queue = HashQueue(personal: personal, path: path)
            for round in 0..<4 {
                var wanted: [Bytes32] = []
                for _ in 0..<count {
                    let random = Int(generator.next() % 600)
                    let isEdge = generator.next() % 2 == 0
                    let length = isEdge ? edges[random % edges.count] : random
                    let input = bytes(round == 0 ? 64 : length, &generator)
                    input.withUnsafeBytes { queue.append($0) }
                    wanted.append(sodium(input, personal))
                }
                #expect(queue.count == count)
                #expect(queue.takeHashes() == wanted, "\(path), \(count) inputs")
                #expect(queue.count == 0)
            }
        }
    }

    @Test func `a queue and a pair hasher give what a single hash does`() {
        var generator = SeededGenerator(seed: 5)
        for domain in HashDomain.allCases {
            var queue = HashQueue(domain)
            let values = (0..<11).map { _ in
                Bytes32(bytes(32, &generator)) ?? .zero
            }
            for value in values { queue.append(value, .zero) }
            #expect(queue.takeHashes() == values.map { Digest.hash(domain, $0, .zero).bytes32 })
            let pairs = values.flatMap { $0.bytes + $0.bytes }
            var hashes = [UInt8](repeating: 0, count: 32 * values.count)
            pairs.withUnsafeBytes { pairs in
                hashes.withUnsafeMutableBytes { PairHasher(domain).hash(pairs, into: $0) }
            }
            #expect(hashes == values.flatMap { Digest.hash(domain, $0, $0).bytes })
        }
        var queue = HashQueue(.receipt)
        queue.append(7, values(1), values(2))
        values(3).withUnsafeBytes { queue.append(8, $0) }
        #expect(
            queue.takeHashes() == [
                Digest.hash(.receipt, [7] + values(1).bytes + values(2).bytes).bytes32,
                Digest.hash(.receipt, [8] + values(3).bytes).bytes32,
            ])
        #expect(HashQueue(.receipt).count == 0)
    }

    private func values(_ byte: UInt8) -> Bytes32 {
        Bytes32([UInt8](repeating: byte, count: 32)) ?? .zero
    }

    @Test func `no inputs give no hashes`() {
        var queue = HashQueue(.stateLeaf)
        #expect(queue.takeHashes().isEmpty)
    }
}
