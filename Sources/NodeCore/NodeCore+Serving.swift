internal import Consensus
internal import Execution
internal import Mempool
internal import Primitives

/// What this node gives to peers that are behind.
extension NodeCore {
    /// Finalized blocks from a height on, up to one that has a finalization, within limits.
    mutating func serve(_ request: SyncRequest, to peer: PeerID) throws(StorageFault) {
        let epochs = configuration.genesis.epochs
        let epoch = epochs.epoch(of: request.from)
        let left = epochs.last(of: epoch).clampedAdvance(by: 1).rawValue
        let count = min(
            UInt64(ConsensusLimits.syncBlocksMax), left - min(left, request.from.rawValue))
        guard mayServe(peer), request.from > 0, request.from <= mempool.height else { return }
        charge(peer, 0)
        let last = try store.lastFinalization(from: request.from, count: count)
        let end = try store.end(of: epoch)
        guard let fallback = last?.1 ?? end?.certificate else { return }
        let isToEnd = end != nil && request.from.rawValue + count == left
        let top = isToEnd ? epochs.last(of: epoch) : last?.0 ?? 0
        var blocks: [Block] = []
        var bytes = 0
        var certified = (count: 0, certificate: fallback)
        var height = request.from
        while height <= top, let block = try store.block(at: height) {
            bytes += block.payload.count + 256
            charge(peer, block.payload.count)
            guard bytes <= NodeCore.syncBytesMax || blocks.isEmpty else { break }
            blocks.append(block)
            if let certificate = try store.finalization(at: height) {
                certified = (blocks.count, certificate)
            } else if let end, height == end.boundary.height,
                blocks.count + end.tails.count <= ConsensusLimits.syncBlocksMax
            {
                blocks += end.tailBlocks
                certified = (blocks.count, end.certificate)
            }
            guard let next = height.next else { break }
            height = next
        }
        guard certified.count > 0 else { return }
        let response = SyncResponse(
            blocks: Array(blocks.prefix(certified.count)), certificate: certified.certificate)
        effects.append(.send(peer, .consensus(.syncResponse(response))))
    }

    /// Bytes of blocks in an answer: a frame holds 4 MiB.
    static let syncBytesMax = 3 << 20

    /// Whether a peer has something left of what it may ask for; strangers to the committee share
    /// a second allowance, since identities cost nothing.
    private mutating func mayServe(_ peer: PeerID) -> Bool {
        let now = moment.now
        guard allowances[peer, default: ServingAllowance(at: now)].mayTake(at: now) else {
            return false
        }
        guard isStranger(peer) else { return true }
        return allowances[.zero, default: ServingAllowance(at: now)].mayTake(at: now)
    }

    /// Counts a look into the store that found `bytes`.
    private mutating func charge(_ peer: PeerID, _ bytes: Int) {
        let count = UInt64(bytes) + ServingAllowance.lookBytes
        allowances[peer]?.take(count)
        if isStranger(peer) { allowances[.zero]?.take(count) }
    }

    private func isStranger(_ peer: PeerID) -> Bool {
        committee.index(of: peer) == nil
    }

    mutating func serve(block digest: Digest, to peer: PeerID) throws(StorageFault) {
        guard let height = try store.height(of: digest), let block = try store.block(at: height)
        else { return }
        effects.append(.send(peer, .consensus(.block(block))))
    }

    /// What peers of another epoch say or want. Who is in an earlier one gets the proof that it is
    /// over, whatever it says of itself, and blocks to follow; who is ahead hears where this node
    /// is, and sends the same.
    mutating func receive(
        _ message: ConsensusMessage, fromAnotherEpochOf peer: PeerID
    ) throws(StorageFault) {
        guard let epoch = message.epoch else { return }
        switch message {
        case .status(let status):
            guard mayServe(peer) else { return }
            charge(peer, 0)
            guard epoch < consensus.epoch else {
                return effects.append(.send(peer, .consensus(.status(consensus.status))))
            }
            guard let end = try store.end(of: epoch),
                end.certificate.view > status.finalization?.view ?? 0
            else { return }
            effects.append(.send(peer, .consensus(.certificate(end.certificate))))
        case .recoveryRequest where epoch < consensus.epoch:
            // Whoever asks how far its key got in an epoch that is over signs nothing in it.
            guard mayServe(peer) else { return }
            charge(peer, 0)
            guard let end = try store.end(of: epoch) else { return }
            effects.append(.send(peer, .consensus(.certificate(end.certificate))))
        case .blockRequest(let request) where epoch < consensus.epoch:
            guard mayServe(peer) else { return }
            charge(peer, 0)
            let tails = try store.end(of: epoch)?.tailBlocks ?? []
            if let tail = tails.first(where: { $0.digest == request.ref.digest }) {
                effects.append(.send(peer, .consensus(.block(tail))))
            } else {
                try serve(block: request.ref.digest, to: peer)
            }
        case .vote(let vote): checkFormer(vote, from: peer)
        case .proposal(let proposal): checkFormer(proposal.vote, from: peer)
        default: break
        }
    }

    mutating func serve(_ digests: [Digest], to peer: PeerID) throws(StorageFault) {
        for digest in digests {
            guard mayServe(peer) else { return }
            var batch = mempool.body(digest)
            if batch == nil { batch = try store.batch(digest) }
            charge(peer, batch?.body.count ?? 0)
            if let batch {
                effects.append(.send(peer, .mempool(.body(batch))))
            } else {
                effects.append(.send(peer, .mempool(.bodyMissing(digest))))
            }
        }
    }
}

/// What a peer may be served: a store of bytes that fills up with time, so that requests of a few
/// bytes can't keep the core busy with answers of megabytes.
struct ServingAllowance: Sendable {
    /// Served at once at most, and in a second at most.
    private static let bytesMax: UInt64 = 16 << 20
    /// What a look into the store counts for beside what it finds: small blocks cost time too.
    static let lookBytes: UInt64 = 4 << 10

    private var left = bytesMax
    private var filledAt: Instant

    init(at now: Instant) { filledAt = now }

    /// Fills up and tells whether anything is left.
    mutating func mayTake(at now: Instant) -> Bool {
        let elapsed = min(now.millisecondsSince(filledAt), 1000)
        filledAt = max(filledAt, now)
        left = min(ServingAllowance.bytesMax, left + elapsed * ServingAllowance.bytesMax / 1000)
        return left > 0
    }

    /// Whether nothing is owed any more: forgetting it forgives nothing.
    func isFull(at now: Instant) -> Bool {
        var copy = self
        return copy.mayTake(at: now) && copy.left == ServingAllowance.bytesMax
    }

    mutating func take(_ bytes: UInt64) { left -= min(left, bytes) }
}
