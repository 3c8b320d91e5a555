internal import Mempool
internal import Primitives

// Accidents, and what liars do of their own accord.
extension VerificationSimulation {
    mutating func rollFaults() {
        guard !isHealed else { return }
        for number in nodes.indices where random.chance(scenario.faults.crash) { crash(number) }
        if random.chance(scenario.faults.slow * 5) { breakLink() }
        schedule(.faults, after: 1_000)
    }

    private mutating func breakLink() {
        let one = Int(random.next() % UInt64(nodes.count))
        let other = Int(random.next() % UInt64(nodes.count))
        guard one != other else { return }
        let link = [min(one, other), max(one, other)]
        guard brokenLinks.insert(link).inserted else { return }
        feed(one, .disconnected(peer(other)))
        feed(other, .disconnected(peer(one)))
        schedule(.relink(link), after: random.number(in: 100...2_000))
    }

    mutating func relink(_ link: [Int]) {
        guard brokenLinks.remove(link) != nil, nodes[link[0]].isUp, nodes[link[1]].isUp else {
            return
        }
        feed(link[0], .connected(peer(link[1])))
        feed(link[1], .connected(peer(link[0])))
    }

    /// What verifiers say that they can do, to all owners; machines are wanted now and then.
    mutating func tellCapacities() {
        for number in nodes.indices {
            var said = Capacity(
                signaturesPerSecond: 15_000, free: 10_000, forecast: 10_000, queueMilliseconds: 5)
            if number >= scenario.weights.count, random.chance(200), !scenario.faults.isNone {
                if wanted.remove(number) == nil { wanted.insert(number) }
            }
            if wanted.contains(number) { (said.free, said.forecast) = (0, 0) }
            for trick in nodes[number].misbehaviours {
                if let lie = trick.hint(&ring) { said = lie }
            }
            if number >= scenario.weights.count { feed(number, .ownCapacity(said)) }
            for other in scenario.weights.indices where other != number {
                feed(other, .peerCapacity(peer(number), said))
            }
        }
        schedule(.capacities, after: 500)
    }

    mutating func letLiarsAct() {
        if let liar = random.element(of: ring.memberList) {
            for trick in nodes[liar].misbehaviours { trick.act(by: liar, &ring) }
            AttestsUnbonded.act(by: nodes.count, &ring)
            frame()
        }
        for sent in ring.outbox {
            transmit(sent.message, from: sent.from, to: sent.to, delay: sent.delay)
        }
        ring.outbox = []
        schedule(.liars, after: random.number(in: 20...80))
    }

    /// Liars try to prove something against somebody, with what they heard.
    private mutating func frame() {
        guard random.chance(100), let batch = ring.random.element(of: ring.batches),
            let first = ring.random.element(of: ring.acks[batch.digest] ?? []),
            let second = ring.random.element(of: ring.acks[batch.digest] ?? []),
            let other = ring.random.element(of: ring.batches)
        else { return }
        let index = Int(random.next() % UInt64(batch.transactions.count))
        let path = batch.tree.path(ofChunk: index, size: 1)
        let mixed = AckEntry(
            signer: first.signer, stored: second.stored, chunks: second.chunks,
            verdicts: second.verdicts, signature: first.signature)
        let attempts: [Evidence] = [
            .wrongVerdict(
                Ack(header: batch.header, entry: first), index: UInt32(index),
                batch.transactions[index], path: path),
            .wrongVerdict(
                Ack(header: batch.header, entry: first), index: UInt32(index),
                ring.makeJunk(), path: path),
            .conflictingAcks(batch.header, first, second),
            .conflictingAcks(batch.header, first, mixed),
            .equivocatingOwner(batch.header, other.header),
        ]
        for evidence in attempts { judge(evidence, in: ring.layout) }
    }

    mutating func judge(_ evidence: Evidence, in layout: ShardLayout) {
        let nodes = nodes
        oracle.evidence(
            evidence, in: layout,
            offender: { key in nodes.firstIndex { $0.key.publicKey == key } },
            isHonest: { !nodes[$0].isLiar })
    }
}
