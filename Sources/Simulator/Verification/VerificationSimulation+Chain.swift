internal import Mempool
internal import NodeCore
internal import Primitives

// How blocks come about, and how nodes follow them.
extension VerificationSimulation {
    /// The next view's leader proposes, if it can, and the block is final if Q of the weight takes
    /// it. Liars take everything.
    mutating func propose() {
        view += 1
        schedule(.propose, after: scenario.faults.blockInterval)
        let leader = Int(committee.leader(of: View(view)).rawValue)
        let node = nodes[leader]
        guard let engine = node.engine, node.height == chain.height,
            let height = chain.height.next,
            height <= node.executed.clampedAdvance(by: VerificationSimulation.lag)
        else { return }
        var payload = honestPayload(of: engine, at: height)
        if node.isLiar { payload = lyingPayload(payload, by: leader) }
        guard let arrived = try? BlockPayload(decoding: payload.bytes) else {
            return oracle.expect(node.isLiar, "honest \(leader) proposes what can't be decoded")
        }
        decide(arrived, at: height, leader: leader)
    }

    private func honestPayload(of engine: MempoolEngine, at height: Height) -> BlockPayload {
        var table = engine.table
        let complaints = engine.passable(after: table, at: height)
        for complaint in complaints { try? table.passOver(complaint.lane) }
        return BlockPayload(
            engine.includable(after: table, at: height), direct: engine.direct,
            complaints: complaints)
    }

    /// What a liar puts into its block beside or in place of what belongs there.
    private mutating func lyingPayload(_ honest: BlockPayload, by leader: Int) -> BlockPayload {
        let forged = ring.random.element(of: ring.forged).map { [$0] } ?? []
        switch ring.random.next() % 6 {
        case 0: return BlockPayload(honest.certificates + forged, direct: honest.direct)
        case 1: return BlockPayload(forged, direct: honest.direct, complaints: honest.complaints)
        case 2: return BlockPayload(honest.certificates, direct: [ring.makeJunk()])
        case 3: return BlockPayload(honest.certificates, complaints: liarsComplaints())
        case 4: return BlockPayload([])
        default: return honest
        }
    }

    /// Complaints of all liars against one owner.
    private mutating func liarsComplaints() -> [ComplaintCertificate] {
        let shard = UInt16(ring.random.next() % UInt64(ring.layout.shardCount))
        let term = ring.layout.term(of: shard, after: chain.height)
        let rank = chain.table.rank(of: Tenure(shard: shard, term: term))
        let lane = Lane(shard: shard, term: term, rank: rank)
        let complaints = ring.memberList.filter { $0 < scenario.weights.count }.map { liar in
            Complaint(
                lane, at: chain.height, of: committee, signer: ValidatorIndex(UInt16(liar)),
                key: ring.key(liar))
        }
        return complaints.isEmpty ? [] : [ComplaintCertificate(lane: lane, complaints: complaints)]
    }

    private mutating func decide(_ payload: BlockPayload, at height: Height, leader: Int) {
        var weight: UInt64 = 0
        var after: LaneTable?
        for validator in scenario.weights.indices {
            guard !nodes[validator].isLiar else {
                weight += scenario.weights[validator]
                continue
            }
            guard let table = vote(payload, at: height, by: validator) else { continue }
            weight += scenario.weights[validator]
            oracle.expect(after == nil || after == table, "voters disagree about \(height)")
            after = table
        }
        guard weight >= committee.quorum, let after else {
            note(5, height.rawValue, weight, line: "block \(height) of \(leader) fails")
            return
        }
        checkComplaints(payload, at: height)
        note(4, height.rawValue, UInt64(payload.transactionCount), line: "block \(height)")
        chain.append(payload, after, at: moment.wall)
        for node in nodes.indices {
            let slow = !isHealed && random.chance(scenario.faults.slow) ? 20 : UInt64(1)
            let delay = random.number(in: scenario.faults.latency) * slow
            schedule(.chain(node), after: node == leader ? 0 : delay)
        }
    }

