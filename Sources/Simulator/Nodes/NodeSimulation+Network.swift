internal import Consensus
internal import Mempool
internal import NodeCore
internal import Primitives

// What travels.
extension NodeSimulation {
    mutating func send(_ message: NodeMessage, from host: SimulatedHost, to receivers: [Int]) {
        guard host.isHonest else { return sendAsLiar(message, from: host, to: receivers) }
        report.messages += 1
        let bytes = message.bcsBytes
        trace.note(now, 4, host.index, UInt64(receivers.count))
        trace.mix(bytes)
        if trace.keepsLines, let cell = NodeTrace.cell(message) {
            trace.show(now, host.index, cell)
        }
        observe(message, from: host)
        for to in receivers { transmit(message, from: host.index, to: to, bytes) }
    }

    private mutating func sendAsLiar(
        _ message: NodeMessage, from host: SimulatedHost, to receivers: [Int]
    ) {
        guard var context = context(of: host) else { return }
        for to in receivers {
            var messages = [message]
            for place in host.actors.indices {
                messages = messages.flatMap { host.actors[place].send($0, to: to, &context) }
            }
            for message in messages {
                report.messages += 1
                if case .consensus(.proposal(let proposal)) = message {
                    judge(proposal.block.epoch, at: host) { oracle, _ in
                        oracle.register(proposal.block)
                    }
                }
                transmit(message, from: host.index, to: to, message.bcsBytes)
            }
        }
        actorContexts[host.index] = context
    }

    /// What a liar acts by, in the epoch that its core is in; outside its committee it can't lie.
    private func context(of host: SimulatedHost) -> ActorContext? {
        guard var context = actorContexts[host.index], let core = host.core,
            let index = core.value.ownIndex
        else { return actorContexts[host.index] }
        context.index = Int(index.rawValue)
        context.committee = core.value.committee
        return context
    }

    /// Whatever leaves an honest node binds its key.
    private mutating func observe(_ message: NodeMessage, from host: SimulatedHost) {
        guard case .consensus(let consensus) = message else {
            return note(message)
        }
        switch consensus {
        case .vote(let vote): observe(vote, from: host)
        case .proposal(let proposal):
            judge(proposal.block.epoch, at: host) { oracle, _ in
                oracle.register(proposal.block)
            }
            observe(proposal.vote, from: host)
            if scenario.standbys.contains(host.index) { marks.reach(.newcomerProposed) }
        case .certificateRequest: marks.reach(.certificateFetched)
        case .syncResponse: marks.reach(.syncedByRange)
        case .block: marks.reach(.blocksSynced)
        default: break
        }
    }

    private mutating func observe(_ vote: Vote, from host: SimulatedHost) {
        if vote.kind == .nullify {
            marks.reach(.viewNullified)
            if marks.count(.leaderEquivocated) > 0 { marks.reach(.viewChangeAfterEquivocation) }
        }
        if host.restarts > 0 { marks.reach(.restartedInView) }
        if scenario.standbys.contains(host.index) { marks.reach(.newcomerVoted) }
        let isRecorded = host.journal.recorded.contains(vote)
        judge(vote.subject.epoch, at: host) { $0.sent(vote, by: $1, isRecorded: isRecorded) }
    }

    private mutating func note(_ message: NodeMessage) {
        guard case .mempool(let message) = message else { return }
        switch message {
        case .batch(let batch, _): if batch.transactions.count > 1 { marks.reach(.batchOfSeveral) }
        case .bodyRequest: marks.reach(.bodyFetched)
        case .checkAlso: marks.reach(.chunkRescued)
        default: break
        }
    }

    private mutating func transmit(
        _ message: NodeMessage, from: Int, to: Int, _ bytes: @autoclosure () -> [UInt8]
    ) {
        let faults = scenario.faults
        var delay = random.number(in: faults.latency)
        let message = copy(message, bytes())
        guard !isHealed else { return arrive(message, from, to, after: delay) }
        guard sides[from] == sides[to], !tape.fires(faults.loss) else { return }
        if tape.fires(faults.slow) { delay *= random.number(in: 2...50) }
        arrive(message, from, to, after: delay)
        guard tape.fires(faults.duplication) else { return }
        arrive(message, from, to, after: delay + random.number(in: 0...500))
    }

    private mutating func arrive(_ message: NodeMessage, _ from: Int, _ to: Int, after: UInt64) {
        schedule(.deliver(from: from, to: to, life: hosts[to].life, message), after: after)
    }

    /// What travels is bytes: tasks always, the rest now and then, are what the receiver's decoder
    /// makes of them. (Only a decoded task has the hashes that prove it.)
    private mutating func copy(
        _ message: NodeMessage, _ encoded: @autoclosure () -> [UInt8]
    ) -> NodeMessage {
        var isTask = false
        if case .mempool(.task) = message { isTask = true }
        guard isTask || random.chance(30) else { return message }
        let bytes = encoded()
        guard let copy = try? NodeMessage(bcs: bytes), copy.bcsBytes == bytes else {
            oracle.fail("a message that can't be decoded: \(message)")
            return message
        }
        return copy
    }

    mutating func deliver(_ message: NodeMessage, from: Int, to: Int, life: Int) {
        let host = hosts[to]
        guard host.life == life, host.isUp else { return }
        if case .consensus(.recoveryAnswer(let answer)) = message {
            host.heard[answer.epoch, default: []].insert(hosts[from].peerID)
        }
        guard !host.isHonest else { return put(.received(hosts[from].peerID, message), to: host) }
        guard var context = context(of: host) else { return }
        var heard: NodeMessage? = message
        for place in host.actors.indices {
            heard = heard.flatMap { host.actors[place].hear($0, &context) }
        }
        actorContexts[to] = context
        if let heard { put(.received(hosts[from].peerID, heard), to: host) }
    }
}
