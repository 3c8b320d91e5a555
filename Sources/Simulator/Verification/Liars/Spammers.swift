internal import Mempool
internal import Primitives

/// Appeals against owners that did nothing: for payments whose predecessor nobody has, for
/// payments that nobody signed, and for such as are final.
struct SpamsAppeals: Misbehaviour {
    func act(by liar: Int, _ ring: inout Ring) {
        let careless = ring.traffic.payments[Traffic.careless]
        let choices = [
            careless[careless.count - 1], ring.makeJunk(), ring.traffic.payments[0][0],
        ]
        guard let appeal = ring.random.element(of: choices) else { return }
        for node in ring.validators where node != liar {
            ring.post(.appeal(appeal), from: liar, to: node)
        }
    }
}

/// Answers for owners that it isn't.
struct SpamsAnswers: Misbehaviour {
    func act(by liar: Int, _ ring: inout Ring) {
        let user = Int(ring.random.next() % UInt64(ring.traffic.users.count))
        guard let payment = ring.random.element(of: ring.traffic.payments[user]) else { return }
        let outcomes: [SubmitOutcome] = [.refused(.invalidSignature), .accepted, .overspent]
        guard let outcome = ring.random.element(of: outcomes) else { return }
        for node in ring.peers.indices where node != liar {
            ring.post(
                .answers([ForwardAnswer(id: payment.id, outcome: outcome)]), from: liar, to: node)
        }
    }
}
