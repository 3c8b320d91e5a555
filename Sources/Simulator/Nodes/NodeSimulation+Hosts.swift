internal import Consensus
internal import Execution
internal import Mempool
internal import NodeCore
internal import Primitives

// How events reach the cores, and what their effects do.
extension NodeSimulation {
    mutating func start(_ host: SimulatedHost) {
        guard !host.isUp else { return }
        do throws(StorageFault) {
            try host.start(at: now)
        } catch {
            return repair(host, error)
        }
        trace.note(now, 1, host.index, host.isAmnesiac ? 1 : 0)
        trace.show(now, host.index, host.isAmnesiac ? "STARTS, no record" : "STARTS")
        feed(host, [.start] + firstEvents(of: host))
        for other in hosts where other.index != host.index && other.isUp {
            connect(host, other)
        }
    }

    private func firstEvents(of host: SimulatedHost) -> [NodeEvent] {
        [.ownCapacity(Capacity(signaturesPerSecond: 20_000, free: 10_000, forecast: 10_000))]
    }

    private mutating func connect(_ host: SimulatedHost, _ other: SimulatedHost) {
        for (one, two) in [(host, other), (other, host)] {
            put(.connected(two.peerID), to: one)
            let free = UInt32(random.number(in: 0...20_000))
            let capacity = Capacity(signaturesPerSecond: 20_000, free: free, forecast: free)
            put(.peerCapacity(two.peerID, capacity), to: one)
        }
    }

    /// Data that can't be read any more is fetched anew from others.
    private mutating func repair(_ host: SimulatedHost, _ fault: StorageFault) {
        oracle.expect(host.wasDamaged, "node \(host.index) finds damage that nobody did: \(fault)")
        marks.reach(.rotFound)
        trace.show(now, host.index, "DISK DAMAGED")
        host.replaceStore(owing: hosts.map(\.place).max() ?? host.place)
        disconnect(host)
        let pause = random.number(in: NodeSimulation.repairMilliseconds)
        repairedAt = now + pause
        schedule(.start(host.index), after: pause)
    }

    mutating func disconnect(_ host: SimulatedHost) {
        for other in hosts where other.index != host.index && other.isUp {
            put(.disconnected(host.peerID), to: other)
        }
        for (request, question) in questions where question.host == host.index {
            _ = close(request)
            if isCurrent(question) {
                users[question.user].attempts[question.attempt].isUncertain = true
            }
        }
    }

    // MARK: Feeding

    /// Lets an event wait until the core takes it.
    mutating func put(_ event: NodeEvent, to host: SimulatedHost) {
        guard host.isUp else { return }
        host.inbox.append(event)
        guard !host.isAwake else { return }
        host.isAwake = true
        let pause = random.number(in: 0...scenario.faults.busy)
        let frozen = host.frozenUntil > now ? host.frozenUntil - now : 0
        schedule(.wake(host.index, life: host.life), after: max(pause, frozen))
    }

    mutating func wake(_ host: SimulatedHost, life: Int) {
        guard host.life == life else { return }
        if host.frozenUntil > now {
            return schedule(.wake(host.index, life: life), after: host.frozenUntil - now)
        }
        host.isAwake = false
        let events = host.inbox
        host.inbox = []
        feed(host, events)
    }

    mutating func fire(
        _ timer: NodeTimer, _ deadline: Instant, of host: SimulatedHost, life: Int
    ) {
        guard host.life == life, host.timers[timer] == deadline else { return }
        host.timers[timer] = nil
        put(.timer(timer), to: host)
    }

