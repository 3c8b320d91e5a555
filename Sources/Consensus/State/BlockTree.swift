internal import Primitives

/// Blocks above the finalized one, by digest.
struct BlockTree: Sendable {
    /// What `.check` said.
    enum Verdict: Sendable { case unknown, pending, valid, invalid }

    private struct Entry: Sendable {
        let block: Block
        var verdict: Verdict
    }

    /// Where a walk towards the finalized block ends.
    enum Walk {
        /// It got there: the blocks above the finalized one, ascending.
        case complete([Block])
        /// A block isn't held; `below` is the height of its child, if that is held.
        case missing(BlockRef, below: Height?)
        /// The chain leaves the finalized one.
        case broken
    }

    private var entries: [Digest: Entry] = [:]
    private var payloadBytes = 0

    var count: Int { entries.count }
    /// The summed size of the payloads.
    var bytes: Int { payloadBytes }

    subscript(digest: Digest) -> Block? { entries[digest]?.block }

    func verdict(of digest: Digest) -> Verdict { entries[digest]?.verdict ?? .unknown }

    mutating func insert(_ block: Block) {
        guard entries[block.digest] == nil else { return }
        entries[block.digest] = Entry(block: block, verdict: .unknown)
        payloadBytes += block.payload.count
    }

    mutating func setVerdict(_ verdict: Verdict, of digest: Digest) {
        entries[digest]?.verdict = verdict
    }

    /// Removes the blocks that `isDead` names. O(blocks).
    mutating func removeAll(where isDead: (Block) -> Bool) {
        entries = entries.filter { !isDead($0.value.block) }
        payloadBytes = entries.values.reduce(0) { $0 + $1.block.payload.count }
    }

    /// In the order of their views, then digests.
    var sorted: [Block] {
        entries.values.map(\.block).sorted {
            ($0.view, $0.digest) < ($1.view, $1.digest)
        }
    }

    /// Follows parents from `top` down to the finalized block, which stands at `base` in this epoch
    /// and at `height` in the chain. O(length of the chain).
    func walk(from top: BlockRef, to base: BlockRef, at height: Height) -> Walk {
        var ref = top
        var chain: [Block] = []
        while ref.view > base.view {
            guard let block = entries[ref.digest]?.block else {
                return .missing(ref, below: chain.last?.height)
            }
            let joins = chain.last.map { block.height.next == $0.height } ?? true
            guard block.view == ref.view, block.parent.view < ref.view, joins else {
                return .broken
            }
            chain.append(block)
            ref = block.parent
        }
        guard ref == base, chain.last?.height ?? height.next == height.next else {
            return .broken
        }
        return .complete(chain.reversed())
    }
}
