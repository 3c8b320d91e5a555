internal import Consensus
internal import Primitives

/// Votes against every view, the next ones before they begin, and does nothing else.
struct NullerLiar: ConsensusMisbehaviour {
    mutating func act(
        as index: Int, with liar: inout Liar, now: UInt64, random: inout SeededRandom
    ) -> [ConsensusMessage] {
        let last = random.number(in: 0...3)
        return (0...last).map { ahead in
            let place = liar.view.clampedAdvance(by: ahead)
            let subject = VoteSubject(kind: .nullify, epoch: 0, view: place, digest: .zero)
            return .vote(liar.vote(subject, by: index))
        }
    }
}
