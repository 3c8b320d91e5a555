@_spi(Simulation) internal import Consensus
@_spi(Simulation) internal import Primitives

// How events reach the engines, and what their effects do.
extension Simulation {
    mutating func carryOut(_ event: SimulatedEvent) {
        switch event {
        case .start(let index): start(index)
        case .deliver(let from, let to, let message): deliver(message, from: from, to: to)
        case .verified(let from, let to, let incarnation, let message):
            guard let peer = peer(from), nodes[to]?.incarnation == incarnation else { return }
            feed(to, .message(from: peer, message))
        case .timer(let index, let incarnation, let id, let deadline):
            guard let node = nodes[index], node.incarnation == incarnation,
                node.timers[id] == deadline
            else { return }
            node.timers[id] = nil
            feed(index, .timer(id))
        case .checked(let index, let incarnation, let digest, let valid):
            guard nodes[index]?.incarnation == incarnation else { return }
            feed(index, .blockChecked(digest, valid: valid))
        case .built(let index, let incarnation, let view, let contents):
            guard nodes[index]?.incarnation == incarnation else { return }
            feed(index, .blockBuilt(view, contents))
        case .work: bringWork()
        case .faults: rollFaults()
        case .liar: letLiarsAct()
        }
    }

    private func peer(_ index: Int) -> PeerID? { committee.validators[index].peerID }

    private mutating func start(_ index: Int) {
        guard let node = nodes[index], !node.isUp else { return }
        node.start(at: now)
        note(1, UInt64(index), line: "node \(index) starts")
        feed(index, .start)
    }

    private mutating func deliver(_ message: ConsensusMessage, from: Int, to: Int) {
        guard let node = nodes[to] else {
            if case .recoveryRequest(let request) = message {
                transmit(.recoveryAnswer(liar.answer(request)), from: to, to: from)
            }
            return liar.hear(message, from: from, as: to, now: now)
        }
        guard node.isUp, let peer = peer(from) else { return }
        if case .syncRequest(let request) = message { return serve(request, by: node, to: from) }
        guard node.engine.wants(message, from: peer),
            SimulatedSigner.holds(message.signatureClaims(in: node.engine.context))
        else { return }
        // Checks of signatures take their time, and the engine moves on meanwhile.
        let checked = Verified.simulated(message)
        guard random.chance(250) else { return feed(to, .message(from: peer, checked)) }
        let event = SimulatedEvent.verified(
            from: from, to: to, incarnation: node.incarnation, checked)
        schedule(event, after: random.number(in: 0...8))
    }

    private mutating func serve(_ request: SyncRequest, by node: SimulatedNode, to peer: Int) {
        guard let response = node.disk.answer(request) else { return }
        report.synced += response.blocks.count
        transmit(.syncResponse(response), from: node.index, to: peer)
    }

    /// One call of the engine: before the network heals it may die between two effects.
    mutating func feed(_ index: Int, _ event: ConsensusEvent) {
        guard let node = nodes[index], node.isUp else { return }
        let before = (node.engine.view, node.engine.finalizedHeight)
        let effects = node.engine.handle(event, at: node.moment(at: now))
        check(node, before: before)
        let dies = !isHealed && !effects.isEmpty && random.chance(scenario.faults.crash)
        let survived = dies ? Int(random.next() % UInt64(effects.count + 1)) : effects.count
        for effect in effects.prefix(survived) {
            carryOut(effect, of: node)
            if !node.isUp { return }
        }
        if dies { return crash(node) }
        if node.engine.view > before.0 { oracle.entered(node.engine.view, by: index) }
        noteRecovery(of: node)
    }

    private mutating func noteRecovery(of node: SimulatedNode) {
        guard node.recovers() else { return }
        report.recoveredKeys += 1
        note(6, UInt64(node.index), line: "node \(node.index) is as before its loss")
    }

    private mutating func check(_ node: SimulatedNode, before: (View, Height)) {
        node.engine.checkInvariants()
        let (view, height) = (node.engine.view, node.engine.finalizedHeight)
        oracle.expect(
            view >= before.0 && height >= before.1, "node \(node.index) went back to \(view)")
        note(
            2, UInt64(node.index), view.rawValue << 32 ^ height.rawValue,
            line: "node \(node.index): view \(view), height \(height)")
    }

    mutating func crash(_ node: SimulatedNode) {
        guard node.isUp else { return }
        note(3, UInt64(node.index), line: "node \(node.index) crashes")
        node.crash(&random)
        if mayLoseDisk(node), random.chance(scenario.faults.diskLoss) {
            report.lostDisks += 1
            note(7, UInt64(node.index), line: "node \(node.index) loses its disk")
            let newest = nodes.compactMap { $0?.engine.view }.max() ?? 0
            node.loseDisk(&random, owing: newest)
        }
        let pause = random.chance(150) ? 20_000 : random.number(in: 50...3_000)
        schedule(.start(node.index), after: pause)
    }

    /// Whether no more than F then lies or has forgotten.
    private func mayLoseDisk(_ node: SimulatedNode) -> Bool {
        let faulty = nodes.indices.filter { index in
            nodes[index]?.isAmnesiac ?? true || index == node.index
        }
        let weight = faulty.reduce(0) { $0 + committee.validators[$1].weight }
        return weight <= committee.faultyMax
    }

