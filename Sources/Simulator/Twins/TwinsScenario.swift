internal import Consensus
internal import Primitives

/// One scenario of Twins (Bano and others, "Twins: BFT Systems Made Robust", OPODIS 2021): some
/// validators run as two unmodified engines with one key, and for each of the first views it is
/// given which engines hear each other.
package struct TwinsScenario: Hashable, Sendable {
    /// 4 or 7 validators of equal weight.
    package let validators: Int
    /// The validators with two engines, ascending, at most F of them.
    package let twins: [Int]
    /// What the chain id is made of, and with it the leaders of all views.
    package let chain: UInt64
    /// For each view from 1 on, the side that each engine is on; those of one side hear each other.
    /// First come the engines of all validators, then the second ones of the twins.
    package let sides: [[UInt8]]
    /// 0 for messages in the order of sending, else the seed of their order.
    package let order: UInt64
    /// Engines that stop right after their first vote of a view is on disk, and start again.
    package let restarts: [Restart]

    package struct Restart: Hashable, Sendable {
        package let engine: Int
        package let view: UInt64

        package init(engine: Int, view: UInt64) {
            self.engine = engine
            self.view = view
        }
    }

    init(
        validators: Int, twins: [Int], chain: UInt64, sides: [[UInt8]], order: UInt64 = 0,
        restarts: [Restart] = []
    ) {
        precondition(sides.allSatisfy { $0.count == validators + twins.count }, "\(sides)")
        self.validators = validators
        self.twins = twins
        self.chain = chain
        self.sides = sides
        self.order = order
        self.restarts = restarts
    }

    /// The validator of each engine.
    var owners: [Int] { Array(0..<validators) + twins }

    /// Views with sides; all later ones are whole.
    var views: UInt64 { UInt64(sides.count) }

    /// Whether one engine's messages of a view reach another.
    func joins(_ from: Int, _ to: Int, in view: View) -> Bool {
        guard view.rawValue > 0, view.rawValue <= views else { return true }
        let side = sides[Int(view.rawValue) - 1]
        return side[from] == side[to]
    }

    // MARK: Sampling

    /// A scenario drawn from the seed: 4 or 7 validators, 3 to 8 views, up to three sides.
    package init(seed: UInt64) {
        var random = SeededRandom(seed: seed &* 0x9E6C_63D0_876A_68DD)
        let validators = random.chance(850) ? 4 : 7
        let faulty = (validators - 1) / 3
        let count = Int(random.number(in: 1...UInt64(faulty)))
        let twins = Array(0..<validators).shuffled(using: &random).prefix(count).sorted()
        let engines = validators + count
        let views = random.number(in: 3...(random.chance(800) ? 5 : 8))
        let sides = (0..<views).map { _ in TwinsScenario.draw(engines, &random) }
        let restarts = (0..<(random.chance(400) ? 0 : random.number(in: 1...3))).map { _ in
            Restart(
                engine: Int(random.number(in: 0...UInt64(engines - 1))),
                view: random.number(in: 1...views))
        }
        self.init(
            validators: validators, twins: twins, chain: random.number(in: 0...999),
            sides: sides, order: random.chance(300) ? 0 : random.number(in: 1...999_999),
            restarts: restarts)
    }

    private static func draw(_ engines: Int, _ random: inout SeededRandom) -> [UInt8] {
        let last = random.chance(150) ? 0 : random.number(in: 1...2)
        return (0..<engines).map { _ in UInt8(random.number(in: 0...last)) }
    }
}

// The form that people and commands repeat a scenario by:
// validators/twins/chain/sides/order/restarts, as "4/3/17/01101.00100.01010/0/2@1".
extension TwinsScenario: CustomStringConvertible {
    package var description: String {
        let sides = sides.map { $0.map(String.init).joined() }.joined(separator: ".")
        let restarts = restarts.map { "\($0.engine)@\($0.view)" }.joined(separator: ",")
        let twins = twins.map(String.init).joined(separator: ",")
        return "\(validators)/\(twins)/\(chain)/\(sides)/\(order)/\(restarts)"
    }

    /// The scenario that `description` gave, or nil if the text isn't one.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 6, let validators = Int(parts[0]), [4, 7].contains(validators),
            let chain = UInt64(parts[2]), let order = UInt64(parts[4])
        else { return nil }
        let twins = parts[1].split(separator: ",").compactMap { Int($0) }
        let engines = validators + twins.count
        let sides = parts[3].split(separator: ".").map { side in
            side.compactMap { $0.wholeNumberValue.map { UInt8($0) } }
        }
        let restarts = parts[5].split(separator: ",").compactMap { TwinsScenario.restart($0) }
        guard twins.count <= (validators - 1) / 3, Set(twins).count == twins.count,
            twins.allSatisfy((0..<validators).contains), !sides.isEmpty,
            sides.allSatisfy({ $0.count == engines }),
            restarts.allSatisfy({ $0.engine < engines })
        else { return nil }
        self.init(
            validators: validators, twins: twins, chain: chain, sides: sides, order: order,
            restarts: restarts)
    }

    private static func restart(_ text: Substring) -> Restart? {
        let parts = text.split(separator: "@")
        guard parts.count == 2, let engine = Int(parts[0]), engine >= 0,
            let view = UInt64(parts[1])
        else { return nil }
        return Restart(engine: engine, view: view)
    }
}
