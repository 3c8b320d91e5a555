internal import Consensus
internal import Primitives

/// Proposes two blocks in each view that it leads, again and again, and votes for what others
/// propose.
struct ConflicterLiar: ConsensusMisbehaviour {
    mutating func act(
        as index: Int, with liar: inout Liar, now: UInt64, random: inout SeededRandom
    ) -> [ConsensusMessage] {
        var messages: [ConsensusMessage] = []
        for place in liar.views(ledBy: index) where random.chance(600) {
            for _ in 0..<2 {
                guard let made = liar.propose(in: place, by: index, now: now, random: &random)
                else { continue }
                messages.append(.proposal(made))
            }
        }
        if let block = liar.blocks[liar.view]?.first, block.view > 0 {
            let subject = VoteSubject(
                kind: .notarize, epoch: 0, view: block.view, digest: block.digest)
            messages.append(.vote(liar.vote(subject, by: index)))
        }
        return messages
    }
}