    // MARK: Effects

    private mutating func carryOut(_ effect: ConsensusEffect, of node: SimulatedNode) {
        switch effect {
        case .persist(let records, let sync):
            node.disk.append(records, sync: sync)
            for record in records { oracle.recorded(record, by: node.index) }
        case .broadcast(let message): broadcast(message, from: node)
        case .send(let peer, let message):
            guard let to = committee.index(of: peer) else { return }
            observe(message, from: node)
            transmit(message, from: node.index, to: Int(to.rawValue))
        case .serveBlock(let peer, let digest):
            guard let to = committee.index(of: peer), let block = node.disk.block(digest)
            else { return }
            transmit(.block(block), from: node.index, to: Int(to.rawValue))
        case .setTimer(let id, let deadline): setTimer(id, deadline, of: node)
        case .cancelTimer(let id): node.timers[id] = nil
        case .build(let view, let context, let mayBeEmpty):
            build(node, view, context, mayBeEmpty)
        case .check(let block, _):
            let delay = random.number(in: 0...(random.chance(20) ? 200 : 3))
            let valid = block.payload.first != Liar.invalidMark
            let event = SimulatedEvent.checked(
                node.index, incarnation: node.incarnation, block.digest, valid: valid)
            schedule(event, after: delay)
        case .commit(let blocks, let certificate): commit(blocks, certificate, by: node)
        case .commitLast: oracle.fail("node \(node.index) ends an epoch that has no end")
        case .evidence(let evidence):
            report.evidence += 1
            oracle.observe(evidence)
        case .penalise(let peer, let reason):
            let index = committee.index(of: peer).map { Int($0.rawValue) }
            oracle.expect(
                index.map(scenario.liars.contains) == true,
                "honest \(String(describing: index)) penalised: \(reason)")
        case .halt(let reason): oracle.fail("node \(node.index) halts: \(reason)")
        case .compact(let records): node.disk.compact(to: records)
        }
    }

    private mutating func setTimer(_ id: TimerID, _ deadline: Instant, of node: SimulatedNode) {
        node.timers[id] = deadline
        let delay = deadline.milliseconds - min(now, deadline.milliseconds)
        schedule(
            .timer(node.index, incarnation: node.incarnation, id, deadline), after: delay)
    }

    private mutating func build(
        _ node: SimulatedNode, _ view: View, _ context: ChainContext, _ mayBeEmpty: Bool
    ) {
        oracle.expect(
            context.parent.digest == (context.pending.last ?? context.finalized).digest,
            "a chain that doesn't end in the parent")
        guard mayBeEmpty || random.chance(800) else { return }
        let contents = BlockContents(
            payload: mayBeEmpty ? [] : [0, UInt8(truncatingIfNeeded: random.next())],
            executed: context.finalized.executed, time: node.moment(at: now).wall)
        let event = SimulatedEvent.built(
            node.index, incarnation: node.incarnation, view, contents)
        schedule(event, after: random.number(in: 0...4))
    }

    private mutating func commit(
        _ blocks: [Block], _ certificate: Certificate, by node: SimulatedNode
    ) {
        oracle.commits(blocks, certificate, by: node.index)
        for block in node.disk.commit(blocks, certificate) {
            oracle.committed(block, by: node.index)
            note(
                4, UInt64(node.index), block.digest.bytes32.leadingWord,
                line: "node \(node.index) commits \(block.height) (\(block.ref))")
        }
    }

    // MARK: Network

    private mutating func broadcast(_ message: ConsensusMessage, from node: SimulatedNode) {
        observe(message, from: node)
        for to in nodes.indices where to != node.index {
            transmit(message, from: node.index, to: to)
        }
    }

    /// Whatever leaves an honest node binds its key.
    private mutating func observe(_ message: ConsensusMessage, from node: SimulatedNode) {
        switch message {
        case .vote(let vote):
            if vote.kind == .nullify { report.nullifications += 1 }
            oracle.sent(vote, by: node.index, isRecorded: node.disk.recorded.contains(vote))
        case .proposal(let proposal):
            oracle.register(proposal.block)
            let vote = proposal.vote
            oracle.sent(vote, by: node.index, isRecorded: node.disk.recorded.contains(vote))
        case .certificate(let certificate): oracle.sent(certificate, by: node.index)
        default: break
        }
    }

    mutating func transmit(_ message: ConsensusMessage, from: Int, to: Int) {
        let faults = scenario.faults
        var delay = random.number(in: faults.latency)
        guard !isHealed else {
            return schedule(.deliver(from: from, to: to, message), after: delay)
        }
        guard sides[from] == sides[to], !random.chance(faults.loss) else { return }
        if random.chance(faults.slow) { delay *= random.number(in: 2...50) }
        schedule(.deliver(from: from, to: to, message), after: delay)
        guard random.chance(faults.duplication) else { return }
        schedule(.deliver(from: from, to: to, message), after: delay + random.number(in: 0...500))
    }
}
