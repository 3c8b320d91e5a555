@_spi(Simulation) package import Consensus

/// One run: everything follows from the seed.
package struct Scenario: Sendable {
    package let seed: UInt64
    /// Finalized blocks until the run ends.
    package let blocks: UInt64
    /// Each validator's weight.
    package let weights: [UInt64]
    /// Who lies; together at most F.
    package let liars: Set<Int>
    package let misbehaviour: LiarKind
    package let plantedBug: PlantedBug?
    let faults: Faults

    /// How often things go wrong before the network heals, in a thousand.
    struct Faults: Sendable {
        let loss: UInt64
        let duplication: UInt64
        /// Messages that take up to 50 times as long.
        let slow: UInt64
        /// Calls of an engine that end in a crash after some of their effects.
        let crash: UInt64
        /// Crashes that take every node at once.
        let blackout: UInt64
        /// Changes of the partition, each second.
        let partition: UInt64
        /// Milliseconds.
        let latency: ClosedRange<UInt64>
        /// Crashes that take journal and store with them, while F bears it.
        let diskLoss: UInt64
    }

    /// - Parameters:
    ///   - nodes: 4 or 7; by the seed if nil.
    ///   - misbehaviour: what liars do; by the seed if nil.
    package init(
        seed: UInt64, nodes: Int? = nil, blocks: UInt64 = 200, misbehaviour: LiarKind? = nil,
        bug: PlantedBug? = nil
    ) {
        var random = SeededRandom(seed: seed &* 0x2545_F491_4F6C_DD1D)
        let count = nodes ?? (random.chance(700) ? 4 : 7)
        let isWeighted = random.chance(500)
        self.seed = seed
        self.blocks = blocks
        weights = (0..<count).map { _ in isWeighted ? random.number(in: 1...9) : 1 }
        liars = random.chance(600) ? Scenario.drawLiars(weights, &random) : []
        plantedBug = bug
        let harsh = random.chance(300)
        faults = Faults(
            loss: random.number(in: 0...(harsh ? 350 : 60)), duplication: random.number(in: 0...80),
            slow: random.number(in: 0...60), crash: random.number(in: 0...(harsh ? 4 : 1)),
            blackout: random.number(in: 0...100), partition: random.number(in: 0...150),
            latency: 1...random.number(in: 2...25),
            diskLoss: random.chance(500) ? random.number(in: 0...500) : 0)
        self.misbehaviour = misbehaviour ?? Scenario.drawMisbehaviour(seed)
    }

    /// More than half of the time everything at once: nothing finds more.
    private static func drawMisbehaviour(_ seed: UInt64) -> LiarKind {
        var random = SeededRandom(seed: seed ^ 0xA24B_AED4_963E_E407)
        guard random.chance(400) else { return .mastermind }
        return random.element(of: LiarKind.allCases) ?? .mastermind
    }

    private static func drawLiars(_ weights: [UInt64], _ random: inout SeededRandom) -> Set<Int> {
        var left = (weights.reduce(0, +) - 1) / 3
        var liars: Set<Int> = []
        for index in weights.indices.shuffled(using: &random) where weights[index] <= left {
            left -= weights[index]
            liars.insert(index)
        }
        return liars
    }
}
