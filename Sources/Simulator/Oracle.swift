internal import Consensus
internal import Primitives

/// What must hold whatever happens; the first violation is kept.
struct Oracle {
    let committee: Committee
    private let liarWeight: UInt64
    private let liars: Set<Int>
    private(set) var violation: String?
    /// Finalized digests by height.
    private(set) var chain: [UInt64: Digest] = [:]
    private(set) var height: UInt64 = 0

    private var places: [Digest: Place] = [:]
    private var signed: [Key: Record] = [:]
    private var weights: [VoteSubject: UInt64] = [:]
    /// Certificates that the votes so far allow, whether anybody made them or not.
    private var notarizable: [View: Digest] = [:]
    private var nullifiable: Set<View> = []
    private var finalizable: [View: Digest] = [:]
    /// The views of `finalizable`, ascending.
    private var finalizableViews: [View] = []
    /// The highest of the blocks in `finalizable`.
    private(set) var finalizableHeight: Height = 0
    /// Below it `notarizable` is forgotten.
    private var floor: View = 0

    private struct Place {
        let view: View
        let height: Height
        let parent: BlockRef
    }

    private struct Key: Hashable {
        let signer: ValidatorIndex
        let view: View
    }

    /// What one key signed in one view.
    private struct Record {
        var notarize: Digest?
        var nullify: Digest?
        var finalize: Digest?

        subscript(kind: VoteKind) -> Digest? {
            get {
                switch kind {
                case .notarize: notarize
                case .nullify: nullify
                case .finalize: finalize
                }
            }
            set {
                switch kind {
                case .notarize: notarize = newValue
                case .nullify: nullify = newValue
                case .finalize: finalize = newValue
                }
            }
        }
    }

    init(committee: Committee, liars: Set<Int>) {
        self.committee = committee
        self.liars = liars
        liarWeight = liars.reduce(0) { $0 + committee.validators[$1].weight }
    }

    /// The place of a node in the committee.
    func index(of peer: PeerID) -> Int? { committee.index(of: peer).map { Int($0.rawValue) } }

    mutating func fail(_ text: String) {
        if violation == nil { violation = text }
    }

