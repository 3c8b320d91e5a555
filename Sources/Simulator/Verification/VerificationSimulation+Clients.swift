internal import Mempool
internal import Primitives

/// An honest user with a wallet that doesn't give up: what isn't final after a while goes to
/// another node.
struct SimulatedClient: Sendable {
    struct Open: Sendable {
        let payment: SignedTransaction
        let since: UInt64
        var askAt: UInt64
        var node: Int
    }

    /// Payments under way at once.
    static let openMax = 3
    /// Milliseconds until another node is asked.
    static let patience: UInt64 = 3_000
    /// The same after a refusal.
    static let patienceRefused: UInt64 = 300

    let user: Int
    let payments: [SignedTransaction]
    private(set) var open: [TransactionID: Open] = [:]
    private var sent = 0
    private var isStopped = false

    init(user: Int, payments: [SignedTransaction]) {
        self.user = user
        self.payments = payments
    }

    var isIdle: Bool { open.isEmpty && (isStopped || sent == payments.count) }

    mutating func stop() { isStopped = true }

    /// The next payment, if it is time for one.
    mutating func next(at now: UInt64, node: Int) -> SignedTransaction? {
        guard !isStopped, open.count < SimulatedClient.openMax, sent < payments.count else {
            return nil
        }
        return send(at: now, node: node)
    }

    mutating func all(at now: UInt64, node: Int) -> [SignedTransaction] {
        var all: [SignedTransaction] = []
        while sent < payments.count { all.append(send(at: now, node: node)) }
        return all
    }

    private mutating func send(at now: UInt64, node: Int) -> SignedTransaction {
        defer { sent += 1 }
        let payment = payments[sent]
        open[payment.id] = Open(
            payment: payment, since: now, askAt: now + SimulatedClient.patience, node: node)
        return payment
    }

    /// What wasn't final in time, with the node to ask next, in order.
    mutating func due(at now: UInt64, nodes: Int) -> [(SignedTransaction, Int)] {
        open.keys.sorted().compactMap { id in
            guard var entry = open[id], entry.askAt <= now else { return nil }
            entry.node = (entry.node + 1) % nodes
            entry.askAt = now + SimulatedClient.patience
            open[id] = entry
            return (entry.payment, entry.node)
        }
    }

    mutating func refused(_ id: TransactionID, at now: UInt64) {
        guard let entry = open[id] else { return }
        open[id]?.askAt = min(entry.askAt, now + SimulatedClient.patienceRefused)
    }

    /// Returns how long a payment took that is final now.
    mutating func settle(_ id: TransactionID, at now: UInt64) -> UInt64? {
        open.removeValue(forKey: id).map { now - $0.since }
    }
}

// What users do, and what those do who only look like users.
extension VerificationSimulation {
    mutating func addClients() {
        for user in Traffic.honest {
            let count = random.number(in: 3...8)
            let all = scenario.bursts && user < Traffic.crowd.count ? 64 : Int(count)
            clients.append(
                SimulatedClient(
                    user: user, payments: Array(traffic.payments[user].prefix(all))))
        }
    }

    mutating func letClientsAct() {
        for place in clients.indices {
            for (payment, node) in clients[place].due(at: now, nodes: nodes.count) {
                submit([payment], to: node)
            }
            let isHeld = scenario.bursts && place < Traffic.crowd.count
            guard !isHeld, random.chance(80) else { continue }
            let node = Int(random.next() % UInt64(nodes.count))
            if let payment = clients[place].next(at: now, node: node) {
                submit([payment], to: node)
                noteFinal([payment], of: place)
                // Some give everything to everybody.
                if random.chance(50) { for other in nodes.indices { submit([payment], to: other) } }
            }
        }
        if !isHealed { misuse() }
        schedule(.clients, after: 30)
    }

    /// Wrong signatures, gaps, two payments with one sequence, no money, and what is final already.
    private mutating func misuse() {
        guard random.chance(150) else { return }
        let node = Int(random.next() % UInt64(nodes.count))
        let place = Int(random.next() % UInt64(Traffic.payments))
        switch random.next() % 5 {
        case 0: submit([traffic.payments[Traffic.careless][place]], to: node)
        case 1: submit([traffic.payments[Traffic.poor][place]], to: node)
        case 2:
            let old = traffic.payments[0][place]
            if chain.final.contains(old.id) { submit([old], to: node) }
        case 3:
            let twice = Traffic.payment(
                traffic.chainID, traffic.users[Traffic.careless], sequence: UInt64(place),
                amount: random.number(in: 2...60))
            submit([twice], to: node)
        default: submit([ring.makeJunk()], to: node)
        }
    }

    /// Several hundred payments of one shard: enough for planted faults.
    mutating func burst() {
        let node = Int(random.next() % UInt64(nodes.count))
        for place in Traffic.crowd {
            let payments = clients[place].all(at: now, node: node)
            submit(payments, to: node)
            noteFinal(payments, of: place)
        }
    }

    /// Liars may have brought payments in before their sender did.
    private mutating func noteFinal(_ payments: [SignedTransaction], of place: Int) {
        for payment in payments where chain.final.contains(payment.id) {
            _ = clients[place].settle(payment.id, at: now)
        }
    }

    mutating func submit(_ payments: [SignedTransaction], to node: Int) {
        var events: [MempoolEvent] = []
        for payment in payments {
            lastRequest += 1
            events.append(.submitted(RequestID(lastRequest), payment))
        }
        feed(node, all: events)
    }

    mutating func answer(_ id: TransactionID, _ outcome: SubmitOutcome) {
        guard outcome != .accepted else { return }
        for place in clients.indices { clients[place].refused(id, at: now) }
    }

    /// What the newest block settled.
    mutating func settleClients() {
        for item in chain.outcomes.last?.executed ?? [] where item.skipped == nil {
            for place in clients.indices {
                guard let waited = clients[place].settle(item.id, at: now) else { continue }
                report.longestWaitMilliseconds = max(report.longestWaitMilliseconds, waited)
                guard clients[place].user == Traffic.victim else { continue }
                report.victimWaitMilliseconds = max(report.victimWaitMilliseconds, waited)
                report.victimSince = report.victimSince ?? now - waited
            }
        }
        guard isHealed, clients.allSatisfy(\.isIdle), report.recoveryMilliseconds == nil else {
            return
        }
        report.recoveryMilliseconds = now - VerificationSimulation.faultyMilliseconds
    }
}
