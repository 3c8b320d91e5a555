import Consensus
import Mempool
import NodeCore
import Primitives

// Messages between nodes: each is given to a validator in the middle of everything, to one that has
// just started, and to a verifier; as it is, and repaired.

extension FuzzTarget {
    static let batch = message("batch", bytesMax: 16 << 10) { message in
        guard case .mempool(let message) = message else { return false }
        switch message {
        case .batch, .task, .body, .forward: return true
        default: return false
        }
    }

    static let ack = message("ack", bytesMax: 4 << 10) { message in
        guard case .mempool(let message) = message else { return false }
        switch message {
        case .ack, .answers, .checkAlso, .declined: return true
        default: return false
        }
    }

    static let certificate = message("certificate", bytesMax: 8 << 10) { message in
        switch message {
        case .mempool(.certificate), .mempool(.complaint), .consensus(.certificate): true
        default: false
        }
    }

    static let proposal = message("proposal", bytesMax: 16 << 10) { message in
        switch message {
        case .consensus(.proposal), .consensus(.vote): true
        default: false
        }
    }

    static let sync = message("sync", bytesMax: 32 << 10) { message in
        switch message {
        case .consensus(.status), .consensus(.certificateRequest), .consensus(.blockRequest),
            .consensus(.block), .consensus(.syncRequest), .consensus(.syncResponse),
            .mempool(.bodyRequest), .mempool(.body), .mempool(.bodyMissing):
            true
        default: false
        }
    }

    private static func message(
        _ name: String, bytesMax: Int, _ isMeant: @escaping @Sendable (NodeMessage) -> Bool
    ) -> FuzzTarget {
        FuzzTarget(name: name, bytesMax: bytesMax) {
            MessageSeeds(isMeant).collected(bytesMax: bytesMax)
        } check: { bytes in
            let world = FuzzWorld.shared
            let message = try canonical(NodeMessage.self, bytes)
            if let message, isMeant(message) { try MessageCheck(world).run(message) }
            for repaired in Repair.messages(bytes, world.keys, to: 0) where isMeant(repaired) {
                try MessageCheck(world).run(repaired)
            }
            return message.map(isMeant) ?? false
        }
    }
}

/// What must hold of a decoded message.
private struct MessageCheck {
    let world: FuzzWorld

    init(_ world: FuzzWorld) { self.world = world }

    func run(_ message: NodeMessage) throws {
        try checkValue(message)
        let events = [NodeEvent.received(sender(of: message), message)]
        try world.live.run(events)
        for node in world.others { try node.run(events) }
    }

    /// The member that the message speaks for: another's word counts for nothing.
    private func sender(of message: NodeMessage) -> PeerID {
        switch message {
        case .consensus(.proposal(let proposal)): world.peer(proposal.block.proposer)
        case .consensus(.vote(let vote)): world.peer(vote.signer)
        case .mempool(.batch(let batch, _)): world.peer(batch.header.content.owner)
        case .mempool(.task(let task)): world.peer(task.header.content.owner)
        case .mempool(.ack(let ack)): world.peer(ValidatorIndex(ack.entry.signer.rawValue))
        case .mempool(.complaint(let complaint)): world.peer(complaint.signer)
        case .mempool(.declined): world.keys.peer(4)
        default: world.keys.peer(1)
        }
    }

    private func checkValue(_ message: NodeMessage) throws(Violation) {
        switch message {
        case .consensus(.proposal(let proposal)):
            try check(proposal.block)
            try expect(
                proposal.skips.count <= ConsensusLimits.skipsMax, "\(proposal.skips.count) skips")
        case .consensus(.block(let block)): try check(block)
        case .consensus(.syncResponse(let response)):
            try expect(
                1...ConsensusLimits.syncBlocksMax ~= response.blocks.count,
                "\(response.blocks.count) blocks")
            for block in response.blocks { try check(block) }
        case .mempool(.batch(let batch, _)), .mempool(.body(let batch)): try check(batch)
        case .mempool(.certificate(let certificate)): try check(certificate)
        default: break
        }
    }

    private func check(_ block: Block) throws(Violation) {
        try expect(block.digest == block.header.digest, "a block with another digest")
        try expect(Block.root(of: block.payload) == block.payloadRoot, "another payload")
        guard let payload = try? BlockPayload(decoding: block.payload) else { return }
        try expect(payload.bytes == block.payload, "a payload of another form")
    }

    private func check(_ batch: Batch) throws(Violation) {
        try expect(batch.body.count <= BatchLimits.bytesMax, "a body of \(batch.body.count) bytes")
        try expect(
            batch.digest == Digest.hash(.batch, of: batch.header.content), "another digest")
        try expect(batch.tree.root == batch.header.content.transactionRoot, "another root")
    }

    private func check(_ certificate: BatchCertificate) throws(Violation) {
        let layout = world.live.core.layout
        _ = certificate.holders
        for chunk in 0..<32 { _ = certificate.verifiers(ofChunk: chunk) }
        guard let claims = certificate.signatureClaims(in: layout) else { return }
        try expect(
            claims.count == certificate.entries.count + 1, "\(claims.count) signatures to check")
    }
}