    mutating func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
        if !condition { fail(text()) }
    }

    mutating func register(_ block: Block) {
        places[block.digest] = Place(
            view: block.view, height: block.height, parent: block.parent)
    }

    /// A commit comes with the finalization of its last block.
    mutating func commits(_ blocks: [Block], _ certificate: Certificate, by node: Int) {
        let context = CertificateContext(committee: committee)
        expect(
            certificate.kind == .finalize && certificate.ref == blocks.last?.ref
                && SimulatedSigner.holds(certificate.signatureClaims(in: context)),
            "node \(node) commits without proof")
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

    // MARK: Votes

    /// A record that an honest node wrote: from now on it may act upon it.
    mutating func recorded(_ record: JournalRecord, by node: Int) {
        switch record {
        case .vote(let vote): bind(vote, by: node)
        case .block(let block): register(block)
        case .certificate(let certificate): accepted(certificate.subject, by: node)
        case .floor, .introduced, .epoch: break
        }
    }

    /// A vote that left an honest node.
    mutating func sent(_ vote: Vote, by node: Int, isRecorded: Bool) {
        expect(isRecorded, "node \(node) sent a \(vote.kind) vote of \(vote.view) unrecorded")
        bind(vote, by: node)
    }

    /// A vote that an honest key signed. One key signs one thing, over all its restarts.
    mutating func bind(_ vote: Vote, by node: Int) {
        expect(Int(vote.signer.rawValue) == node, "node \(node) sends a vote of \(vote.signer)")
        let key = Key(signer: vote.signer, view: vote.view)
        let known = signed[key] ?? Record()
        if known[vote.kind] == vote.digest { return }
        checkRecord(vote, known, node)
        checkGrounds(vote, node)
        signed[key, default: Record()][vote.kind] = vote.digest
        weights[vote.subject, default: 0] += committee.weight(of: vote.signer)
        let possible = weights[vote.subject, default: 0] + liarWeight >= committee.quorum
        if possible { possibleNow(vote.subject) }
    }

    private mutating func checkRecord(_ vote: Vote, _ known: Record, _ node: Int) {
        expect(known[vote.kind] == nil, "node \(node) signed two \(vote.kind) in \(vote.view)")
        switch vote.kind {
        case .notarize:
            expect(known[.nullify] == nil, "node \(node) notarized \(vote.view) after nullify")
        case .nullify, .finalize:
            let other: VoteKind = vote.kind == .nullify ? .finalize : .nullify
            expect(known[other] == nil, "node \(node) finalized and nullified \(vote.view)")
        }
    }

    /// What an honest vote rests on must be possible by the votes before it: a finalize vote on the
    /// notarization, a notarize vote on that of the parent and on nullified views between.
    private mutating func checkGrounds(_ vote: Vote, _ node: Int) {
        switch vote.kind {
        case .nullify: break
        case .finalize:
            guard vote.view >= floor else { return }
            expect(
                notarizable[vote.view] == vote.digest,
                "node \(node) finalized what can't be notarized in \(vote.view)")
        case .notarize:
            guard let parent = places[vote.digest]?.parent, parent.view >= floor else {
                return
            }
            expect(
                parent.view == 0 || notarizable[parent.view] == parent.digest,
                "node \(node) notarized \(vote.view) on a parent that can't be notarized")
            var between = parent.view.clampedAdvance(by: 1)
            while between < vote.view {
                expect(
                    nullifiable.contains(between),
                    "node \(node) notarized \(vote.view) above \(between), which isn't nullified")
                between = between.clampedAdvance(by: 1)
            }
        }
    }

    // MARK: Certificates

    /// A certificate that an honest node acts upon: the votes before it allow one.
    mutating func accepted(_ subject: VoteSubject, by node: Int) {
        guard subject.view >= floor else { return }
        let isPossible =
            switch subject.kind {
            case .notarize: notarizable[subject.view] == subject.digest
            case .nullify: nullifiable.contains(subject.view)
            case .finalize: finalizable[subject.view] == subject.digest
            }
        expect(
            isPossible,
            "node \(node) acts upon a \(subject.kind) certificate of \(subject.view) that the "
                + "votes don't allow")
    }

    /// A certificate that left an honest node: a quorum of distinct signers, all of whom signed.
    mutating func sent(_ certificate: Certificate, by node: Int) {
        let context = CertificateContext(committee: committee)
        expect(
            SimulatedSigner.holds(certificate.signatureClaims(in: context)),
            "node \(node) sends a \(certificate.kind) certificate of \(certificate.view) that "
                + "proves nothing")
        for (signer, signature) in zip(certificate.signers.indexes, certificate.signatures)
        where !liars.contains(Int(signer.rawValue)) {
            let vote = Vote(subject: certificate.subject, signer: signer, signature: signature)
            bind(vote, by: Int(signer.rawValue))
        }
    }

    /// No view opens without a certificate of the one before or of a finalization beyond.
    mutating func entered(_ view: View, by node: Int) {
        let before = view.clampedRetreat(by: 1)
        let isOpen =
            before == 0 || nullifiable.contains(before) || notarizable[before] != nil
            || finalizableViews.last.map { $0 >= before } == true
        expect(isOpen, "node \(node) is in view \(view) without a certificate for it")
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
            finalizableHeight = max(finalizableHeight, places[subject.digest]?.height ?? 0)
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
        guard notarizable.count > 2_000 else { return }
        let oldest = subject.view.clampedRetreat(by: 1_000)
        floor = oldest
        notarizable = notarizable.filter { $0.key >= oldest }
    }

    private mutating func checkDescent(_ digest: Digest, from ancestor: Digest, _ view: View) {
        var current = digest
        while let place = places[current], place.view > view { current = place.parent.digest }
        expect(current == ancestor, "a notarization doesn't descend from finalized \(view)")
    }

    // MARK: Liveness

    /// Milliseconds after the healing in which a new height must be final everywhere: waits doubled
    /// once more, for a run of leaders that lie.
    func progressMilliseconds(delta: UInt64) -> UInt64 {
        let longestRun: UInt64 = liars.isEmpty ? 0 : 6
        return (4 * longestRun + 8) * (4 * delta + 1_000)
    }

    // MARK: Evidence

    mutating func observe(_ evidence: Evidence) {
        let signer = Int(evidence.first.signer.rawValue)
        expect(liars.contains(signer), "evidence against honest node \(signer)")
        let context = CertificateContext(committee: committee)
        expect(
            SimulatedSigner.holds(evidence.signatureClaims(in: context)), "evidence without proof")
    }
}
