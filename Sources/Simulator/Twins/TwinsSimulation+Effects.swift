@_spi(Simulation) internal import Consensus
@_spi(Simulation) internal import Primitives

// How events reach the engines, and what their effects do.
extension TwinsSimulation {
    mutating func start(_ engine: Int) {
        engines[engine].start(at: now)
        feed(engine, .start)
    }

    mutating func open(_ parcel: TwinsParcel) {
        switch parcel {
        case .message(let from, let to, let message): deliver(message, from: from, to: to)
        case .answer(let engine, let incarnation, let event):
            guard engines[engine].incarnation == incarnation else { return }
            feed(engine, event)
        case .start(let engine): start(engine)
        }
    }

    private mutating func deliver(_ message: ConsensusMessage, from: Int, to: Int) {
        let node = engines[to]
        guard node.isUp else { return }
        if case .syncRequest(let request) = message {
            guard let response = node.disk.answer(request) else { return }
            return post(.syncResponse(response), from: to, to: from)
        }
        let peer = engines[from].peerID
        guard node.engine.wants(message, from: peer),
            SimulatedSigner.holds(message.signatureClaims(in: node.engine.context))
        else { return }
        feed(to, .message(from: peer, Verified.simulated(message)))
    }

    mutating func feed(_ engine: Int, _ event: ConsensusEvent) {
        let node = engines[engine]
        let before = node.engine.view
        let effects = node.engine.handle(event, at: node.moment(at: now))
        node.engine.checkInvariants()
        for effect in effects {
            carryOut(effect, of: engine)
            if !node.isUp { return }
        }
        guard node.engine.view != before else { return }
        let view = node.engine.view
        oracle.expect(view > before, "engine \(engine) went back to \(view)")
        trace.note(now, (2, UInt64(engine), view.rawValue)) { "engine \(engine): view \(view)" }
        guard !isTwin(engine) else { return }
        oracle.entered(view, by: node.index)
        advanced(to: view)
    }

    private mutating func carryOut(_ effect: ConsensusEffect, of engine: Int) {
        let node = engines[engine]
        switch effect {
        case .persist(let records, let sync): persist(records, sync, of: engine)
        case .broadcast(let message):
            observe(message, from: engine)
            for to in engines.indices where to != engine { post(message, from: engine, to: to) }
        case .send(let peer, let message):
            observe(message, from: engine)
            for to in engines.indices where engines[to].peerID == peer && to != engine {
                post(message, from: engine, to: to)
            }
        case .serveBlock(let peer, let digest):
            guard let block = node.disk.block(digest) else { return }
            for to in engines.indices where engines[to].peerID == peer && to != engine {
                post(.block(block), from: engine, to: to)
            }
        case .setTimer(let id, let deadline): node.timers[id] = deadline
        case .cancelTimer(let id): node.timers[id] = nil
        case .build(let view, let context, _):
            // The engines of a pair order different things.
            let contents = BlockContents(
                payload: [0, UInt8(truncatingIfNeeded: engine)],
                executed: context.finalized.executed, time: node.moment(at: now).wall)
            answer(.blockBuilt(view, contents), of: engine)
        case .check(let block, _): answer(.blockChecked(block.digest, valid: true), of: engine)
        case .commit(let blocks, let certificate): commit(blocks, certificate, by: engine)
        case .commitLast: oracle.fail("engine \(engine) ends an epoch that has no end")
        case .evidence(let evidence):
            report.evidence += 1
            oracle.observe(evidence)
        case .penalise(let peer, let reason):
            oracle.fail("engine \(engine) penalises \(peer) for \(reason): nobody breaks a rule")
        case .halt(let reason): oracle.fail("engine \(engine) halts: \(reason)")
        case .compact(let records): node.disk.compact(to: records)
        }
    }

    private mutating func answer(_ event: ConsensusEvent, of engine: Int) {
        mail.post(.answer(engine, incarnation: engines[engine].incarnation, event))
    }

    private mutating func persist(_ records: [JournalRecord], _ sync: Bool, of engine: Int) {
        let node = engines[engine]
        node.disk.append(records, sync: sync)
        for record in records {
            switch record {
            case .block(let block): oracle.register(block)
            default: if !isTwin(engine) { oracle.recorded(record, by: node.index) }
            }
        }
        for case .vote(let vote) in records { stopIfDue(engine, in: vote.view) }
    }

    /// The vote is on disk and hasn't left.
    private mutating func stopIfDue(_ engine: Int, in view: View) {
        let restart = TwinsScenario.Restart(engine: engine, view: view.rawValue)
        guard restarts.remove(restart) != nil else { return }
        report.restarts += 1
        trace.note(now, (3, UInt64(engine), view.rawValue)) { "engine \(engine) restarts" }
        engines[engine].crash(&random)
        mail.post(.start(engine))
    }

    /// Whatever leaves an honest engine binds its key.
    private mutating func observe(_ message: ConsensusMessage, from engine: Int) {
        if case .proposal(let proposal) = message { oracle.register(proposal.block) }
        guard !isTwin(engine) else { return }
        let node = engines[engine]
        switch message {
        case .vote(let vote):
            oracle.sent(vote, by: node.index, isRecorded: node.disk.recorded.contains(vote))
        case .proposal(let proposal):
            let vote = proposal.vote
            oracle.sent(vote, by: node.index, isRecorded: node.disk.recorded.contains(vote))
        case .certificate(let certificate): oracle.sent(certificate, by: node.index)
        default: break
        }
    }

    private mutating func commit(
        _ blocks: [Block], _ certificate: Certificate, by engine: Int
    ) {
        let node = engines[engine]
        oracle.commits(blocks, certificate, by: node.index)
        for block in node.disk.commit(blocks, certificate) {
            oracle.committed(block, by: node.index)
            trace.note(now, (4, UInt64(engine), block.digest.bytes32.leadingWord)) {
                "engine \(engine) commits \(block.height) (\(block.ref))"
            }
        }
    }

    private mutating func post(_ message: ConsensusMessage, from: Int, to: Int) {
        guard isOpen(from, to, message.place ?? engines[from].engine.view) else { return }
        mail.post(.message(from: from, to: to, message))
    }
}

extension ConsensusMessage {
    /// The view that a message is about; nil for those that are only about their sender.
    fileprivate var place: View? {
        switch self {
        case .proposal(let proposal): proposal.view
        case .vote(let vote): vote.view
        case .certificate(let certificate): certificate.view
        case .block(let block): block.view
        case .status, .certificateRequest, .blockRequest, .syncRequest, .syncResponse,
            .recoveryRequest, .recoveryAnswer:
            nil
        }
    }
}
