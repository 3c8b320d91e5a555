import Consensus
import Primitives
import TestSupport

/// Four validators with real keys, and one engine under test that is fed by hand.
struct Fixture {
    static let wall: UInt64 = 1_800_000_000_000
    static let timing = ConsensusTiming(deltaBase: 50, deltaMax: 5_000)
    static let keys = (0..<7).map { index in
        SecretKey(seed: SecureBytes(copying: [UInt8](repeating: UInt8(index + 1), count: 32)))
    }

    let committee: Committee
    let genesis: Block
    let own: Int?
    var engine: SimplexEngine
    var now: UInt64 = 1_000
    /// Everything that was persisted, in order.
    var journal: [JournalRecord] = []

    init(
        own: Int? = 0, weights: [UInt64] = [1, 1, 1, 1], journal: [JournalRecord] = [],
        signing: SigningMode = .full, lastHeight: Height = Height(.max)
    ) throws {
        committee = try Fixture.committee(weights)
        genesis = Block.genesis(
            chainID: committee.chainID, time: Timestamp(Fixture.wall), stateRoot: .zero)
        self.own = own
        let configuration = ConsensusConfiguration(
            committee: committee, ownIndex: own.map { ValidatorIndex(UInt16($0)) },
            signer: own.map { Fixture.keys[$0] }, genesis: genesis,
            tip: ConsensusConfiguration.Tip(block: genesis, certificate: nil),
            timing: Fixture.timing, signing: signing, lastHeight: lastHeight)
        self.journal = journal
        engine = SimplexEngine(
            configuration: configuration, journal: journal, at: Fixture.moment(1_000))
    }

    static func committee(_ weights: [UInt64]) throws -> Committee {
        let validators = weights.enumerated().map { index, weight in
            Validator(
                votingKey: keys[index].publicKey, peerID: PeerID(keys[index].publicKey),
                weight: weight, rewardAddress: .zero)
        }
        return try Committee(chainID: .zero, epoch: 0, validators: validators)
    }

    static func moment(_ now: UInt64) -> Moment {
        Moment(now: Instant(milliseconds: now), wall: Timestamp(wall + now))
    }

    // MARK: Feeding

    mutating func feed(_ event: ConsensusEvent) -> [ConsensusEffect] {
        let effects = engine.handle(event, at: Fixture.moment(now))
        engine.checkInvariants()
        for case .persist(let records, _) in effects { journal += records }
        return effects
    }

    /// The effects of a message whose signatures hold, or nil if it was refused on the way.
    mutating func deliver(
        _ message: ConsensusMessage, from index: Int = 1
    ) -> [ConsensusEffect]? {
        let peer = peer(index)
        guard engine.wants(message, from: peer),
            let verified = Verified.check(message, in: engine.context)
        else { return nil }
        return feed(.message(from: peer, verified))
    }

    mutating func deliver(_ messages: [ConsensusMessage]) -> [ConsensusEffect] {
        messages.flatMap { deliver($0) ?? [] }
    }

    mutating func expire(_ id: TimerID, after milliseconds: UInt64) -> [ConsensusEffect] {
        now += milliseconds
        return feed(.timer(id))
    }

    func peer(_ index: Int) -> PeerID { committee.validators[index].peerID }

    // MARK: Making

    func leader(of view: View) -> Int { Int(committee.leader(of: view).rawValue) }

    /// The first view above `view` that the validator leads, or doesn't.
    func view(after view: View = 0, ledBy index: Int, _ leads: Bool = true) -> View {
        var next = view.clampedAdvance(by: 1)
        while (leader(of: next) == index) != leads { next = next.clampedAdvance(by: 1) }
        return next
    }

    func subject(_ kind: VoteKind, _ view: View, _ digest: Digest = .zero) -> VoteSubject {
        VoteSubject(kind: kind, epoch: 0, view: view, digest: digest)
    }

    func vote(_ kind: VoteKind, _ view: View, _ digest: Digest = .zero, by index: Int) -> Vote {
        let subject = subject(kind, view, digest)
        let signature = Fixture.keys[index].signature(
            over: subject.signingDigest(chainID: committee.chainID))
        return Vote(subject: subject, signer: ValidatorIndex(UInt16(index)), signature: signature)
    }

    /// By the first three of four that the engine under test isn't, unless others are named.
    func certificate(
        _ kind: VoteKind, _ view: View, _ digest: Digest = .zero, by indexes: [Int]? = nil
    ) -> Certificate {
        let signers = indexes ?? (0..<4).filter { $0 != own ?? 0 }
        let votes = signers.map { vote(kind, view, digest, by: $0) }
        return Certificate(
            subject: subject(kind, view, digest), votes: votes, committee: committee)
    }

    func block(
        _ view: View, on parent: Block, payload: [UInt8] = [7], time: UInt64? = nil,
        nextSet: Digest? = nil, tail: Bool = false
    ) -> Block {
        let header = BlockHeader(
            chainID: committee.chainID, epoch: 0, view: view,
            height: parent.height.clampedAdvance(by: 1), parent: parent.ref,
            proposer: committee.leader(of: view),
            time: Timestamp(time ?? max(Fixture.wall + now, parent.time.rawValue + 1)),
            executed: ExecutedRef(height: 0, stateRoot: .zero),
            payloadRoot: Block.root(of: payload), nextSetHash: nextSet, tail: tail)
        return Block(header: header, payload: payload)
    }

    func proposal(
        _ block: Block, parentCertificate: Certificate? = nil, skips: [Certificate] = []
    ) -> ConsensusMessage {
        let leader = leader(of: block.view)
        let signature = vote(.notarize, block.view, block.digest, by: leader).signature
        return .proposal(
            Proposal(
                block: block, signature: signature, parentCertificate: parentCertificate,
                skips: skips))
    }
}

extension [ConsensusEffect] {
    /// Own votes that leave, proposals included.
    var votes: [Vote] {
        compactMap { effect in
            switch effect {
            case .broadcast(.vote(let vote)): vote
            case .broadcast(.proposal(let proposal)): proposal.vote
            default: nil
            }
        }
    }

    var proposals: [Proposal] {
        compactMap { effect in
            if case .broadcast(.proposal(let proposal)) = effect { proposal } else { nil }
        }
    }

    var sent: [ConsensusMessage] {
        compactMap { effect in
            if case .send(_, let message) = effect { message } else { nil }
        }
    }

    var committed: [Block] {
        flatMap { effect in
            if case .commit(let blocks, _) = effect { blocks } else { [Block]() }
        }
    }

    var certificates: [Certificate] {
        compactMap { effect in
            if case .broadcast(.certificate(let certificate)) = effect { certificate } else { nil }
        }
    }

    /// Whether every own vote stands behind a synced record of it.
    var recordsComeFirst: Bool {
        var recorded: Set<Vote> = []
        for effect in self {
            switch effect {
            case .persist(let records, sync: true):
                for case .vote(let vote) in records { recorded.insert(vote) }
            case .broadcast(.vote(let vote)): if !recorded.contains(vote) { return false }
            case .broadcast(.proposal(let proposal)):
                if !recorded.contains(proposal.vote) { return false }
            default: break
            }
        }
        return true
    }
}
