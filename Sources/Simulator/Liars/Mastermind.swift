internal import Consensus
internal import Primitives

/// All liars as one adversary: proposes several blocks in one view, on old parents too, votes for
/// everything at once, makes certificates and gives them to some.
struct Mastermind: ConsensusMisbehaviour {
    mutating func act(
        as index: Int, with liar: inout Liar, now: UInt64, random: inout SeededRandom
    ) -> [ConsensusMessage] {
        var messages: [ConsensusMessage] = []
        for place in liar.views(ledBy: index) where random.chance(400) {
            messages += [liar.propose(in: place, by: index, now: now, random: &random)]
                .compactMap(\.self).map(ConsensusMessage.proposal)
        }
        messages += contradict(as: index, with: liar, random: &random).map(ConsensusMessage.vote)
        let known = liar.certificates.keys.sorted().flatMap { liar.certificates[$0] ?? [] }
        if random.chance(200), let certificate = random.element(of: known) {
            messages.append(.certificate(certificate))
        }
        return messages
    }

    /// Votes of every kind for what is going on.
    private func contradict(
        as index: Int, with liar: Liar, random: inout SeededRandom
    ) -> [Vote] {
        let place = liar.view.clampedRetreat(by: random.number(in: 0...2))
        guard place > 0 else { return [] }
        var subjects: [VoteSubject] = []
        for block in liar.blocks[place] ?? [] where block.view > 0 {
            for kind in [VoteKind.notarize, .finalize] where random.chance(500) {
                subjects.append(
                    VoteSubject(kind: kind, epoch: 0, view: place, digest: block.digest))
            }
        }
        if random.chance(300) {
            subjects.append(VoteSubject(kind: .nullify, epoch: 0, view: place, digest: .zero))
        }
        return subjects.map { liar.vote($0, by: index) }
    }
}
