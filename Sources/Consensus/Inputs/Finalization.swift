internal import Primitives

// R15: finalized chains are committed, and what they cover is forgotten.
extension SimplexEngine {
    /// Takes a newer finalization as the tip.
    mutating func advance(to certificate: Certificate) {
        precondition(certificate.view > finalizedView, "the finalized view goes back")
        finalization = certificate
        lastFinalized = moment.now
        slots = slots.filter { $0.key > certificate.view }
        held = held.filter { $0.view > certificate.view }
        held.insert(certificate.subject)
        notarizedViews.removeAll { $0 <= certificate.view }
    }

    /// Commits up to the tip if every block is there.
    mutating func commitFinal() {
        guard let finalization, finalization.view > place.view else { return }
        let top = BlockRef(view: finalization.view, digest: finalization.digest)
        switch walk(from: top) {
        case .complete(let chain): commit(chain, finalization)
        case .missing: dropBlocksBeyondBound()
        case .broken:
            halt("the finalized block \(top) doesn't descend from \(place)")
        }
    }

    /// Commits blocks that join the finalized one to the certificate's.
    mutating func commit(_ chain: [Block], _ certificate: Certificate) {
        guard let last = chain.last else { return }
        precondition(chain.first?.parent == place, "a gap after \(place)")
        precondition(last.digest == certificate.digest, "a certificate of another block")
        let lasting = chain.filter { !$0.header.tail }
        if let boundary = lasting.last, last.height >= configuration.lastHeight {
            let tails = chain.filter(\.header.tail)
            let end = EpochEnd(boundary: boundary, tails: tails, certificate: certificate)
            let commitsTails = configuration.plantedBug == .commitTails
            return finish(with: end, committing: commitsTails ? chain : lasting)
        }
        effects.append(.commit(chain, certificate))
        finalized = last
        work = false
        blocks.removeAll { $0.view <= last.view }
        isDirty = true
        committedSinceCompaction += UInt64(chain.count)
        compactIfLong()
    }

    /// P7: the journal keeps what lies above the finalized view, and the proof of that view.
    private mutating func compactIfLong() {
        guard committedSinceCompaction >= ConsensusLimits.journalBlocksMax else { return }
        committedSinceCompaction = 0
        effects.append(.compact(liveRecords))
    }

    /// What a restart needs, in an order that replays.
    package var liveRecords: [JournalRecord] {
        var records: [JournalRecord] = committee.epoch > 0 ? [.epoch(committee.epoch)] : []
        records += [recordedFloor].compactMap(\.self).map(JournalRecord.floor)
        records += knownRecords.sorted { $0.key < $1.key }.map { .introduced($0.key, $0.value) }
        records += [finalization].compactMap(\.self).map(JournalRecord.certificate)
        records += blocks.sorted.map(JournalRecord.block)
        for place in slots.keys.sorted() {
            guard let slot = slots[place] else { continue }
            records += [slot.notarization, slot.nullification].compactMap(\.self)
                .map(JournalRecord.certificate)
            records += slot.own.votes.map(JournalRecord.vote)
        }
        return records
    }

    /// Far behind, blocks below the tip would pile up; they come again with the catch-up.
    private mutating func dropBlocksBeyondBound() {
        guard
            blocks.bytes > ConsensusLimits.unjoinedBytesMax
                || blocks.count > ConsensusLimits.unjoinedBlocksMax
        else { return }
        let last = finalizedView
        blocks.removeAll { $0.view <= last }
    }
}
