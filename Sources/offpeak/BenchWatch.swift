internal import Primitives
internal import RPC

/// Reads finalized blocks from a node and notes the transfers in them.
struct BenchWatch: Sendable {
    let client: RPCClient
    let tracker: BenchTracker
    /// What ids begin with.
    let prefix: NetworkPrefix
    /// The height that the blocks to read lie above.
    let base: Height

    /// Adds half of itself to the latencies that are seen.
    private static let pollDelay = Duration.milliseconds(10)

    /// Until the task is cancelled. A node that doesn't answer is asked again.
    func run() async {
        var next = base.clampedAdvance(by: 1)
        while !Task.isCancelled {
            do throws(RPCClientFault) {
                let head = try await client.chainHead().height
                let moment = ContinuousClock.now
                while next <= head {
                    tracker.finalized(try await keys(next), at: moment)
                    next = next.clampedAdvance(by: 1)
                }
            } catch {
                try? await Task.sleep(for: .milliseconds(200))
            }
            try? await Task.sleep(for: BenchWatch.pollDelay)
        }
    }

    private func keys(_ height: Height) async throws(RPCClientFault) -> [UInt64] {
        let block = try await client.block(height: height)
        let start = HumanID.Kind.transaction.start(in: prefix)
        tracker.costly(
            block.direct.compactMap { id in
                BenchWatch.key(of: id, after: start).map { ($0, id) }
            })
        let ids = block.direct + block.batches.flatMap(\.transactions)
        return ids.compactMap { BenchWatch.key(of: $0, after: start) }
    }

    /// The first eight bytes of the id in `txn` text whose start is known: 12 characters of five
    /// bits and four bits of the thirteenth.
    static func key(of text: String, after start: String) -> UInt64? {
        guard text.hasPrefix(start) else { return nil }
        let characters = text.utf8.dropFirst(start.utf8.count).prefix(13)
        guard characters.count == 13 else { return nil }
        var key: UInt64 = 0
        for (place, character) in characters.enumerated() {
            let value = values[Int(character)]
            guard value < 32 else { return nil }
            key = place < 12 ? key << 5 | UInt64(value) : key << 4 | UInt64(value >> 1)
        }
        return key
    }

    /// Five bits for each of bech32m's characters, 255 for all others.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, character) in "qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8.enumerated() {
            values[Int(character)] = UInt8(value)
        }
        return values
    }()
}
