internal import Mempool
internal import Primitives

/// The sets of verifiers that the ledger would name: known and forgotten at the same heights.
struct SimulatedSets {
    /// Passed periods that are kept.
    private static let passedKept: UInt64 = 8

    private let scenario: VerificationScenario
    private let committee: Committee
    private let traffic: Traffic
    private var drawn: [UInt64: VerifierSet] = [:]
    private var latest: (newest: UInt64, sets: [UInt64: VerifierSet])?

    init(_ scenario: VerificationScenario, _ committee: Committee, _ traffic: Traffic) {
        self.scenario = scenario
        self.committee = committee
        self.traffic = traffic
    }

    /// What the state after `height` names.
    mutating func known(at height: Height) -> [UInt64: VerifierSet] {
        let lag = VerificationSimulation.lag
        let blocks = scenario.settings.periodBlocks
        let newest = (height.rawValue + lag + 1) / blocks
        if let latest, latest.newest == newest { return latest.sets }
        let others = SimulatedSets.passedKept + (lag + blocks) / blocks
        var sets: [UInt64: VerifierSet] = [:]
        for period in (newest - min(newest, others))...newest { sets[period] = set(period) }
        latest = (newest, sets)
        return sets
    }

    private mutating func set(_ period: UInt64) -> VerifierSet {
        if let known = drawn[period] { return known }
        let first = scenario.weights.count
        let others = bonds(in: period).enumerated().map { place, bond in
            let key = traffic.nodeKeys[first + place].publicKey
            return BondedVerifier(
                key: key, peerID: PeerID(key), bond: bond, rewardAddress: .zero)
        }
        let set = VerifierSet(period: period, committee: committee, others: others)
        check(set)
        drawn[period] = set
        return set
    }

    /// Bonds come, go and change; those of liars stay within what the scenario grants them.
    private func bonds(in period: UInt64) -> [UInt64] {
        guard scenario.setsVary, period > 0 else { return scenario.edgeBonds }
        var random = SeededRandom(seed: scenario.seed ^ period &* 0x9E37_79B9)
        let first = scenario.weights.count
        var bonds = scenario.edgeBonds
        for place in bonds.indices where !scenario.liars.contains(first + place) {
            if random.chance(200) { bonds[place] = 0 }
            if random.chance(300) { bonds[place] = random.number(in: 1...9) }
        }
        let lying = scenario.liars.filter { $0 < first }.reduce(0) { $0 + scenario.weights[$1] }
        let honest =
            scenario.weights.reduce(0, +) - lying
            + bonds.indices.filter { !scenario.liars.contains(first + $0) }
            .reduce(0) { $0 + bonds[$1] }
        var left = VerificationScenario.lyingBondMax(
            honest: honest, lying: lying, scenario.collusion)
        let liars = bonds.indices.filter { scenario.liars.contains(first + $0) }
        for place in liars {
            let part =
                scenario.collusion == .over && place == liars.last
                ? left : min(left, bonds[place])
            bonds[place] = part
            left -= part
        }
        return bonds
    }

    /// The bound that the argument needs, by the set's own arithmetic.
    private func check(_ set: VerifierSet) {
        let lying = set.indices.filter { index in
            let node = traffic.nodeKeys.firstIndex { $0.publicKey == set[index]?.key }
            return node.map(scenario.liars.contains) ?? false
        }
        let bond = set.bond(of: lying)
        switch scenario.collusion {
        case .within:
            precondition(bond <= set.faultyMax, "seed \(scenario.seed): \(bond) lie")
        case .over:
            precondition(bond >= set.validityThreshold, "seed \(scenario.seed): \(bond) lie")
        }
    }
}
