internal import Mempool
internal import NodeCore
internal import Primitives

// How events reach the engines, and what their effects do.
extension VerificationSimulation {
    mutating func start(_ number: Int) {
        let node = nodes[number]
        guard !node.isUp else { return }
        do throws(StorageFault) {
            let layout = ShardLayout(
                committee: committee, settings: scenario.settings,
                verifierSets: sets.known(at: node.executed))
            node.life += 1
            node.accounts = chain.accounts(after: node.executed)
            node.engine = MempoolEngine(
                layout: layout, ownIndex: node.ownIndex, signer: node.key,
                table: chain.tables[Int(node.height.rawValue)], height: node.height,
                recovered: try node.acks())
        } catch {
            return oracle.fail("node \(number) can't start: \(error)")
        }
        note(1, UInt64(number), line: "node \(number) starts")
        feed(number, .advanced(node.executed, verifierSets: sets.known(at: node.executed)))
        feed(number, .start)
        for other in nodes.indices where other != number && nodes[other].isUp {
            connect(number, other)
        }
        feed(number, .connected(outsider))
        execute(number)
        schedule(.tick(number, life: node.life), after: random.number(in: 1...MempoolTimes.tick))
        schedule(.chain(number), after: random.number(in: 1...100))
    }

    private mutating func connect(_ one: Int, _ other: Int) {
        guard !brokenLinks.contains([min(one, other), max(one, other)]) else { return }
        feed(one, .connected(peer(other)))
        feed(other, .connected(peer(one)))
    }

    mutating func crash(_ number: Int) {
        guard nodes[number].isUp else { return }
        note(3, UInt64(number), line: "node \(number) ends")
        nodes[number].stop(losingPower: random.chance(500))
        for other in nodes.indices where nodes[other].isUp {
            feed(other, .disconnected(peer(number)))
        }
        schedule(.start(number), after: random.number(in: 50...2_500))
    }

    mutating func tick(_ number: Int, life: Int) {
        guard nodes[number].isUp, nodes[number].life == life else { return }
        feed(number, .tick)
        schedule(.tick(number, life: life), after: MempoolTimes.tick)
    }

    mutating func deliver(_ message: MempoolMessage, from: Int, to: Int) {
        let node = nodes[to]
        guard node.isUp, !brokenLinks.contains([min(from, to), max(from, to)]) else { return }
        note(
            2, UInt64(from) << 8 | UInt64(to), message.traceWord, line: "\(from) → \(to) \(message)"
        )
        var message = message
        if node.isLiar { ring.learn(message) }
        for trick in node.misbehaviours {
            guard let heard = trick.hear(message, from: from, by: to, &ring) else { return }
            message = heard
        }
        if case .bodyRequest(let digests) = message { return serve(digests, by: to, to: from) }
        feed(to, .received(peer(from), message))
    }

    private mutating func serve(_ digests: [Digest], by number: Int, to asker: Int) {
        for digest in digests {
            let batch = nodes[number].batch(digest)
            transmit(batch.map { .body($0) } ?? .bodyMissing(digest), from: number, to: asker)
        }
    }

    /// Gives an engine events, lets it do what follows, and checks what must hold.
    mutating func feed(_ number: Int, _ events: MempoolEvent...) { feed(number, all: events) }

    mutating func feed(_ number: Int, all events: [MempoolEvent]) {
        let node = nodes[number]
        guard node.isUp else { return }
        do throws(StorageFault) {
            for event in events {
                try node.engine?.handle(event, at: moment, view: node.accounts)
            }
        } catch {
            return oracle.fail("node \(number): \(error)")
        }
        while let effects = node.engine?.flush(at: moment), !effects.isEmpty {
            for effect in effects { carryOut(effect, of: number) }
        }
    }

    private mutating func carryOut(_ effect: MempoolEffect, of number: Int) {
        switch effect {
        case .reply(_, let id, let outcome): answer(id, outcome)
        case .send(let peer, let message):
            if let to = node(peer) { send(message, from: number, to: to) }
        case .broadcast(let message):
            for to in nodes.indices where to != number { send(message, from: number, to: to) }
        case .multicast(let peers, let message):
            for to in peers.compactMap({ node($0) }) { send(message, from: number, to: to) }
        case .check(let id, let job, let isLent):
            let work = UInt64(job.signatureCount) / 16
            let event = VerificationEvent.checked(
                number, life: nodes[number].life, id, job, isLent: isLent)
            schedule(event, after: random.number(in: 0...(3 + work)))
        case .store(let writes): nodes[number].sync(writes)
        case .forget(let writes): nodes[number].write(writes)
        case .workAvailable, .gone: break
        case .bodyArrived: execute(number)
        case .penalise(let peer, let reason): penalise(peer, reason, by: number)
        case .evidence(let evidence): judge(evidence, by: number)
        }
    }

