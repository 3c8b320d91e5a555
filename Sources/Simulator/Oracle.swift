internal import Consensus
internal import Primitives

/// What must hold whatever happens; the first violation is kept.
struct Oracle {
    private let committee: Committee
    private let liarWeight: UInt64
    private let liars: Set<Int>
    private(set) var violation: String?
    /// Finalized digests by height.
    private(set) var chain: [UInt64: Digest] = [:]
    private(set) var height: UInt64 = 0

    private var parents: [Digest: Parent] = [:]
    private var sent: [Key: [VoteKind: Digest]] = [:]
    private var weights: [VoteSubject: UInt64] = [:]
    /// Certificates that the votes so far allow, whether anybody made them or not.
    private var notarizable: [View: Digest] = [:]
    private var nullifiable: Set<View> = []
    private var finalizable: [View: Digest] = [:]
    /// The views of `finalizable`, ascending.
    private var finalizableViews: [View] = []

    private struct Parent {
        let view: View
        let digest: Digest
    }

    private struct Key: Hashable {
        let signer: ValidatorIndex
        let view: View
    }

    init(committee: Committee, liars: Set<Int>) {
        self.committee = committee
        self.liars = liars
        liarWeight = liars.reduce(0) { $0 + committee.validators[$1].weight }
    }

    mutating func fail(_ text: String) {
        if violation == nil { violation = text }
    }

    mutating func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
        if !condition { fail(text()) }
    }

    mutating func register(_ block: Block) {
        parents[block.digest] = Parent(view: block.view, digest: block.parent.digest)
    }

    /// Agreement: one block at each height, in one chain.
    mutating func committed(_ block: Block, by node: Int) {
        let place = block.height.rawValue
        if let known = chain[place] {
            expect(known == block.digest, "agreement: node \(node) at height \(place)")
        } else {
            expect(
                place == 1 || chain[place - 1] == block.parent.digest,
                "height \(place) doesn't continue the chain")
            chain[place] = block.digest
            height = max(height, place)
        }
    }

    /// A vote that left an honest node.
    mutating func observe(_ vote: Vote, by node: Int, isRecorded: Bool) {
        expect(Int(vote.signer.rawValue) == node, "node \(node) sends a vote of \(vote.signer)")
        let key = Key(signer: vote.signer, view: vote.view)
        if sent[key]?[vote.kind] == vote.digest { return }
        expect(isRecorded, "node \(node) sent a \(vote.kind) vote of \(vote.view) unrecorded")
        checkRecord(vote, sent[key] ?? [:], node)
        sent[key, default: [:]][vote.kind] = vote.digest
        weights[vote.subject, default: 0] += committee.weight(of: vote.signer)
        let possible = weights[vote.subject, default: 0] + liarWeight >= committee.quorum
        if possible { possibleNow(vote.subject) }
    }

    /// One key signs one thing, over all its restarts.
    private mutating func checkRecord(_ vote: Vote, _ known: [VoteKind: Digest], _ node: Int) {
        expect(known[vote.kind] == nil, "node \(node) signed two \(vote.kind) in \(vote.view)")
        switch vote.kind {
        case .notarize:
            expect(known[.nullify] == nil, "node \(node) notarized \(vote.view) after nullify")
        case .nullify, .finalize:
            let other: VoteKind = vote.kind == .nullify ? .finalize : .nullify
            expect(known[other] == nil, "node \(node) finalized and nullified \(vote.view)")
        }
    }

    /// L1 to L3 over every certificate that could be made.
    private mutating func possibleNow(_ subject: VoteSubject) {
        let view = subject.view
        switch subject.kind {
        case .notarize:
            let known = notarizable.updateValue(subject.digest, forKey: view)
            expect(known == nil || known == subject.digest, "two notarizations of \(view)")
            // Finalizations form one chain by the checks before, so the nearest is enough.
            if let lower = finalizableViews.last(where: { $0 < view }),
                let digest = finalizable[lower]
            {
                checkDescent(subject.digest, from: digest, lower)
            }
        case .nullify:
            nullifiable.insert(view)
            expect(finalizable[view] == nil, "finalization and nullification of \(view)")
        case .finalize:
            guard finalizable.updateValue(subject.digest, forKey: view) == nil else { return }
            expect(!nullifiable.contains(view), "nullification and finalization of \(view)")
            let place = finalizableViews.lastIndex { $0 < view }.map { $0 + 1 } ?? 0
            finalizableViews.insert(view, at: place)
            checkLater(subject)
        }
    }

    private mutating func checkLater(_ subject: VoteSubject) {
        for (higher, digest) in notarizable where higher > subject.view {
            checkDescent(digest, from: subject.digest, subject.view)
        }
        // What lies this far below can't be joined by anything that is still under way.
        let floor = subject.view.clampedRetreat(by: 1_000)
        if notarizable.count > 2_000 { notarizable = notarizable.filter { $0.key >= floor } }
    }

    private mutating func checkDescent(_ digest: Digest, from ancestor: Digest, _ view: View) {
        var current = digest
        while let parent = parents[current], parent.view > view { current = parent.digest }
        expect(current == ancestor, "a notarization doesn't descend from finalized \(view)")
    }

    mutating func observe(_ evidence: Evidence) {
        let signer = Int(evidence.first.signer.rawValue)
        expect(liars.contains(signer), "evidence against honest node \(signer)")
        let context = CertificateContext(committee: committee)
        expect(
            SimulatedSigner.holds(evidence.signatureClaims(in: context)), "evidence without proof")
    }
}
