internal import Consensus
internal import Primitives

// What users, accidents and liars do.
extension Simulation {
    mutating func bringWork() {
        for index in nodes.indices where random.chance(700) { feed(index, .workAvailable) }
        schedule(.work, after: random.number(in: 1...400))
    }

    mutating func rollFaults() {
        guard !isHealed else { return }
        if random.chance(scenario.faults.partition) {
            let together = random.chance(500)
            for index in sides.indices { sides[index] = together ? 0 : Int(random.next() % 2) }
            let (sides, bits) = (sides, sides.reduce(UInt64(0)) { $0 << 1 | UInt64($1) })
            note(5, bits, line: "partition \(sides)")
        }
        if random.chance(scenario.faults.blackout) {
            for case let node? in nodes { crash(node) }
        }
        schedule(.faults, after: 1_000)
    }

    mutating func letLiarsAct() {
        guard let index = random.element(of: liar.indexes) else { return }
        for message in liar.act(as: index, now: now, random: &random) {
            if case .proposal(let proposal) = message { oracle.register(proposal.block) }
            for to in nodes.indices where nodes[to] != nil && random.chance(550) {
                transmit(message, from: index, to: to)
            }
        }
        schedule(.liar, after: random.number(in: 2...30))
    }
}