    /// One call of a core. While things break it may die between two effects.
    private mutating func feed(_ host: SimulatedHost, _ events: [NodeEvent]) {
        guard host.isUp, !events.isEmpty else { return }
        let effects: [NodeEffect]
        do throws(StorageFault) {
            effects = try host.core?.value.handle(events, at: host.clock.moment(at: now)) ?? []
        } catch {
            return repair(host, error)
        }
        didFeed = true
        inspect(host)
        let dies =
            !isHealed && host.isHonest && !effects.isEmpty
            && tape.fires(scenario.faults.crash, in: 100_000)
        let survived = dies ? Int(random.next() % UInt64(effects.count + 1)) : effects.count
        for effect in effects.prefix(survived) {
            if crashes != nil, meetsCrash(in: effect, of: host) { return }
            carryOut(effect, of: host)
            if !host.isUp { return }
        }
        if dies { return crash(host) }
        if crashes != nil, meetsCrash(in: nil, of: host) { return }
        host.store.flush()
    }

    /// Looks at a core after each call: views and heights rise, blocks become final once.
    private mutating func inspect(_ host: SimulatedHost) {
        guard host.isHonest, let core = host.core else { return }
        // O(views that aren't final), so not at each call.
        if report.events.isMultiple(of: 8) { core.value.consensus.checkInvariants() }
        let consensus = core.value.consensus
        let place = EpochView(epoch: consensus.epoch, view: consensus.view)
        let height = consensus.finalizedHeight
        oracle.expect(
            place >= host.place && height >= host.finalizedHeight,
            "node \(host.index) went back to view \(place), height \(height)")
        if place.epoch > host.place.epoch, host.place.view > 0 { marks.reach(.epochEntered) }
        host.place = place
        host.finalizedHeight = height
        checkPace(of: host, EpochView(epoch: consensus.epoch, view: consensus.finalizedView))
        if host.recovers() { noteRecovery(of: host) }
        if core.value.ledger.height < height { marks.reach(.executionBehind) }
    }

    /// Bounds: views that bring nothing take the time of a message at least, and soon far longer.
    /// Twice as many, for leaders that lie may give theirs up at once.
    private mutating func checkPace(of host: SimulatedHost, _ finalized: EpochView) {
        if finalized > newestFinal.place { newestFinal = (finalized, now) }
        guard host.place.epoch == newestFinal.place.epoch else { return }
        let (view, final) = (host.place.view.rawValue, newestFinal.place.view.rawValue)
        let since = view - min(view, final)
        let time = 2 * (now - newestFinal.at) / scenario.rules.deltaBase
        oracle.expect(
            since <= 100 + time,
            "\(since) views without a final block in \(now - newestFinal.at) ms")
    }

    private mutating func noteRecovery(of host: SimulatedHost) {
        guard scenario.weight(of: host.index) > 0 else { return }
        faultyWeightLeft += scenario.weight(of: host.index)
        marks.reach(.voteRegained)
        trace.note(now, 10, host.index, host.place.view.rawValue)
        trace.show(now, host.index, "IS WHOLE AGAIN")
    }

    mutating func crash(_ host: SimulatedHost) {
        guard host.isUp else { return }
        let losesPower = tape.fires(scenario.faults.powerLoss)
        let lost = host.crash(losesPower: losesPower, &random)
        if lost.journal { marks.reach(.journalTailLost) }
        if lost.store { marks.reach(.storeTailLost) }
        trace.note(now, 2, host.index, losesPower ? 1 : 0)
        trace.show(now, host.index, losesPower ? "LOSES POWER" : "IS KILLED")
        disconnect(host)
        let pause = random.chance(150) ? 20_000 : random.number(in: 50...3_000)
        schedule(.start(host.index), after: pause)
    }

    // MARK: Effects

