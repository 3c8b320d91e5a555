internal import Consensus
internal import Primitives

/// Everything that can be voted on and proposed in a scope, numbered as it comes up. What of it
/// exists in a state follows from what the honest nodes signed there.
final class ExplorationPool {
    /// A set of subjects by their numbers.
    typealias Mask = UInt128

    struct Entry {
        let block: Block
        let proposal: Proposal
        let notarize: Int
        let finalize: Int
        let proposer: Int
        let isOfLiar: Bool
    }

    let committee: Committee
    let views: UInt64
    let genesis: Block
    private(set) var subjects: [VoteSubject] = []
    /// In the order of discovery.
    private(set) var entries: [Entry] = []
    /// Numbers of `entries` by view.
    private(set) var entriesOfView: [[Int]]
    private var numbers: [VoteSubject: Int] = [:]
    private var places: [Digest: Int] = [:]
    private var votes: [VoteKey: Vote] = [:]
    private let liarViews: [View]

    private struct VoteKey: Hashable {
        let subject: Int
        let signer: Int
    }

    init(scope: ExplorationScope) {
        committee = LeaderSchedule.committee(validators: 4, chain: scope.schedule.chain)
        views = UInt64(scope.views)
        genesis = Block.genesis(
            chainID: committee.chainID, time: Timestamp(Simulation.epochMilliseconds),
            stateRoot: .zero)
        entriesOfView = Array(repeating: [], count: scope.views + 1)
        liarViews = scope.schedule.leaders.enumerated()
            .filter { $0.element == ExplorationScope.liar }.map { View(UInt64($0.offset + 1)) }
        for view in 1...views {
            _ = number(
                of: VoteSubject(kind: .nullify, epoch: 0, view: View(view), digest: .zero))
        }
        addChildren(of: genesis)
    }

    func bit(_ subject: Int) -> Mask { 1 << Mask(subject) }

    func number(of subject: VoteSubject) -> Int {
        if let known = numbers[subject] { return known }
        precondition(subjects.count < 128, "more than 128 subjects")
        subjects.append(subject)
        numbers[subject] = subjects.count - 1
        return subjects.count - 1
    }

    func block(_ digest: Digest) -> Block? { places[digest].map { entries[$0].block } }

    func vote(_ subject: Int, by signer: Int) -> Vote {
        let key = VoteKey(subject: subject, signer: signer)
        if let known = votes[key] { return known }
        let digest = subjects[subject].signingDigest(chainID: committee.chainID)
        let vote = Vote(
            subject: subjects[subject], signer: ValidatorIndex(UInt16(signer)),
            signature: SimulatedSigner(index: signer).signature(over: digest))
        votes[key] = vote
        return vote
    }

    /// Who proposed the block that a subject is about; nil for a nullification.
    func proposer(of subject: Int) -> Int? {
        places[subjects[subject].digest].map { Int(entries[$0].block.proposer.rawValue) }
    }

    /// Takes in a block that somebody proposed; the liar may build on it from now on.
    func add(_ block: Block) {
        guard places[block.digest] == nil, block.view.rawValue <= views else { return }
        let notarize = number(of: subject(.notarize, block))
        let finalize = number(of: subject(.finalize, block))
        let proposer = Int(block.proposer.rawValue)
        let proposal = Proposal(
            block: block, signature: vote(notarize, by: proposer).signature,
            parentCertificate: nil, skips: [])
        places[block.digest] = entries.count
        entriesOfView[Int(block.view.rawValue)].append(entries.count)
        entries.append(
            Entry(
                block: block, proposal: proposal, notarize: notarize, finalize: finalize,
                proposer: proposer,
                isOfLiar: proposer == ExplorationScope.liar))
        addChildren(of: block)
    }

    private func subject(_ kind: VoteKind, _ block: Block) -> VoteSubject {
        VoteSubject(kind: kind, epoch: 0, view: block.view, digest: block.digest)
    }

    /// Two blocks in each later view that the liar leads.
    private func addChildren(of parent: Block) {
        for view in liarViews where view > parent.view {
            for mark in UInt8(1)...2 { add(child(of: parent, in: view, mark: mark)) }
        }
    }

    private func child(of parent: Block, in view: View, mark: UInt8) -> Block {
        let payload = [mark]
        let header = BlockHeader(
            chainID: committee.chainID, epoch: 0, view: view,
            height: parent.height.clampedAdvance(by: 1), parent: parent.ref,
            proposer: ValidatorIndex(UInt16(ExplorationScope.liar)),
            time: parent.time.clampedAdvance(by: 1), executed: parent.executed,
            payloadRoot: Block.root(of: payload))
        return Block(header: header, payload: payload)
    }
}
