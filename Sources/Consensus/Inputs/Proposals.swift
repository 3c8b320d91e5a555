internal import Primitives

// R6, R7, R12 and R20: proposals of others.
extension SimplexEngine {
    /// Keeps the first proposal of each view; its certificates count as received before it.
    mutating func receive(_ proposal: Proposal) {
        guard wants(proposal) else { return }
        if proposal.block.proposer == own {
            return haltForForeignSignature(proposal.vote.subject)
        }
        if let certificate = proposal.parentCertificate { incoming.append(certificate) }
        incoming.append(contentsOf: proposal.skips)
        let isLate = proposal.view < view
        count(proposal.vote)
        if isLate || slots[proposal.view]?.proposal == nil { blocks.insert(proposal.block) }
        let takesSecond = configuration.plantedBug == .notarizeSecond
        if !isLate, slots[proposal.view]?.proposal == nil || takesSecond {
            if takesSecond { blocks.insert(proposal.block) }
            slots[proposal.view, default: Slot()].proposal = proposal
        }
        isDirty = true
    }

    /// What stands between a proposal and this node's vote.
    enum Readiness {
        case ready(ChainContext)
        /// What R7 asks for; never empty.
        case waiting([Need])
        /// It can never be notarized here.
        case refused
    }

    /// R6.
    mutating func notarizeIfReady() {
        guard maySign(in: view), leader != own, let slot = slots[view],
            let proposal = slot.proposal, permitsNotarize(proposal.block, slot.own),
            !slot.rejected
        else { return }
        switch readiness(of: proposal.block) {
        case .waiting: break
        case .refused: refuse()
        case .ready(let context): decide(proposal.block, context)
        }
    }

    /// R6a.
    private func permitsNotarize(_ block: Block, _ record: SigningRecord) -> Bool {
        switch configuration.plantedBug {
        case .notarizeAfterNullify: record.notarize == nil
        case .notarizeSecond: record.nullify == nil && record.notarize?.digest != block.digest
        default: record.permits(.notarize)
        }
    }

    /// R6b to R6e for a block of the current view.
    func readiness(of block: Block) -> Readiness {
        let header = block.header
        guard header.chainID == committee.chainID, header.epoch == committee.epoch,
            header.view == view, header.proposer == leader, header.parent.view < view,
            isInForm(block)
        else { return .refused }
        var needs: [Need] = []
        switch standing(of: block.parent) {
        case .certified: break
        case .unknown: needs.append(.certificate(block.parent.view, .notarization))
        case .impossible: return .refused
        }
        needs += missingSkips(from: block.parent.view)
        switch walk(from: block.parent) {
        case .broken: return .refused
        case .missing(let ref, _): return .waiting(needs + [.block(ref)])
        case .complete(let pending):
            guard needs.isEmpty else { return .waiting(needs) }
            return .ready(ChainContext(finalized: finalized, pending: pending))
        }
    }

    /// The boundary block alone names the next committee; what follows it brings nothing.
    private func isInForm(_ block: Block) -> Bool {
        let header = block.header
        let last = configuration.lastHeight
        return header.tail == (block.height > last)
            && (header.nextSetHash != nil) == (block.height == last)
            && (!header.tail || block.payload.isEmpty)
            && block.height <= last.clampedAdvance(by: UInt64(EpochEnd.tailsMax))
    }

    private enum Standing { case certified, unknown, impossible }

    /// R6c.
    private func standing(of parent: BlockRef) -> Standing {
        if parent == finalizedRef || configuration.plantedBug == .noParentCheck {
            return .certified
        }
        guard parent.view > finalizedView else { return .impossible }
        guard let notarization = slots[parent.view]?.notarization else { return .unknown }
        return notarization.digest == parent.digest ? .certified : .impossible
    }

    /// R6d: the newest of the views that must have been nullified and aren't known to be.
    private func missingSkips(from parent: View) -> [Need] {
        if configuration.plantedBug == .noSkipCheck { return [] }
        var needs: [Need] = []
        var place = view.clampedRetreat(by: 1)
        while place > parent, needs.count < ConsensusLimits.requestsMax {
            if slots[place]?.nullification == nil {
                needs.append(.certificate(place, .nullification))
            }
            place = place.clampedRetreat(by: 1)
        }
        return needs
    }

    /// R6f and R20.
    private mutating func decide(_ block: Block, _ context: ChainContext) {
        guard context.parent.height.next == block.height, isTimely(block, after: context.parent)
        else { return refuse() }
        switch blocks.verdict(of: block.digest) {
        case .unknown where block.header.tail:
            guard block.executed == context.parent.executed else { return refuse() }
            blocks.setVerdict(.valid, of: block.digest)
            sign(.notarize, in: view, block.digest, storing: block)
        case .unknown:
            blocks.setVerdict(.pending, of: block.digest)
            effects.append(.check(block, context))
        case .pending: break
        case .valid: sign(.notarize, in: view, block.digest, storing: block)
        case .invalid: refuse()
        }
    }

    /// R20.
    private func isTimely(_ block: Block, after parent: Block) -> Bool {
        let wall = moment.wall
        return block.time > parent.time
            && block.time >= wall.clampedRetreat(by: configuration.timing.maxDelay)
            && block.time <= wall.clampedAdvance(by: configuration.timing.maxDrift)
    }

    /// R3: the view's proposal is of no use.
    private mutating func refuse() {
        slots[view]?.rejected = true
        giveUpWithoutHaste()
    }

    mutating func blockChecked(_ digest: Digest, valid: Bool) {
        guard blocks.verdict(of: digest) == .pending else { return }
        blocks.setVerdict(valid ? .valid : .invalid, of: digest)
        isDirty = true
    }
}