    private mutating func penalise(_ peer: PeerID, _ reason: String, by number: Int) {
        guard isHonest(number), let offender = node(peer) else { return }
        oracle.expect(
            !isHonest(offender), "honest \(offender) penalised by \(number): \(reason)")
    }

    private mutating func judge(_ evidence: Evidence, by number: Int) {
        guard let layout = nodes[number].engine?.layout else { return }
        judge(evidence, in: layout)
    }

    // MARK: Checks

    mutating func finish(
        _ id: CheckID, _ job: CheckJob, isLent: Bool, at number: Int, life: Int
    ) {
        let node = nodes[number]
        guard node.life == life, let layout = node.engine?.layout else { return }
        if isLent, wanted.contains(number) {
            report.declined += 1
            return feed(number, .checked(id, .declined))
        }
        var result = runner.run(job, in: layout)
        for trick in node.misbehaviours {
            result = trick.result(result, of: job, by: number, &ring)
        }
        if !node.isLiar, case .certificate(let found?) = result {
            check(found.value, by: number)
        }
        feed(number, .checked(id, result))
    }

    /// A certificate that an honest node took for valid is true of its batch.
    mutating func check(_ certificate: BatchCertificate, by number: Int) {
        guard let truth = truth(of: certificate.digest) else { return }
        oracle.accepted(certificate, truth: truth, by: number)
    }

    /// The indexes of a batch whose signatures don't hold, where anybody has its body.
    private mutating func truth(of digest: Digest) -> [UInt32]? {
        if let known = chain.truths[digest] { return known }
        let body = nodes.lazy.compactMap { $0.batch(digest) }.first
        guard let batch = body ?? ring.batches.first(where: { $0.digest == digest }) else {
            return nil
        }
        let truth = batch.transactions.indices
            .filter { runner.check(batch.transactions[$0], in: ()) == nil }.map { UInt32($0) }
        if batch.header.content.canaryCommitment != .zero { report.planted += 1 }
        chain.truths[digest] = truth
        return truth
    }

    // MARK: Network

    private mutating func send(_ message: MempoolMessage, from: Int, to: Int) {
        var messages = [message]
        for trick in nodes[from].misbehaviours {
            messages = messages.flatMap { trick.send($0, to: to, by: from, &ring) }
        }
        if nodes[from].isLiar { ring.learn(message) }
        for message in messages { transmit(message, from: from, to: to) }
    }

    /// What travels is bytes: some is decoded again, chunks always, since their proofs are made of
    /// what arrived.
    mutating func transmit(
        _ message: MempoolMessage, from: Int, to: Int, delay added: UInt64 = 0
    ) {
        guard to < nodes.count else { return }
        var message = message
        if message.mustTravelAsBytes || random.chance(30) {
            guard let copy = try? MempoolMessage(bcs: message.bcsBytes) else {
                if isHonest(from) { oracle.fail("node \(from) sends what can't be decoded") }
                return
            }
            message = copy
        }
        let faults = scenario.faults
        var delay = added + random.number(in: faults.latency)
        guard !isHealed, from != to else {
            return schedule(.deliver(from: from, to: to, message), after: delay)
        }
        guard !random.chance(faults.loss) else { return }
        if random.chance(faults.slow) { delay *= random.number(in: 2...50) }
        schedule(.deliver(from: from, to: to, message), after: delay)
        guard random.chance(faults.duplication) else { return }
        schedule(.deliver(from: from, to: to, message), after: delay + random.number(in: 0...500))
    }
}

extension MempoolMessage {
    fileprivate var mustTravelAsBytes: Bool {
        if case .task = self { true } else { false }
    }

    /// Tells messages apart in a trace.
    fileprivate var traceWord: UInt64 {
        switch self {
        case .forward(let list): UInt64(list.count)
        case .answers(let list): 1 << 32 | UInt64(list.count)
        case .batch(let batch, let wish):
            wish.chunks.reduce(batch.digest.bytes32.leadingWord) { word, chunk in
                chunk.reduce(word) { $0 &* 31 &+ UInt64($1.rawValue) }
            }
        case .ack(let ack): ack.entry.signature.r.leadingWord
        case .certificate(let certificate): certificate.fingerprint.bytes32.leadingWord
        case .bodyRequest(let digests): digests[0].bytes32.leadingWord
        case .body(let batch): batch.digest.bytes32.leadingWord
        case .bodyMissing(let digest): digest.bytes32.leadingWord
        case .task(let task): task.header.digest.bytes32.leadingWord ^ UInt64(task.mask)
        case .checkAlso(let digest, let chunks), .declined(let digest, let chunks):
            digest.bytes32.leadingWord ^ UInt64(chunks)
        case .appeal(let transaction): transaction.id.bytes32.leadingWord
        case .complaint(let complaint): complaint.signature.r.leadingWord
        }
    }
}
