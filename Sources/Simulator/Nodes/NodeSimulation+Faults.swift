internal import NodeCore
internal import Primitives

// What breaks by itself, and the day when everything works again.
extension NodeSimulation {
    mutating func rollFaults() {
        guard !isHealed else { return }
        let faults = scenario.faults
        if tape.fires(faults.partition) { partition() }
        if tape.fires(faults.blackout) {
            marks.reach(.blackoutSurvived)
            for host in honestHosts { crash(host) }
        }
        if tape.fires(faults.rot) { rot() }
        if tape.fires(faults.clockJump) { jumpClock() }
        if tape.fires(faults.freeze) { freeze() }
        schedule(.faults, after: 1_000)
    }

    private mutating func partition() {
        let together = random.chance(400)
        for index in sides.indices { sides[index] = together ? 0 : Int(random.next() % 2) }
        marks.reach(together ? .partitionHealed : .partitionWithoutQuorum)
        let bits = sides.reduce(UInt64(0)) { $0 << 1 | UInt64($1) }
        trace.note(now, 5, 0, bits)
        trace.show(now, 0, "SIDES \(sides.map(String.init).joined())")
    }

    /// The data of a node that may lose its record: otherwise more than F would lie or forget.
    private mutating func rot() {
        let candidates = honestHosts.filter { host in
            guard !host.wasDamaged, host.isUp else { return false }
            return scenario.weight(of: host.index) <= faultyWeightLeft
        }
        guard let host = random.element(of: candidates), host.store.damage(&random) else { return }
        host.wasDamaged = true
        faultyWeightLeft -= scenario.weight(of: host.index)
        trace.note(now, 6, host.index, 0)
        trace.show(now, host.index, "DATA ROTS")
    }

    private mutating func jumpClock() {
        guard let host = random.element(of: hosts) else { return }
        let far = random.chance(500)
        let span: UInt64 = far ? 3_600_000 : 2_000
        let jump = Int64(random.number(in: 0...2 * span)) - Int64(span)
        host.clock.jump(by: jump)
        marks.reach(.clockJumped)
        trace.note(now, 7, host.index, UInt64(bitPattern: jump))
        trace.show(now, host.index, "CLOCK \(jump) ms")
    }

    private mutating func freeze() {
        guard let host = random.element(of: honestHosts) else { return }
        host.frozenUntil = now + random.number(in: 100...8_000)
        marks.reach(.nodeFroze)
        trace.note(now, 8, host.index, host.frozenUntil)
        trace.show(now, host.index, "FREEZES")
    }

    mutating func heal() {
        sides = sides.map { _ in 0 }
        trace.note(now, 9, 0, 0)
        trace.show(now, 0, "ALL WORKS AGAIN")
        for host in hosts {
            if host.frozenUntil > now { schedule(.wake(host.index, life: host.life), after: 1) }
            host.frozenUntil = 0
            host.clock.correct(to: Int64(host.index * 7 % 200))
            if !host.isUp { schedule(.start(host.index), after: 1) }
        }
    }
}
