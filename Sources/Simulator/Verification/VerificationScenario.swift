package import Mempool
package import Primitives

/// What a seed draws for a run of the verification simulation.
package struct VerificationScenario: Sendable {
    /// How much of the bonds lies.
    package enum Collusion: String, Sendable, CaseIterable {
        /// At most F_U of the bonds, at most F of the votes.
        case within
        /// Exactly H_U = F_U + 1 of the bonds, still at most F of the votes.
        case over
    }

    package let seed: UInt64
    package let collusion: Collusion
    /// The validators' weights, which are their bonds.
    package let weights: [UInt64]
    /// The bonds of verifiers without a vote, as far as they are constant.
    package let edgeBonds: [UInt64]
    /// Who lies, by node: validators, then verifiers without a vote.
    package let liars: Set<Int>
    /// In which ways.
    package let tricks: [Int: [Trick]]
    package private(set) var settings: BatchSettings
    let faults: Faults
    /// Whether the sets of verifiers change from period to period.
    let setsVary: Bool
    /// Whether clients send many transactions of one shard at once.
    let bursts: Bool

    /// How often things go wrong before the network heals, in a thousand.
    struct Faults: Sendable {
        let loss: UInt64
        let duplication: UInt64
        /// Messages that take up to 50 times as long.
        let slow: UInt64
        /// Restarts, each second and node.
        let crash: UInt64
        /// Milliseconds.
        let latency: ClosedRange<UInt64>
        /// Milliseconds between two blocks.
        let blockInterval: UInt64

        /// A sound network: then no honest owner may ever be passed over.
        static let none = Faults(
            loss: 0, duplication: 0, slow: 0, crash: 0, latency: 1...20, blockInterval: 100)
        var isNone: Bool { loss == 0 && slow == 0 && crash == 0 }
    }

    package init(seed: UInt64, collusion: Collusion = .within) {
        var random = SeededRandom(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 77)
        self.seed = seed
        self.collusion = collusion
        weights = VerificationScenario.drawWeights(&random)
        let members = VerificationScenario.drawEdges(weights, collusion, &random)
        edgeBonds = members.bonds
        liars = members.liars
        tricks = VerificationScenario.drawTricks(
            members.liars, validators: weights.count, collusion, &random)
        settings = BatchSettings(
            expiryBlocks: random.number(in: 8...64), termBlocks: random.number(in: 8...40),
            periodBlocks: random.number(in: 4...16), complaintBlocks: random.number(in: 4...12),
            spread: !random.chance(50))
        setsVary = random.chance(400)
        bursts = random.chance(120)
        faults = random.chance(150) ? .none : VerificationScenario.drawFaults(&random)
    }

    /// Nodes that break a rule, to see whether a run finds it.
    package mutating func plant(_ fault: PlantedFault) { settings.planted = fault }

    private init(
        seed: UInt64, weights: [UInt64], tricks: [Int: [Trick]], settings: BatchSettings,
        bursts: Bool
    ) {
        self.seed = seed
        collusion = .within
        self.weights = weights
        edgeBonds = []
        liars = Set(tricks.keys)
        self.tricks = tricks
        self.settings = settings
        faults = .none
        setsVary = false
        self.bursts = bursts
    }

    /// The first owners of one sender's shard keep it out, as many as may lie; nothing else goes
    /// wrong.
    package static func censorship(
        seed: UInt64, by trick: Trick, validators count: Int
    ) -> VerificationScenario {
        let weights = [UInt64](repeating: 1, count: count)
        let layout = ShardLayout(
            committee: VerificationSimulation.committee(weights, .shared),
            settings: BatchSettings())
        let victim = layout.shard(of: Traffic.shared.address(Traffic.victim))
        let censors = (0..<(count - 1) / 3).compactMap { rank in
            layout.owner(of: Lane(shard: victim, term: 0, rank: UInt16(rank)))
        }
        return VerificationScenario(
            seed: seed, weights: weights,
            tricks: Dictionary(
                uniqueKeysWithValues: censors.map { (Int($0.rawValue), [trick]) }),
            settings: BatchSettings(), bursts: false)
    }

    /// Everybody honest, and owners change every few blocks under load.
    package static func handovers(seed: UInt64, validators count: Int) -> VerificationScenario {
        VerificationScenario(
            seed: seed, weights: [UInt64](repeating: 1, count: count), tricks: [:],
            settings: BatchSettings(expiryBlocks: 16, termBlocks: 8, periodBlocks: 4),
            bursts: true)
    }

    private static func drawFaults(_ random: inout SeededRandom) -> Faults {
        let harsh = random.chance(250)
        return Faults(
            loss: random.number(in: 0...(harsh ? 250 : 40)), duplication: random.number(in: 0...80),
            slow: random.number(in: 0...60), crash: random.number(in: 0...(harsh ? 250 : 60)),
            latency: 1...random.number(in: 2...30), blockInterval: random.number(in: 60...250))
    }

    private static func drawWeights(_ random: inout SeededRandom) -> [UInt64] {
        let count = Int(random.chance(500) ? 4 : random.number(in: 5...10))
        let isWeighted = random.chance(500)
        return (0..<count).map { _ in isWeighted ? random.number(in: 1...5) : 1 }
    }

    /// Verifiers without a vote, and liars with bonds right at the limit or below it.
    private static func drawEdges(
        _ weights: [UInt64], _ collusion: Collusion, _ random: inout SeededRandom
    ) -> (bonds: [UInt64], liars: Set<Int>) {
        var liars = drawLiars(weights, atLeastOne: collusion == .over, &random)
        let count = Int(collusion == .over ? random.number(in: 1...6) : random.number(in: 0...6))
        let lying = Int(
            collusion == .over
                ? random.number(in: 1...UInt64(count)) : random.number(in: 0...UInt64(count)))
        var bonds = (lying..<count).map { _ in random.number(in: 1...weights.reduce(0, +)) }
        let honest = weights.reduce(0, +) + bonds.reduce(0, +)
        let most = lyingBondMax(
            honest: honest - liars.reduce(0) { $0 + weights[$1] },
            lying: liars.reduce(0) { $0 + weights[$1] }, collusion)
        let isTight = collusion == .over || random.chance(500)
        var left = isTight ? most : random.number(in: 0...most)
        for place in 0..<lying where left > 0 {
            let part = place == lying - 1 ? left : random.number(in: 1...left)
            liars.insert(weights.count + bonds.count)
            bonds.append(part)
            left -= part
        }
        if left > 0, isTight, lying > 0, let last = bonds.indices.last { bonds[last] += left }
        return (bonds, liars)
    }

    /// What verifiers without a vote may lie with beside validators with `lying`: the most with
    /// which all of them have F_U, or, for `over`, the least with which they have H_U.
    ///
    /// H_U is the least number that isn't below a third of all bonds: with x more that lie,
    /// 3 (lying + x) >= honest + lying + x, so 2x >= honest - 2 lying.
    static func lyingBondMax(honest: UInt64, lying: UInt64, _ collusion: Collusion) -> UInt64 {
        let needed = (honest - min(honest, 2 * lying) + 1) / 2
        return collusion == .over ? max(needed, 1) : needed - min(needed, 1)
    }

    private static func drawLiars(
        _ weights: [UInt64], atLeastOne: Bool, _ random: inout SeededRandom
    ) -> Set<Int> {
        var left = (weights.reduce(0, +) - 1) / 3
        guard atLeastOne || random.chance(750) else { return [] }
        var liars: Set<Int> = []
        for index in weights.indices.shuffled(using: &random) where weights[index] <= left {
            left -= weights[index]
            liars.insert(index)
        }
        return liars
    }

    private static func drawTricks(
        _ liars: Set<Int>, validators: Int, _ collusion: Collusion, _ random: inout SeededRandom
    ) -> [Int: [Trick]] {
        let together = collusion == .over || random.chance(350)
        var tricks: [Int: [Trick]] = [:]
        for liar in liars.sorted() {
            let owns = liar < validators
            if together {
                tricks[liar] = owns ? [.coverJunk, .friendsOnly, .forgeCertificates] : [.coverJunk]
                continue
            }
            let known = Trick.allCases.filter { owns || !$0.needsVote }
            let count = random.number(in: 1...3)
            tricks[liar] = (0..<count).compactMap { _ in random.element(of: known) }
        }
        return tricks
    }
}

