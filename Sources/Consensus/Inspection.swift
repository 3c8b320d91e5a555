package import Primitives

/// Why a node doesn't get on, for people.
package struct ConsensusProgress: Hashable, Sendable {
    package let view: View
    package let leader: ValidatorIndex
    package let hasProposal: Bool
    /// Weight of the notarize votes for the block that has most.
    package let notarizeWeight: UInt64
    package let nullifyWeight: UInt64
    /// The weight that a certificate needs.
    package let quorum: UInt64
    /// Whether finalized blocks are still being fetched.
    package let isCatchingUp: Bool
    /// Whose votes of the view were seen.
    package let heardFrom: [ValidatorIndex]
}

extension SimplexEngine {
    /// The newest view whose block is known to be final; 0 at the epoch's start.
    package var finalizedView: View { finalization?.view ?? 0 }
    package var finalizedHeight: Height { finalized.height }
    package var finalizedDigest: Digest { finalized.digest }
    package var currentLeader: ValidatorIndex { leader }
    /// Δ in milliseconds, as it was when the view was entered.
    package var unitOfTimeInView: UInt64 { delta }
    package var isCatchingUp: Bool { finalizedView > place.view }
    package var epoch: Epoch { committee.epoch }
    /// Where the last committed block stands in this epoch: at view 0 before the epoch's first.
    package var place: BlockRef { finalized.ref(in: committee.epoch) }

    package var waitingFor: ConsensusProgress {
        let slot = slots[view] ?? Slot()
        let signers = Set(slot[.notarize].first.keys).union(slot[.nullify].first.keys)
        return ConsensusProgress(
            view: view, leader: leader, hasProposal: slot.proposal != nil,
            notarizeWeight: slot[.notarize].heaviest, nullifyWeight: slot[.nullify].heaviest,
            quorum: committee.quorum, isCatchingUp: isCatchingUp, heardFrom: signers.sorted())
    }

    /// Traps if the state is one that no sequence of events may lead to.
    package func checkInvariants() {
        precondition(view > finalizedView, "view \(view), finalized \(finalizedView)")
        precondition(place.view <= finalizedView, "committed beyond \(finalizedView)")
        precondition(finalized.height >= configuration.tip.block.height, "the height went back")
        precondition(incoming.isEmpty || halted, "\(incoming.count) certificates left")
        precondition(fetches.count <= ConsensusLimits.requestsMax, "\(fetches.count) requests")
        checkSlots()
    }

    private func checkSlots() {
        var count = finalization == nil ? 0 : 1
        for (place, slot) in slots {
            precondition(place > finalizedView, "slot \(place) at \(finalizedView)")
            let last = view.clampedAdvance(by: ConsensusLimits.futureViews)
            precondition(place <= last, "slot \(place) in view \(view)")
            count += [slot.notarization, slot.nullification].compactMap(\.self).count
            let isAbove = floor.map { place > $0 } ?? true
            precondition(
                isAbove || slot.own.votes.isEmpty, "signed in \(place), floor \(floor ?? 0)")
            let both = slot.own.nullify != nil && slot.own.finalize != nil
            precondition(
                !both || configuration.plantedBug != nil, "nullify and finalize in \(place)")
        }
        precondition(count == held.count, "\(held.count) subjects for \(count) certificates")
        precondition(notarizedViews == notarizedViews.sorted(), "\(notarizedViews)")
    }
}

extension SimplexEngine {
    /// Equal for engines that sign, propose and commit the same upon the same events, but for what
    /// depends on the time and on votes of others that are no certificate yet. Deterministic.
    package var fingerprint: UInt64 {
        var mix = WordMix()
        mix.add(view.rawValue)
        mix.add(halted ? 1 : 0)
        mix.add(finalized.digest)
        mix.add(finalization?.digest)
        for place in slots.keys.sorted() {
            guard let slot = slots[place], !slot.holdsOnlyVotesOfOthers else { continue }
            mix.add(place.rawValue)
            for kind in VoteKind.allCases { mix.add(slot.own[kind]?.digest) }
            mix.add(slot.notarization?.digest)
            mix.add(slot.nullification?.digest)
            mix.add(slot.proposal?.block.digest)
            mix.add(slot.rejected ? 1 : 0)
        }
        for block in blocks.sorted {
            mix.add(block.digest)
            mix.add(blocks.verdict(of: block.digest) == .valid ? 1 : 0)
        }
        mix.add(building?.view.rawValue ?? 0)
        mix.add(building?.parent.digest)
        return mix.value
    }
}

extension Slot {
    fileprivate var holdsOnlyVotesOfOthers: Bool {
        own.votes.isEmpty && notarization == nil && nullification == nil && proposal == nil
            && !rejected
    }
}

extension SigningRecord {
    fileprivate subscript(kind: VoteKind) -> Vote? {
        switch kind {
        case .notarize: notarize
        case .nullify: nullify
        case .finalize: finalize
        }
    }
}

/// A hash of words, the same in every run.
private struct WordMix {
    private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func add(_ word: UInt64) {
        value = (value ^ word) &* 0xBF58_476D_1CE4_E5B9
        value ^= value >> 29
    }

    /// Nil and the zero digest differ.
    mutating func add(_ digest: Digest?) {
        guard let digest else { return add(1) }
        add(2)
        add(digest.bytes32.leadingWord)
    }
}
