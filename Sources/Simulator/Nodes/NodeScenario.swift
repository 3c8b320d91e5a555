@_spi(Simulation) package import Consensus
internal import Execution

package import Primitives

/// What a seed draws for a run of whole nodes: who takes part, who lies, what breaks how often.
package struct NodeScenario: Sendable {
    package let seed: UInt64
    /// Finalized blocks until the run ends.
    package let blocks: UInt64
    /// The validators' weights, which are their stakes in units.
    package let weights: [UInt64]
    /// Bonds of verifiers that genesis gives no vote, in units of stake; the last are standbys'.
    package let verifierBonds: [UInt64]
    /// Bonds of nodes that may come to vote in later epochs; empty where committees don't change.
    package let standbyBonds: [UInt64]
    /// Nodes without bond and vote.
    package let relays: Int
    /// Which validators and standbys lie and how; together they weigh at most F of genesis, which
    /// no committee's F falls below (`committeeWeightMin`).
    package let liars: [Int: [NodeTrick]]
    /// Users who pay each other, and how long they wait between two things, in milliseconds.
    package let users: Int
    package let pause: ClosedRange<UInt64>
    let faults: NodeFaults
    let rules: Rules
    /// Whether epochs are as short as can be, instead of what the seed says.
    private let hasShortEpochs: Bool
    /// Only these fault decisions take effect; nil for all. See `FaultTape`.
    package var allowed: Set<Int>?
    /// A rule that the nodes break, to see whether a run finds it.
    package var planted: PlantedFault?
    package var plantedBug: PlantedBug?

    /// Parameters of genesis that matter for timing and size.
    struct Rules: Sendable {
        let deltaBase: UInt64
        let idle: UInt64
        let batchTransactions: UInt32
        let expiryBlocks: UInt64
        let periodBlocks: UInt64
        let termBlocks: UInt64
        let complaintBlocks: UInt64
        let executionLag: UInt64
        let spread: Bool
    }

    /// - Parameters:
    ///   - blocks: finalized blocks until the run ends, at least 10.
    ///   - validators: 4...10; by the seed if nil.
    ///   - quiet: whether nothing breaks and nobody lies.
    ///   - shortEpochs: whether epochs are as short as can be.
    ///   - changingCommittees: whether bonds come to stand for election and cease to, which goes
    ///     with short epochs; by the seed if nil, and in no quiet run then.
    package init(
        seed: UInt64, blocks: UInt64 = 200, validators: Int? = nil, quiet: Bool = false,
        shortEpochs: Bool = false, changingCommittees: Bool? = nil
    ) {
        // A generator of its own, and a number by which it leaves the seeds that are kept in tests
        // what they are.
        var own = SeededRandom(seed: seed &* 0xA24B_AED4_963E_E407 &+ 536)
        let isDrawn = own.chance(333)
        let changes = changingCommittees ?? (isDrawn && !quiet)
        hasShortEpochs = shortEpochs || changes
        var random = SeededRandom(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 4)
        self.seed = seed
        self.blocks = blocks
        let drawn = Int(random.chance(500) ? 4 : random.number(in: 5...10))
        let isWeighted = random.chance(500)
        // Standbys come in addition, and messages grow with the square.
        let count = validators ?? (changes ? min(drawn, 6) : drawn)
        weights = (0..<count).map { _ in isWeighted ? random.number(in: 1...9) : 1 }
        let verifiers = Int(random.number(in: 0...2))
        let total = weights.reduce(0, +)
        let bonds = (0..<verifiers).map { _ in random.number(in: 1...max(2, total / 2)) }
        let standbys = changes ? own.number(in: 1...3) : 0
        standbyBonds = (0..<standbys).map { _ in isWeighted ? own.number(in: 1...9) : 1 }
        verifierBonds = bonds + standbyBonds
        relays = random.chance(300) ? 1 : 0
        let hasLiars = random.chance(550) && !quiet
        let gap = Array(repeating: UInt64(0), count: bonds.count)
        liars =
            hasLiars ? NodeScenario.drawLiars(weights + gap + standbyBonds, total, &random) : [:]
        users = Int(random.number(in: 4...8))
        let slowest = random.chance(500) ? random.number(in: 200...2_000) : 100
        pause = 1...slowest
        faults = quiet ? .none : NodeFaults(&random)
        let lags: ClosedRange<UInt64> = 4...16
        rules = Rules(
            deltaBase: random.number(in: 50...300), idle: random.number(in: 200...1_000),
            batchTransactions: UInt32(random.number(in: 2...64)),
            expiryBlocks: random.number(in: 16...64),
            periodBlocks: min(random.number(in: 4...16), changes ? 8 : .max),
            termBlocks: random.number(in: 8...40), complaintBlocks: random.number(in: 2...8),
            executionLag: min(random.number(in: lags), hasShortEpochs ? lags.lowerBound : .max),
            spread: !random.chance(80))
    }

    /// Liars in an arbitrary order as long as their weight stays within F of `total`; none of
    /// those that never vote, whose weight is 0.
    private static func drawLiars(
        _ weights: [UInt64], _ total: UInt64, _ random: inout SeededRandom
    ) -> [Int: [NodeTrick]] {
        var left = (total - 1) / 3
        var liars: [Int: [NodeTrick]] = [:]
        let voting = weights.indices.filter { weights[$0] > 0 }
        for index in voting.shuffled(using: &random) where weights[index] <= left {
            left -= weights[index]
            let count = random.number(in: 1...3)
            let tricks = (0..<count).compactMap { _ in random.element(of: NodeTrick.allCases) }
            liars[index] = Array(Set(tricks)).sorted { $0.rawValue < $1.rawValue }
        }
        return liars
    }

    /// The weight of a node when it votes; 0 for one that never does.
    func weight(of index: Int) -> UInt64 {
        if index < weights.count { return weights[index] }
        return standbys.contains(index) ? verifierBonds[index - weights.count] : 0
    }

    /// The nodes that may come to vote in later epochs.
    var standbys: Range<Int> {
        let end = weights.count + verifierBonds.count
        return end - standbyBonds.count..<end
    }

    /// F of genesis' committee.
    private var faultyMax: UInt64 { (weights.reduce(0, +) - 1) / 3 }

    /// The least weight of a committee, so that its F isn't below that of genesis.
    var committeeWeightMin: UInt64 { 3 * faultyMax + 1 }

    /// What liars leave of F.
    var faultyWeightLeft: UInt64 {
        faultyMax - liars.keys.reduce(0) { $0 + weight(of: $1) }
    }

    /// Heights of an epoch: most runs see the ends of several.
    var epochBlocks: UInt64 {
        var random = SeededRandom(seed: seed &* 0xD6E8_FEB8_6659_FD93 &+ 9)
        let least = max(4 * rules.executionLag, 16)
        let drawn = random.number(in: least...(random.chance(800) ? 2 * least : 1_000))
        let wanted = hasShortEpochs ? least : drawn
        return (wanted + rules.periodBlocks - 1) / rules.periodBlocks * rules.periodBlocks
    }

    var nodeCount: Int { weights.count + verifierBonds.count + relays }
}

