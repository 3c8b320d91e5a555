internal import Consensus
internal import Primitives

/// Votes in the names of others under its own signature, and makes certificates of one signature or
/// of names without signatures. All of it must be dropped before an engine sees it.
struct ImpersonatorLiar: ConsensusMisbehaviour {
    mutating func act(
        as index: Int, with liar: inout Liar, now: UInt64, random: inout SeededRandom
    ) -> [ConsensusMessage] {
        guard let subject = subject(with: liar, random: &random) else { return [] }
        let own = liar.vote(subject, by: index)
        switch random.next() % 3 {
        case 0:
            let other = ValidatorIndex(
                UInt16(random.number(in: 0...UInt64(liar.committee.count - 1))))
            let vote = Vote(subject: subject, signer: other, signature: own.signature)
            // Under its own name it would be a vote like any other.
            return [.vote(vote)]
        case 1:
            return [
                .certificate(
                    Certificate(subject: subject, votes: [own], committee: liar.committee))
            ]
        default: return [.certificate(named(subject, own, liar.committee))]
        }
    }

    /// Every name with the signature of one.
    private func named(
        _ subject: VoteSubject, _ own: Vote, _ committee: Committee
    ) -> Certificate {
        let votes = committee.indices.map {
            Vote(subject: subject, signer: $0, signature: own.signature)
        }
        return Certificate(subject: subject, votes: votes, committee: committee)
    }

    private func subject(with liar: Liar, random: inout SeededRandom) -> VoteSubject? {
        let place = liar.view.clampedRetreat(by: random.number(in: 0...1))
        guard place > 0 else { return nil }
        guard let block = random.element(of: liar.blocks[place] ?? []), random.chance(700) else {
            return VoteSubject(kind: .nullify, epoch: 0, view: place, digest: .zero)
        }
        return VoteSubject(
            kind: random.chance(500) ? .notarize : .finalize, epoch: 0, view: place,
            digest: block.digest)
    }
}
