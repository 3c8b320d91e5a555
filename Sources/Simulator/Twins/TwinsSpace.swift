/// All scenarios of four validators, the last of them a twin, over a few views: every order of
/// leaders, and in each view every partition of the five engines into at most `sidesMax` sides.
///
/// Scenarios that differ only in names are one: of the two twins, and of the validators that lead
/// in none of these views. (A renaming also changes who is asked first for what is missing.)
package struct TwinsSpace: Sendable {
    private static let engines = 5

    let views: Int
    private let schedules: [LeaderSchedule]
    /// In lexicographic order, each in the form whose sides are numbered as they come up.
    private let partitions: [[UInt8]]
    private let places: [[UInt8]: Int]

    /// - Parameters:
    ///   - views: 1...4.
    ///   - sidesMax: 2 or 3.
    package init(views: Int, sidesMax: Int) {
        self.views = views
        schedules = LeaderSchedule.all(views: views)
        partitions = TwinsSpace.partitions(sidesMax: UInt8(sidesMax))
        places = Dictionary(uniqueKeysWithValues: partitions.enumerated().map { ($1, $0) })
    }

    /// Indexes of scenarios, those that are left out included.
    package var count: Int {
        (0..<views).reduce(schedules.count) { product, _ in product * partitions.count }
    }

    private static func partitions(sidesMax: UInt8) -> [[UInt8]] {
        var all: [[UInt8]] = [[]]
        for _ in 0..<engines {
            all = all.flatMap { part in
                let used = part.max().map { $0 + 1 } ?? 0
                return (0...min(used, sidesMax - 1)).map { part + [$0] }
            }
        }
        return all
    }

    /// The scenario at `index`, or nil if an earlier one differs from it in names only.
    package func scenario(at index: Int) -> TwinsScenario? {
        let schedule = schedules[index % schedules.count]
        var rest = index / schedules.count
        var chosen: [Int] = []
        for _ in 0..<views {
            chosen.append(rest % partitions.count)
            rest /= partitions.count
        }
        guard isFirst(chosen, schedule) else { return nil }
        return TwinsScenario(
            validators: 4, twins: [3], chain: schedule.chain, sides: chosen.map { partitions[$0] })
    }

    /// Up to `limit` scenarios, spread evenly over the space.
    package func spread(_ limit: Int) -> [TwinsScenario] {
        // Of about nine indexes one is the first of its kind in the worst case.
        let step = limit >= count / 9 ? 1 : count / (limit * 9)
        let all = stride(from: 0, to: count, by: step).compactMap { scenario(at: $0) }
        guard all.count > limit else { return all }
        return (0..<limit).map { all[$0 * all.count / limit] }
    }

    private func isFirst(_ chosen: [Int], _ schedule: LeaderSchedule) -> Bool {
        let idle = (0..<3).filter { !schedule.leaders.contains($0) }
        for order in TwinsSpace.orders(idle) {
            for swaps in [false, true] {
                var names = Array(0..<TwinsSpace.engines)
                for (old, new) in zip(idle, order) { names[old] = new }
                if swaps { names.swapAt(3, 4) }
                let renamed = chosen.map { place(of: partitions[$0], names) }
                if renamed.lexicographicallyPrecedes(chosen) { return false }
            }
        }
        return true
    }

    private func place(of partition: [UInt8], _ names: [Int]) -> Int {
        var numbers: [UInt8: UInt8] = [:]
        let renamed = names.map { name in
            let number = numbers[partition[name]] ?? UInt8(numbers.count)
            numbers[partition[name]] = number
            return number
        }
        return places[renamed] ?? 0
    }

    private static func orders(_ list: [Int]) -> [[Int]] {
        guard let first = list.first else { return [[]] }
        return orders(Array(list.dropFirst())).flatMap { rest in
            (0...rest.count).map { place in
                var order = rest
                order.insert(first, at: place)
                return order
            }
        }
    }
}