/// How often things go wrong before the network heals; in a thousand unless it says otherwise.
struct NodeFaults: Sendable {
    /// Messages that are lost, as with a link that breaks.
    let loss: UInt64
    let duplication: UInt64
    /// Messages that take up to 50 times as long.
    let slow: UInt64
    /// Calls of a core that end in a crash after some of their effects, in a hundred thousand.
    let crash: UInt64
    /// Crashes that also lose what was not synced.
    let powerLoss: UInt64
    /// Crashes of all nodes at once, each second.
    let blackout: UInt64
    /// Changes of the partition, each second.
    let partition: UInt64
    /// Writes and syncs that fail, by EIO or a full disk, in a hundred thousand; the node stops.
    let disk: UInt64
    /// Keys of a store that rot, each second and network.
    let rot: UInt64
    /// Jumps of a wall clock, each second and network.
    let clockJump: UInt64
    /// How far a clock's rate is off at most, in millionths.
    let drift: UInt64
    /// Nodes that stop for a while without dying, each second and network.
    let freeze: UInt64
    /// Milliseconds.
    let latency: ClosedRange<UInt64>
    /// Milliseconds that a core may be busy before it takes what arrived.
    let busy: UInt64

    static let none = NodeFaults(
        loss: 0, duplication: 0, slow: 0, crash: 0, powerLoss: 0, blackout: 0, partition: 0,
        disk: 0, rot: 0, clockJump: 0, drift: 0, freeze: 0, latency: 1...10, busy: 2)

    private init(
        loss: UInt64, duplication: UInt64, slow: UInt64, crash: UInt64, powerLoss: UInt64,
        blackout: UInt64, partition: UInt64, disk: UInt64, rot: UInt64, clockJump: UInt64,
        drift: UInt64, freeze: UInt64, latency: ClosedRange<UInt64>, busy: UInt64
    ) {
        self.loss = loss
        self.duplication = duplication
        self.slow = slow
        self.crash = crash
        self.powerLoss = powerLoss
        self.blackout = blackout
        self.partition = partition
        self.disk = disk
        self.rot = rot
        self.clockJump = clockJump
        self.drift = drift
        self.freeze = freeze
        self.latency = latency
        self.busy = busy
    }

    /// Each kind of fault is left out of half of the runs, so that none hides another.
    init(_ random: inout SeededRandom) {
        let harsh = random.chance(300)
        func draw(_ most: UInt64) -> UInt64 {
            random.chance(500) ? random.number(in: 0...most) : 0
        }
        loss = draw(harsh ? 300 : 40)
        duplication = draw(100)
        slow = draw(60)
        crash = draw(harsh ? 400 : 80)
        powerLoss = random.number(in: 0...1_000)
        blackout = draw(60)
        partition = draw(200)
        disk = draw(harsh ? 200 : 40)
        rot = draw(100)
        clockJump = draw(60)
        drift = draw(30_000)
        freeze = draw(100)
        latency = 1...random.number(in: 2...80)
        busy = random.number(in: 0...12)
    }
}

extension NodeScenario {
    /// What the seed drew, for people.
    package var drew: String {
        let liars = liars.sorted { $0.key < $1.key }.map { index, tricks in
            "node \(index) is " + tricks.map(\.rawValue).joined(separator: " and ")
        }
        let faults = faults
        let rates: [(String, UInt64)] = [
            ("loss", faults.loss), ("duplication", faults.duplication), ("slow", faults.slow),
            ("crash", faults.crash), ("power loss", faults.powerLoss),
            ("blackout", faults.blackout), ("partition", faults.partition),
            ("disk", faults.disk), ("rot", faults.rot), ("clock jump", faults.clockJump),
            ("drift", faults.drift), ("freeze", faults.freeze),
        ]
        let breaking = rates.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }
        return """
            validators of weights \(weights), verifiers of \(verifierBonds), of them \
            \(standbyBonds.count) that come to vote, \(relays) relays, \(users) users; \
            \(liars.isEmpty ? "nobody lies" : liars.joined(separator: ", ")); \
            latency \(faults.latency) ms; faults: \
            \(breaking.isEmpty ? "none" : breaking.joined(separator: ", "))
            """
    }
}
