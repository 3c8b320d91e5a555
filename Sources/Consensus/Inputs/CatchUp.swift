internal import Primitives

// R17, R18 and the answers to requests.
extension SimplexEngine {
    mutating func receive(_ status: Status, from peer: PeerID) {
        guard status.epoch == committee.epoch else { return }
        if let certificate = status.finalization { incoming.append(certificate) }
        guard status.view != view || status.height != finalized.height else { return }
        guard take(\.statusAllowances, peer, burst: 1) else { return }
        if status.view > view || status.height > finalized.height {
            effects.append(.send(peer, .status(self.status)))
        }
        help(peer, at: status)
    }

    /// R17.
    private mutating func help(_ peer: PeerID, at status: Status) {
        if let finalization, finalization.view > status.finalization?.view ?? 0 {
            effects.append(.send(peer, .certificate(finalization)))
        }
        guard status.view < view, let entry = entryCertificate, entry != finalization else {
            return
        }
        effects.append(.send(peer, .certificate(entry)))
    }

    mutating func answer(_ request: CertificateRequest, of peer: PeerID) {
        guard request.epoch == committee.epoch,
            take(\.requestAllowances, peer, burst: ConsensusLimits.requestBurst)
        else { return }
        if let finalization, finalization.view >= request.view {
            effects.append(.send(peer, .certificate(finalization)))
            return
        }
        guard let slot = slots[request.view] else { return }
        if let certificate = slot.notarization, request.want != .nullification {
            effects.append(.send(peer, .certificate(certificate)))
        }
        if let certificate = slot.nullification, request.want != .notarization {
            effects.append(.send(peer, .certificate(certificate)))
        }
    }

    mutating func answer(_ request: BlockRequest, of peer: PeerID) {
        guard request.epoch == committee.epoch,
            take(\.requestAllowances, peer, burst: ConsensusLimits.requestBurst)
        else { return }
        if let block = blocks[request.ref.digest] {
            effects.append(.send(peer, .block(block)))
        } else if request.ref.view <= place.view, request.ref.view > 0 {
            effects.append(.serveBlock(peer, request.ref.digest))
        }
    }

    /// Uses one of a peer's answers in the present Δ; strangers to the committee share theirs.
    mutating func take(
        _ allowances: WritableKeyPath<SimplexEngine, [PeerID: Allowance]>, _ peer: PeerID,
        burst: UInt64
    ) -> Bool {
        let key = committee.index(of: peer) == nil ? PeerID.zero : peer
        let window = configuration.timing.deltaBase
        return self[keyPath: allowances][key, default: Allowance()]
            .take(at: moment.now, burst: burst, window: window)
    }

    /// A block that was asked for by its digest.
    mutating func receive(_ block: Block) {
        guard isMissing(block.digest) else { return }
        blocks.insert(block)
        isDirty = true
    }

    /// Finalized blocks: taken if they join the finalized one to a finalization.
    mutating func receive(_ response: SyncResponse, from peer: PeerID) {
        let certificate = response.certificate
        let chain = Array(response.blocks.drop { $0.height <= finalized.height })
        guard let first = chain.first, let last = chain.last,
            first.height == finalized.height.next, certificate.subject.epoch == committee.epoch
        else { return }
        guard certificate.kind == .finalize, last.ref == certificate.ref,
            first.parent == place, first.view > place.view, isChain(chain)
        else { return effects.append(.penalise(peer, .brokenChain)) }
        syncPeer = committee.index(of: peer)
        noteSync()
        if certificate.view > finalizedView {
            for block in chain { blocks.insert(block) }
            incoming.append(certificate)
        } else {
            commit(chain, certificate)
        }
    }

    private func isChain(_ chain: [Block]) -> Bool {
        for (parent, child) in zip(chain, chain.dropFirst()) {
            guard child.parent == parent.ref, child.height == parent.height.next,
                child.view > parent.view
            else { return false }
        }
        return true
    }
}

extension Certificate {
    /// The block that a notarization or finalization is of.
    package var ref: BlockRef { BlockRef(view: view, digest: digest) }
}
