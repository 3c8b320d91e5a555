import Consensus
import Execution
import Mempool
import NodeCore
import Primitives

/// The messages that were said in the world and that a target looks at: the newest of each kind.
struct MessageSeeds {
    private let isMeant: (NodeMessage) -> Bool
    /// Of one kind.
    private static let countMax = 4

    init(_ isMeant: @escaping (NodeMessage) -> Bool) { self.isMeant = isMeant }

    func collected(bytesMax: Int) -> [FuzzSeed] {
        var counts: [String: Int] = [:]
        var known: Set<NodeMessage> = []
        var seeds: [FuzzSeed] = []
        let messages = FuzzWorld.shared.said.map(\.message).reversed() + made
        for message in messages where isMeant(message) && known.insert(message).inserted {
            let bytes = message.bcsBytes
            let kind = MessageSeeds.kind(of: message)
            let count = counts[kind, default: 0]
            guard bytes.count <= bytesMax, count < MessageSeeds.countMax else { continue }
            counts[kind] = count + 1
            seeds.append(FuzzSeed("\(kind)-\(count)", bytes))
        }
        return seeds
    }

    /// The name of the message's case.
    private static func kind(of message: NodeMessage) -> String {
        switch message {
        case .consensus(.certificate(let certificate)): "\(certificate.kind)"
        case .consensus(.vote(let vote)): "\(vote.kind)"
        case .consensus(let message): name(of: message)
        case .mempool(let message): name(of: message)
        }
    }

    private static func name(of message: some Any) -> String {
        Mirror(reflecting: message).children.first?.label ?? "other"
    }

    /// Kinds that are seldom said.
    private var made: [NodeMessage] {
        let world = FuzzWorld.shared
        let core = world.live.core
        let keys = world.keys
        let lane = Lane(shard: 0, term: 0, rank: 0)
        let blocks = world.journal.compactMap { record -> Block? in
            if case .block(let block) = record { block } else { nil }
        }
        let certificates = world.journal.compactMap { record -> Consensus.Certificate? in
            if case .certificate(let certificate) = record { certificate } else { nil }
        }
        var messages: [NodeMessage] = [
            .mempool(
                .complaint(
                    Complaint(
                        lane, at: core.ledger.height, of: keys.genesis.committee,
                        signer: ValidatorIndex(1),
                        key: keys.nodes[1]))),
            .consensus(.syncRequest(SyncRequest(from: 1))),
            .consensus(.certificateRequest(CertificateRequest(epoch: 0, view: 1, want: .any))),
        ]
        for block in blocks.suffix(2) {
            messages.append(.consensus(.block(block)))
            messages.append(.consensus(.blockRequest(BlockRequest(epoch: 0, ref: block.ref))))
        }
        let final = certificates.last { $0.kind == .finalize }
        if let final, let block = blocks.first(where: { $0.digest == final.digest }) {
            messages.append(
                .consensus(.syncResponse(SyncResponse(blocks: [block], certificate: final))))
        }
        for certificate in certificates.suffix(8) {
            messages.append(.consensus(.certificate(certificate)))
        }
        for case .batch(let batch, _) in world.said.reversed().compactMap(\.message.ofMempool) {
            messages.append(.mempool(.bodyRequest([batch.digest])))
            messages.append(.mempool(.body(batch)))
            messages.append(.mempool(.bodyMissing(batch.digest)))
            messages.append(.mempool(.checkAlso(batch.digest, 1)))
            messages.append(.mempool(.declined(batch.digest, 1)))
            messages.append(.mempool(.task(ChunkTask(batch, chunks: 1, tree: batch.tree))))
        }
        return messages
    }
}

extension NodeMessage {
    fileprivate var ofMempool: MempoolMessage? {
        if case .mempool(let message) = self { message } else { nil }
    }
}
