internal import Consensus
internal import Primitives

/// Votes in every way for every block of the last views, and against those views.
struct EquivocatorLiar: ConsensusMisbehaviour {
    mutating func act(
        as index: Int, with liar: inout Liar, now: UInt64, random: inout SeededRandom
    ) -> [ConsensusMessage] {
        var subjects: [VoteSubject] = []
        for back in UInt64(0)...2 {
            let place = liar.view.clampedRetreat(by: back)
            guard place > 0 else { break }
            subjects.append(VoteSubject(kind: .nullify, epoch: 0, view: place, digest: .zero))
            for block in liar.blocks[place] ?? [] {
                for kind in [VoteKind.notarize, .finalize] {
                    subjects.append(
                        VoteSubject(kind: kind, epoch: 0, view: place, digest: block.digest))
                }
            }
        }
        return subjects.shuffled(using: &random).map { .vote(liar.vote($0, by: index)) }
    }
}
