internal import Consensus
internal import Primitives

/// Says again what others said in views that are over, and proposes in them.
struct OutdatedLiar: ConsensusMisbehaviour {
    mutating func act(
        as index: Int, with liar: inout Liar, now: UInt64, random: inout SeededRandom
    ) -> [ConsensusMessage] {
        var messages: [ConsensusMessage] = []
        let votes = votes(of: liar)
        for _ in 0..<3 {
            if let vote = random.element(of: votes) { messages.append(.vote(vote)) }
        }
        let old = liar.certificates.keys.sorted().filter { $0 < liar.view }
            .flatMap { liar.certificates[$0] ?? [] }
        if let certificate = random.element(of: old) { messages.append(.certificate(certificate)) }
        let past = liar.view.clampedRetreat(by: random.number(in: 1...4))
        if past > 0, Int(liar.committee.leader(of: past).rawValue) == index,
            let made = liar.propose(in: past, by: index, now: now, random: &random)
        {
            messages.append(.proposal(made))
        }
        return messages
    }

    /// Those of earlier views, in an order that is the same in every run.
    private func votes(of liar: Liar) -> [Vote] {
        liar.votes.filter { $0.key.view < liar.view }.flatMap { $0.value.values }
            .sorted { left, right in
                (left.view, left.kind.rawValue, left.digest, left.signer)
                    < (right.view, right.kind.rawValue, right.digest, right.signer)
            }
    }
}
