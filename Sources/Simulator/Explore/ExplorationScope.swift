@_spi(Simulation) package import Consensus

/// What an exploration covers: four validators of equal weight, of whom the last lies, in the views
/// 1 to `views` under one order of leaders.
package struct ExplorationScope: Sendable, CustomStringConvertible {
    /// The one that lies.
    static let liar = 3

    package let views: Int
    /// Whether honest nodes may stop and start again.
    package let restarts: Bool
    /// States that are visited at most; beyond, the exploration isn't complete.
    package let statesMax: Int
    package let plantedBug: PlantedBug?
    let schedule: LeaderSchedule

    init(
        schedule: LeaderSchedule, restarts: Bool, statesMax: Int, bug: PlantedBug?
    ) {
        self.schedule = schedule
        self.restarts = restarts
        self.statesMax = statesMax
        views = schedule.leaders.count
        plantedBug = bug
    }

    /// One scope for each order of leaders that differs from the others by more than names.
    ///
    /// - Parameter views: 1...4.
    package static func all(
        views: Int, restarts: Bool, statesMax: Int, bug: PlantedBug? = nil
    ) -> [ExplorationScope] {
        LeaderSchedule.all(views: views).map {
            ExplorationScope(schedule: $0, restarts: restarts, statesMax: statesMax, bug: bug)
        }
    }

    /// The leaders of the views in order; L is the liar.
    package var description: String {
        schedule.pattern.map { $0 == ExplorationScope.liar ? "L" : String($0) }.joined()
    }
}

/// The outcome of one exploration.
package struct ExplorationReport: Sendable, Hashable {
    /// As the scope gives it.
    package let leaders: String
    /// What went wrong, or nil.
    package var violation: String?
    /// The steps that lead there.
    package var path: [String] = []
    /// Global states, each visited once.
    package var states = 0
    /// Steps between them, those that change nothing left out.
    package var steps = 0
    /// States of single nodes.
    package var localStates = 0
    /// Calls of the engine.
    package var engineCalls = 0
    /// Whether every state of the scope was visited.
    package var isComplete = true
    /// Depends on every state and the order of visits.
    package var traceHash: UInt64 = 0

    init(leaders: String) { self.leaders = leaders }
}