    /// No owner is passed over without an honest complaint.
    private mutating func checkComplaints(_ payload: BlockPayload, at height: Height) {
        for certificate in payload.complaints {
            let honest = certificate.complaints.contains { isHonest(Int($0.signer.rawValue)) }
            oracle.expect(honest, "liars alone pass over \(certificate.lane) at \(height)")
            let owner = ring.layout.owner(of: certificate.lane).map { Int($0.rawValue) } ?? 0
            oracle.expect(
                !scenario.faults.isNone || !isHonest(owner),
                "honest \(owner) is passed over in a sound network at \(height)")
            report.firstPassedOverAt = report.firstPassedOverAt ?? now
        }
    }

    /// The lanes after a block that this validator would vote for.
    private mutating func vote(
        _ payload: BlockPayload, at height: Height, by number: Int
    ) -> LaneTable? {
        guard nodes[number].height == chain.height, let layout = nodes[number].engine?.layout,
            let table = SimulatedChain.table(
                after: nodes[number].engine?.table ?? LaneTable(), including: payload, at: height,
                in: layout)
        else { return nil }
        for complaint in payload.complaints where runner.check(complaint, in: layout) == nil {
            return nil
        }
        for transaction in payload.direct where runner.check(transaction, in: ()) == nil {
            return nil
        }
        for certificate in payload.certificates {
            guard let verified = runner.check(certificate, in: layout) else { return nil }
            check(certificate, by: number)
            nodes[number].engine?.learn(verified, at: moment.now)
        }
        return table
    }

    // MARK: Following

    mutating func followChain(_ number: Int) {
        let node = nodes[number]
        guard node.isUp, node.height < chain.height else { return }
        while node.height < chain.height {
            let payload = chain.blocks[Int(node.height.rawValue)].payload
            node.height = node.height.next ?? node.height
            feed(
                number,
                .included(
                    node.height, payload.certificates,
                    passedOver: payload.complaints.map(\.lane)))
            execute(number)
        }
        guard let engine = node.engine else { return }
        oracle.expect(
            engine.table == chain.tables[Int(node.height.rawValue)],
            "the lanes of node \(number) at \(node.height) aren't the chain's")
        oracle.bounded(
            engine.figures, shards: engine.layout.shardCount, validators: committee.count,
            node: number)
        ring.height = chain.height
        ring.table = chain.table
    }

    /// Executes what is final as far as the bodies are here.
    mutating func execute(_ number: Int) {
        let node = nodes[number]
        while node.isUp, node.executed < node.height {
            let payload = chain.blocks[Int(node.executed.rawValue)].payload
            let found = payload.certificates.map { ($0, node.batch($0.digest)) }
            let missing = found.filter { $0.1 == nil }.map(\.0)
            guard missing.isEmpty else {
                return feed(number, .bodiesWanted(missing, of: committee))
            }
            finishExecution(payload, found.compactMap(\.1), of: node)
        }
    }

    private mutating func finishExecution(
        _ payload: BlockPayload, _ batches: [Batch], of node: VerificationNode
    ) {
        let place = Int(node.executed.rawValue)
        if place == chain.outcomes.count { makeOutcome(payload, batches) }
        let outcome = chain.outcomes[place]
        node.executed = node.executed.next ?? node.executed
        node.accounts = outcome.accounts
        for batch in batches { node.engine?.releaseBody(batch.digest) }
        feed(
            node.number,
            .advanced(node.executed, verifierSets: sets.known(at: node.executed)),
            .executed(chain.blocks[place].time, outcome.executed))
    }

    /// Executes a block for the first time: from its certificates alone.
    private mutating func makeOutcome(_ payload: BlockPayload, _ batches: [Batch]) {
        var accounts = chain.accounts
        var transactions = payload.direct
        for (certificate, batch) in zip(payload.certificates, batches) {
            let invalid = Set(certificate.invalid)
            transactions += batch.transactions.indices
                .filter { !invalid.contains(UInt32($0)) }.map { batch.transactions[$0] }
        }
        let executed = transactions.map { transaction in
            let isSigned = runner.check(transaction, in: ()) != nil
            let skipped = accounts.execute(transaction)
            oracle.executed(transaction, isSigned: isSigned, skipped: skipped)
            return ExecutedTransaction(transaction, skipped: skipped)
        }
        chain.append(SimulatedChain.Outcome(executed: executed, accounts: accounts))
        let height = Height(UInt64(chain.outcomes.count))
        ring.layout.setVerifierSets(sets.known(at: height))
        ring.layout.keepRankings(at: height)
        ring.victimNext = accounts.sequence(of: ring.victim)
        settleClients()
    }
}