    mutating func carryOut(_ effect: NodeEffect, of host: SimulatedHost) {
        switch effect {
        case .write(let writes):
            guard !failsOnDisk(host) else { return }
            checks.note(writes, by: host, history, &oracle, &marks)
            host.store.apply(writes)
        case .sync:
            guard !failsOnDisk(host, isSync: true) else { return }
            host.store.sync()
        case .journal(let records, let sync):
            host.journal.append(records)
            guard sync, !failsOnDisk(host, isSync: true) else { return }
            if scenario.planted != .journalUnsynced { host.journal.sync() }
            guard scenario.liars[host.index] == nil else { return }
            for record in records {
                guard let epoch = record.epoch else { continue }
                judge(epoch, at: host) { $0.recorded(record, by: $1) }
                if case .vote = record { checkEntry(epoch, of: host) }
            }
        case .compactJournal(let records):
            host.store.sync()
            host.journal.compact(to: records)
        case .send(let peer, let message):
            if let to = self.host(peer) { send(message, from: host, to: [to]) }
        case .broadcast(let message):
            send(message, from: host, to: hosts.indices.filter { $0 != host.index })
        case .multicast(let peers, let message):
            send(message, from: host, to: peers.compactMap { self.host($0) })
        case .check(let job, let priority): check(job, priority, by: host)
        case .setTimer(let timer, let at): setTimer(timer, at, of: host)
        case .cancelTimer(let timer): host.timers[timer] = nil
        case .reply(let request, let reply): take(reply, to: request.rawValue, from: host)
        case .penalise(let peer, let reason): penalise(peer, reason, by: host)
        case .note(let note): take(note, of: host)
        case .halt(let reason):
            if host.isHonest { oracle.fail("node \(host.index) halts: \(reason)") }
        }
    }

    private func host(_ peer: PeerID) -> Int? {
        hosts.firstIndex { $0.peerID == peer }
    }

    /// Whether the disk refuses, which ends the process: nothing is acted upon that isn't kept.
    private mutating func failsOnDisk(_ host: SimulatedHost, isSync: Bool = false) -> Bool {
        guard !isHealed, host.isHonest, tape.fires(scenario.faults.disk, in: 100_000) else {
            return false
        }
        marks.reach(.diskFailed)
        if isSync, scenario.planted == .syncErrorIgnored { return true }
        trace.show(now, host.index, "DISK FAILS")
        crash(host)
        return true
    }

    private mutating func setTimer(_ timer: NodeTimer, _ at: Instant, of host: SimulatedHost) {
        host.timers[timer] = at
        let delay = host.clock.delay(until: at, at: now)
        schedule(.timer(host.index, life: host.life, timer, at), after: delay)
    }

    private mutating func check(
        _ job: NodeCheckJob, _ priority: JobPriority, by host: SimulatedHost
    ) {
        guard let layout = host.core?.value.layout else { return }
        let result: NodeCheckResult
        if priority == .lent, let declined = job.declined, random.chance(100) {
            marks.reach(.checkDeclined)
            result = declined
        } else {
            if priority == .lent || host.role == .verifier { marks.reach(.checkByVerifier) }
            result = SimulatedCheck.run(job, in: layout)
        }
        let delay = random.chance(20) ? random.number(in: 0...200) : random.number(in: 0...5)
        schedule(.hand(host.index, life: host.life, .checked(result)), after: delay)
    }

    private mutating func penalise(_ peer: PeerID, _ reason: String, by host: SimulatedHost) {
        guard let index = self.host(peer), host.isHonest else { return }
        trace.show(now, host.index, "blames \(index)")
        oracle.expect(
            !hosts[index].isHonest || NodeOracle.mayHitHonest(reason),
            "node \(host.index) penalised honest \(index): \(reason)")
    }

    private mutating func take(_ note: Note, of host: SimulatedHost) {
        switch note {
        case .applied(let height, let transactions, _, let root):
            trace.note(now, 3, host.index, root.bytes32.leadingWord)
            if transactions > 0 || trace.keepsLines {
                trace.show(now, host.index, "h\(height) ×\(transactions)")
            }
            checks.applied(height, root, by: host, &oracle)
        case .misbehaviour(let evidence, let offender):
            if case .votes = evidence, host.isHonest { marks.reach(.leaderEquivocated) }
            let index = hosts.firstIndex { $0.configuration.signer?.publicKey == offender }
            oracle.expect(
                index.map { !hosts[$0].isHonest } ?? false, "evidence against an honest node")
        }
    }
}
