internal import Primitives

// R4, R5 and R19: what a leader does.
extension SimplexEngine {
    /// R4: where a block of the current view belongs, or the view that nothing is known of.
    enum ParentChoice {
        case parent(BlockRef)
        case missing(View)
    }

    /// The newest notarized block with only nullified views above it. O(views since).
    func parentChoice() -> ParentChoice {
        var place = view.clampedRetreat(by: 1)
        while place > finalizedView {
            let slot = slots[place]
            if let notarization = slot?.notarization {
                return .parent(BlockRef(view: place, digest: notarization.digest))
            }
            let careless = configuration.plantedBug == .proposeOverGap
            guard slot?.nullification != nil || careless else { return .missing(place) }
            place = place.clampedRetreat(by: 1)
        }
        return .parent(finalizedRef)
    }

    /// The block of the newest finalization, or the genesis.
    var finalizedRef: BlockRef {
        finalization.map { BlockRef(view: $0.view, digest: $0.digest) }
            ?? configuration.genesis.ref(in: committee.epoch)
    }

    private var mayPropose: Bool {
        guard let own, leader == own, maySign(in: view) else { return false }
        return slots[view]?.own.votes.isEmpty ?? true
    }

    /// R4.
    mutating func buildIfLeading() {
        guard mayPropose, building == nil, case .parent(let ref) = parentChoice(),
            let context = chain(to: ref)
        else { return }
        building = Building(view: view, parent: context.parent)
        if context.parent.height < configuration.lastHeight {
            effects.append(.build(view, context, mayBeEmpty: false))
        }
        let idle = configuration.timing.idle
        setTimer(.idle, after: isFinal(context.parent) ? idle : min(delta, idle))
    }

    private func isFinal(_ block: Block) -> Bool { finalized.height >= block.height }

    /// From `ref` down to the last committed block.
    func walk(from ref: BlockRef) -> BlockTree.Walk {
        blocks.walk(from: ref, to: place, at: finalized.height)
    }

    /// The chain that a child of `ref` stands on, if all of it is held.
    func chain(to ref: BlockRef) -> ChainContext? {
        guard case .complete(let pending) = walk(from: ref) else { return nil }
        return ChainContext(finalized: finalized, pending: pending)
    }

    /// R19: the wait is over, unless it was only for the parent and that became final.
    mutating func buildEvenIfEmpty() {
        guard let building, building.view == view, mayPropose else { return }
        let waited = moment.now.millisecondsSince(entered)
        let idle = configuration.timing.idle
        if isFinal(building.parent), waited < idle {
            return setTimer(.idle, after: idle - waited)
        }
        guard let context = chain(to: building.parent.ref(in: committee.epoch)) else { return }
        guard context.parent.height < configuration.lastHeight else {
            return propose(.tail(after: context.parent, at: moment.wall), in: view)
        }
        effects.append(.build(view, context, mayBeEmpty: true))
    }

    /// R5.
    mutating func propose(_ contents: BlockContents, in place: View) {
        guard place == view, mayPropose, let building, building.view == place, let own,
            let height = building.parent.height.next, let time = building.parent.time.next
        else { return }
        let parent = building.parent
        let header = BlockHeader(
            chainID: committee.chainID, epoch: committee.epoch, view: view, height: height,
            parent: parent.ref(in: committee.epoch), proposer: own,
            time: max(contents.time, time), executed: contents.executed,
            payloadRoot: Block.root(of: contents.payload), nextSetHash: contents.nextSetHash,
            tail: height > configuration.lastHeight)
        let block = Block(header: header, payload: contents.payload)
        blocks.insert(block)
        blocks.setVerdict(.valid, of: block.digest)
        let certificate = certificate(of: header.parent)
        let skips = skips(from: header.parent.view)
        cancelTimer(.idle)
        sign(.notarize, in: view, block.digest, storing: block) { vote in
            .proposal(
                Proposal(
                    block: block, signature: vote.signature, parentCertificate: certificate,
                    skips: skips))
        }
    }

    /// R3: nothing can be proposed.
    mutating func buildFailed(in place: View) {
        guard place == view, leader == own else { return }
        building = nil
        giveUpWithoutHaste()
    }

    /// The own proposal of the current view from what is stored, to send it again.
    func ownProposal() -> Proposal? {
        guard leader == own, let vote = slots[view]?.own.notarize, let block = blocks[vote.digest]
        else { return nil }
        let certificate = certificate(of: block.parent)
        guard certificate != nil || block.parent == finalizedRef else { return nil }
        return Proposal(
            block: block, signature: vote.signature, parentCertificate: certificate,
            skips: skips(from: block.parent.view))
    }

    /// The proof that `ref` may be a parent; nil for the genesis and for what isn't held.
    private func certificate(of ref: BlockRef) -> Certificate? {
        if ref == finalizedRef { return finalization }
        guard let notarization = slots[ref.view]?.notarization, notarization.digest == ref.digest
        else { return nil }
        return notarization
    }

    /// Nullifications between `parent` and the current view, the newest first.
    private func skips(from parent: View) -> [Certificate] {
        var skips: [Certificate] = []
        var place = view.clampedRetreat(by: 1)
        while place > parent, skips.count < ConsensusLimits.skipsMax {
            if let nullification = slots[place]?.nullification { skips.append(nullification) }
            place = place.clampedRetreat(by: 1)
        }
        return skips
    }
}

extension BlockContents {
    /// Nothing: what a leader proposes while the epoch's last block isn't final.
    fileprivate static func tail(after parent: Block, at time: Timestamp) -> BlockContents {
        BlockContents(payload: [], executed: parent.executed, time: time)
    }
}
