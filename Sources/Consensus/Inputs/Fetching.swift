internal import Primitives

// R7: whatever a rule lacks is asked for, from one member after the other, until it is there.
extension SimplexEngine {
    /// Whether a block of this digest was asked for.
    func isMissing(_ digest: Digest) -> Bool {
        fetches.contains { fetch in
            guard case .block(let ref) = fetch.need else { return false }
            return ref.digest == digest
        }
    }

    /// Sends new needs, and old ones to the next member when their time is over.
    mutating func fetchWhatIsMissing() {
        let needs = Array(needs().prefix(ConsensusLimits.requestsMax))
        guard !needs.isEmpty || !fetches.isEmpty else { return }
        var updated: [Fetch] = []
        for need in needs where !updated.contains(where: { $0.need == need }) {
            updated.append(send(need, again: fetches.first { $0.need == need }))
        }
        fetches = updated
        guard let due = fetches.map(\.due).min() else { return cancelTimer(.fetch) }
        guard deadlines[.fetch] != due else { return }
        deadlines[.fetch] = due
        effects.append(.setTimer(.fetch, due))
    }

    private mutating func send(_ need: Need, again known: Fetch?) -> Fetch {
        if let known, known.due > moment.now { return known }
        let target = known.map { member(after: $0.target) } ?? firstTarget(of: need)
        if known != nil, case .sync = need {
            syncPatience = min(2 * syncPatience, ConsensusLimits.syncPatienceMax)
        }
        if let peer = committee[target]?.peerID, target != own || committee.count == 1 {
            effects.append(.send(peer, message(for: need)))
        }
        let due = moment.now.advanced(byMilliseconds: patience(for: need))
        return Fetch(need: need, target: target, due: due, isFirst: known == nil)
    }

    /// How long one member is waited for. A range of the chain may take its time on a narrow line:
    /// more of them under way would only take more.
    private func patience(for need: Need) -> UInt64 {
        let usual = min(delta, ConsensusLimits.retryMilliseconds)
        guard case .sync = need else { return usual }
        return max(usual, syncPatience)
    }

    /// A range of the chain came.
    mutating func noteSync() {
        let isFirst = fetches.contains {
            guard case .sync = $0.need else { return false }
            return $0.isFirst
        }
        let sooner = syncPatience - syncPatience / 4
        if isFirst { syncPatience = max(sooner, ConsensusLimits.syncPatienceMin) }
    }

    private func message(for need: Need) -> ConsensusMessage {
        switch need {
        case .certificate(let view, let want):
            .certificateRequest(
                CertificateRequest(epoch: committee.epoch, view: view, want: want))
        case .block(let ref): .blockRequest(BlockRequest(epoch: committee.epoch, ref: ref))
        case .sync(let height): .syncRequest(SyncRequest(from: height))
        }
    }

    /// Who most likely has it: the leader that rests on it, or who answered last.
    private func firstTarget(of need: Need) -> ValidatorIndex {
        switch need {
        case .certificate: leader == own ? member(after: leader) : leader
        case .block(let ref):
            slots[view]?.proposal == nil ? other(committee.leader(of: ref.view)) : other(leader)
        case .sync: other(syncPeer ?? committee.leader(of: finalizedView))
        }
    }

    private func other(_ index: ValidatorIndex) -> ValidatorIndex {
        index == own ? member(after: index) : index
    }

    private func member(after index: ValidatorIndex) -> ValidatorIndex {
        let next = ValidatorIndex(UInt16((Int(index.rawValue) + 1) % committee.count))
        return next == own
            ? ValidatorIndex(UInt16((Int(index.rawValue) + 2) % committee.count))
            : next
    }

    /// Everything that some rule waits for, the most urgent first.
    private func needs() -> [Need] {
        var needs = finalizationNeeds()
        if let block = slots[view]?.proposal?.block, slots[view]?.own.notarize == nil,
            case .waiting(let more) = readiness(of: block)
        {
            needs += more
        }
        switch parentChoice() {
        case .missing(let place): if leader == own { needs.append(.certificate(place, .any)) }
        case .parent(let ref):
            if case .missing(let block, _) = walk(from: ref) {
                needs.append(.block(block))
            }
        }
        return needs
    }

    /// Blocks of the finalized chain: one by one for a short gap, by range for a long one and for
    /// one among tails. Whoever saw the epoch end with fewer of them has forgotten the others, and
    /// sends its own proof of the end with the range.
    private func finalizationNeeds() -> [Need] {
        guard let finalization, finalization.view > place.view,
            case .missing(let ref, let below) = walk(from: finalization.ref),
            let from = finalized.height.next
        else { return [] }
        guard let below else { return [.block(ref), .sync(from)] }
        let gap = below.rawValue - min(below.rawValue, from.rawValue)
        let isShort = gap <= ConsensusLimits.singleBlocksMax && below <= configuration.lastHeight
        return isShort ? [.block(ref)] : [.block(ref), .sync(from)]
    }
}