/// A way to break the rules; each is a type of its own under `Liars`.
package enum Trick: String, Sendable, CaseIterable {
    case acceptAll, rejectAll, coverJunk, answerLate, answerTwice, copyAcks
    case hugeHint, zeroHint, flappingHint
    case spamAppeals, spamAnswers
    // What only a validator can do.
    case sealTwice, withholdBodies, censorSilently, censorByLies, censorByBusy, censorByPromises
    case friendsOnly, forgeCertificates, complainFalsely, brokenTasks

    var needsVote: Bool {
        switch self {
        case .acceptAll, .rejectAll, .coverJunk, .answerLate, .answerTwice, .copyAcks, .hugeHint,
            .zeroHint, .flappingHint, .spamAppeals, .spamAnswers:
            false
        default: true
        }
    }

    var misbehaviour: any Misbehaviour {
        switch self {
        case .acceptAll: AcceptsAll()
        case .rejectAll: RejectsAll()
        case .coverJunk: CoversJunk()
        case .answerLate: AnswersLate()
        case .answerTwice: AnswersTwice()
        case .copyAcks: CopiesAcks()
        case .hugeHint: Hints(free: .max)
        case .zeroHint: Hints(free: 0)
        case .flappingHint: Hints(free: nil)
        case .spamAppeals: SpamsAppeals()
        case .spamAnswers: SpamsAnswers()
        case .sealTwice: SealsTwice()
        case .withholdBodies: WithholdsBodies()
        case .censorSilently: Censors(.silence)
        case .censorByLies: Censors(.lies)
        case .censorByBusy: Censors(.busy)
        case .censorByPromises: Censors(.promises)
        case .friendsOnly: FriendsOnly()
        case .forgeCertificates: ForgesCertificates()
        case .complainFalsely: ComplainsFalsely()
        case .brokenTasks: BrokenTasks()
        }
    }
}
