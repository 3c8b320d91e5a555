internal import Consensus
internal import Primitives

/// All lying validators as one: what they hear and remember together, and what they can make of it.
/// What they do is the misbehaviour's choice.
struct Liar {
    /// The first byte of a payload that honest nodes refuse.
    static let invalidMark: UInt8 = 0xBD
    /// Views whose messages are remembered.
    private static let memory: UInt64 = 12

    let indexes: [Int]
    let committee: Committee
    private(set) var view: View = 1
    private(set) var blocks: [View: [Block]] = [:]
    private(set) var votes: [VoteSubject: [ValidatorIndex: Vote]] = [:]
    private(set) var certificates: [View: [Certificate]] = [:]
    private var misbehaviour: any ConsensusMisbehaviour

    init(
        committee: Committee, indexes: [Int], genesis: Block,
        misbehaviour: any ConsensusMisbehaviour
    ) {
        self.committee = committee
        self.indexes = indexes
        self.misbehaviour = misbehaviour
        blocks[0] = [genesis]
    }

    // MARK: Listening

    /// What reaches one of them.
    mutating func hear(_ message: ConsensusMessage, from: Int, as index: Int, now: UInt64) {
        misbehaviour.hear(message, from: from, as: index, now: now)
        switch message {
        case .proposal(let proposal): hear(proposal)
        case .vote(let vote): hear(vote)
        case .certificate(let certificate): hear(certificate)
        case .status(let status): if let certificate = status.finalization { hear(certificate) }
        default: break
        }
    }

    private mutating func hear(_ proposal: Proposal) {
        remember(proposal.block)
        hear(proposal.vote)
        if let certificate = proposal.parentCertificate { hear(certificate) }
        for certificate in proposal.skips { hear(certificate) }
    }

    private mutating func remember(_ block: Block) {
        guard blocks[block.view]?.contains(block) != true else { return }
        blocks[block.view, default: []].append(block)
    }

    private mutating func hear(_ vote: Vote) {
        votes[vote.subject, default: [:]][vote.signer] = vote
        move(to: vote.view)
        certify(vote.subject)
    }

    private mutating func hear(_ certificate: Certificate) {
        guard
            certificates[certificate.view]?.contains(where: {
                $0.subject == certificate.subject
            }) != true
        else { return }
        certificates[certificate.view, default: []].append(certificate)
        move(to: certificate.view.clampedAdvance(by: 1))
    }

    /// Adds the own votes; if that makes a quorum, there is a certificate that nobody else has.
    private mutating func certify(_ subject: VoteSubject) {
        var all = votes[subject] ?? [:]
        for index in indexes { all[ValidatorIndex(UInt16(index))] = vote(subject, by: index) }
        guard committee.weight(of: all.keys) >= committee.quorum else { return }
        hear(Certificate(subject: subject, votes: Array(all.values), committee: committee))
    }

    private mutating func move(to next: View) {
        guard next > view else { return }
        view = next
        let oldest = view.clampedRetreat(by: Liar.memory)
        blocks = blocks.filter { $0.key >= oldest }
        votes = votes.filter { $0.key.view >= oldest }
        certificates = certificates.filter { $0.key >= oldest }
    }

    func vote(_ subject: VoteSubject, by index: Int) -> Vote {
        let signer = SimulatedSigner(publicKey: committee.validators[index].votingKey)
        let digest = subject.signingDigest(chainID: committee.chainID)
        return Vote(
            subject: subject, signer: ValidatorIndex(UInt16(index)),
            signature: signer.signature(over: digest))
    }

    // MARK: Acting

    /// Whoever asks how far it signed hears what it would like best.
    func answer(_ request: RecoveryRequest) -> RecoveryAnswer {
        RecoveryAnswer(
            epoch: request.epoch, record: request.record, isFirst: true, view: 1, entry: nil,
            newest: nil)
    }

    /// A few messages, each for an arbitrary part of the others.
    mutating func act(
        as index: Int, now: UInt64, random: inout SeededRandom
    ) -> [ConsensusMessage] {
        var acting = misbehaviour
        defer { misbehaviour = acting }
        return acting.act(as: index, with: &self, now: now, random: &random)
    }

    /// Views that the validator leads, from the current one to that after it.
    func views(ledBy index: Int) -> [View] {
        (0...UInt64(1)).map { view.clampedAdvance(by: $0) }
            .filter { Int(committee.leader(of: $0).rawValue) == index }
    }

    /// A block of its own on some parent; nil if none is known.
    mutating func propose(
        in place: View, by index: Int, now: UInt64, random: inout SeededRandom
    ) -> Proposal? {
        guard let (parent, certificate) = chooseParent(below: place, random: &random) else {
            return nil
        }
        let mark = random.chance(100) ? Liar.invalidMark : 1
        let payload = [mark, UInt8(truncatingIfNeeded: random.next())]
        let clock = Timestamp(Simulation.epochMilliseconds + now + random.number(in: 0...250))
        let header = BlockHeader(
            chainID: committee.chainID, epoch: committee.epoch, view: place,
            height: parent.height.clampedAdvance(by: 1), parent: parent.ref,
            proposer: ValidatorIndex(UInt16(index)),
            time: max(clock, parent.time.clampedAdvance(by: 1)),
            executed: parent.executed, payloadRoot: Block.root(of: payload))
        let block = Block(header: header, payload: payload)
        remember(block)
        let subject = VoteSubject(
            kind: .notarize, epoch: block.epoch, view: place, digest: block.digest)
        return Proposal(
            block: block, signature: vote(subject, by: index).signature,
            parentCertificate: certificate, skips: skips(parent.view, place))
    }

    /// Mostly the newest certified block, sometimes an older one that was passed over.
    private func chooseParent(
        below place: View, random: inout SeededRandom
    ) -> (Block, Certificate?)? {
        var candidates: [(Block, Certificate?)] = []
        for view in certificates.keys.sorted(by: >) where view < place {
            for certificate in certificates[view] ?? [] where certificate.kind != .nullify {
                let block = blocks[view]?.first { $0.digest == certificate.digest }
                if let block { candidates.append((block, certificate)) }
            }
        }
        if let genesis = blocks[0]?.first { candidates.append((genesis, nil)) }
        if random.chance(600) { return candidates.first }
        return random.element(of: Array(candidates.prefix(5)))
    }

    private func skips(_ parent: View, _ place: View) -> [Certificate] {
        let found = certificates.keys.sorted(by: >).filter { $0 > parent && $0 < place }
            .compactMap { view in certificates[view]?.first { $0.kind == .nullify } }
        return Array(found.prefix(ConsensusLimits.skipsMax))
    }
}
