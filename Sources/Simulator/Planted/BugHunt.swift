@_spi(Simulation) package import Consensus
package import Primitives

/// Looks for planted faults: each in the layers that can see it, seed after seed until one does.
package struct BugHunt: Sendable {
    /// A rule that is broken on purpose, wherever it stands.
    package enum Bug: Sendable, Hashable {
        case node(PlantedFault)
        case consensus(PlantedBug)

        package var name: String {
            switch self {
            case .node(let fault): fault.rawValue
            case .consensus(let bug): bug.rawValue
            }
        }

        /// Whether it needs the ends of epochs.
        var isOfEpochs: Bool {
            self == .node(.committeeUnsaved) || self == .node(.lanesKept)
        }

        /// Whether it is looked for where committees change.
        var isOfElections: Bool {
            self == .node(.entryUnasked) || self == .consensus(.commitTails)
        }

        package static var all: [Bug] {
            PlantedFault.allCases.map(Bug.node)
                + PlantedBug.allCases.filter { $0 != .blindToTwin }.map(Bug.consensus)
        }
    }

    /// What can see a fault.
    package enum Layer: String, Sendable {
        /// Consensus engines alone.
        case consensus
        /// Mempools and verifiers alone, with liars.
        case verification
        /// Whole nodes.
        case nodes
        /// All states of four consensus engines over two views; what is tried is an order of
        /// leaders.
        case exploration
    }

    /// Where and when a fault was found.
    package struct Finding: Sendable {
        package let bug: Bug
        package let layer: Layer
        /// The first that shows it; 1 is tried first.
        package let seed: UInt64
        package let violation: String
    }

    /// Seeds that are tried in a layer.
    private let seedsMax: UInt64

    package init(seedsMax: UInt64) { self.seedsMax = seedsMax }

    /// The layers in which a fault is looked for, the cheapest first.
    package static func layers(for bug: Bug) -> [Layer] {
        switch bug {
        // Needs one order of events that chance doesn't meet.
        case .consensus(.noParentCheck): [.exploration]
        case .consensus(.commitTails): [.nodes]
        case .consensus: [.consensus, .nodes]
        case .node(.verdictOfOne), .node(.verdictUnseen): [.verification]
        case .node: [.nodes]
        }
    }

    /// Nil if no seed found it.
    /// - Parameter trying: told before each run, for who watches a run that traps.
    package func find(_ bug: Bug, trying: (Layer, UInt64) -> Void = { _, _ in }) -> Finding? {
        for layer in BugHunt.layers(for: bug) {
            for seed in 1...seedsMax {
                trying(layer, seed)
                guard let violation = violation(of: bug, in: layer, seed) else { continue }
                return Finding(
                    bug: bug, layer: layer, seed: seed, violation: violation)
            }
        }
        return nil
    }

    private func violation(of bug: Bug, in layer: Layer, _ seed: UInt64) -> String? {
        switch layer {
        case .consensus:
            guard case .consensus(let bug) = bug else { return nil }
            var simulation = Simulation(Scenario(seed: seed, blocks: 60, bug: bug))
            return simulation.run().violation
        case .verification:
            guard case .node(let fault) = bug else { return nil }
            var scenario = VerificationScenario(seed: seed)
            scenario.plant(fault)
            var simulation = VerificationSimulation(scenario)
            let report = simulation.run()
            let unsigned = report.badExecuted > 0 ? "executed what nobody signed" : nil
            return unsigned ?? report.violation
        case .exploration:
            guard case .consensus(let bug) = bug else { return nil }
            let scopes = ExplorationScope.all(
                views: 2, restarts: false, statesMax: 2_000_000, bug: bug)
            guard let scope = scopes.dropFirst(Int(seed) - 1).first else { return nil }
            var exploration = Exploration(scope)
            return exploration.run().violation
        case .nodes:
            var scenario = NodeScenario(
                seed: seed, blocks: 40, shortEpochs: bug.isOfEpochs,
                changingCommittees: bug.isOfElections)
            switch bug {
            case .node(let fault): scenario.planted = fault
            case .consensus(let bug): scenario.plantedBug = bug
            }
            var simulation = NodeSimulation(scenario)
            return simulation.run().violation
        }
    }
}
