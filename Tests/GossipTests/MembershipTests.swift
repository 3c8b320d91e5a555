import Primitives
import TestSupport
import Testing

@testable import Gossip

@Suite struct MembershipTests {
    @Test func aNodeIsKnownToAllSoonAfterItAsksOneSeed() throws {
        var network = try #require(GossipNetwork.joined(8, seed: 1))
        network.add(seeds: [3])
        let before = network.now
        let isJoined = network.run(until: 10_000) { $0.isComplete }
        #expect(isJoined)
        #expect(network.now - before <= 2_000, "\(network.now - before) ms")
    }

    @Test func nodesThatStartTogetherFindEachOtherWithinASecond() {
        var network = GossipNetwork(seed: 2)
        network.weather.delay = 1...2
        for index in 0..<4 { network.add(seeds: Array((0..<3).filter { $0 != index })) }
        let isFound = network.run(until: 1_000) { $0.isComplete }
        #expect(isFound)
    }

    @Test func aSeedThatComesLaterIsFound() {
        var network = GossipNetwork(seed: 3)
        network.add(seeds: [1])
        network.run(until: 20_000)
        network.add(seeds: [])
        let isFound = network.run(until: 6_000) { $0.isComplete }
        #expect(isFound)
    }

    @Test func aNodeAmongItsOwnSeedsIsNoMemberOfItself() {
        var network = GossipNetwork(seed: 4)
        network.add(seeds: [0, 1])
        network.add(seeds: [0, 1])
        let isFound = network.run(until: 5_000) { $0.isComplete }
        #expect(isFound)
        #expect(network.nodes[0].engine.statuses.map(\.peerID) == [network.id(1)])
    }

    /// Numbers of nodes; what isn't optimized is too slow for all of them.
    #if DEBUG
        private static let sizes = [2, 3, 4, 5, 6, 8, 11, 16, 23, 32, 64]
    #else
        private static let sizes = Array(2...12) + [16, 20, 24, 28, 32, 48, 64]
    #endif

    /// The promise of the engine's header, with a loss of 0, 10 and 20 %.
    @Test(arguments: sizes) func aDeathIsKnownToAllWithinTheBound(n: Int) throws {
        for round in 0..<max(1, 24 / n) {
            let seed = UInt64(1000 * n + round)
            let loss = (UInt64(round) + UInt64(n)) % 3 * 100
            let result = try measureDeath(n, seed: seed, loss: loss)
            #expect(result.elapsed <= result.bound, "n \(n), seed \(seed)")
        }
    }

    private func measureDeath(
        _ n: Int, seed: UInt64, loss: UInt64
    ) throws -> (elapsed: UInt64, bound: UInt64) {
        var network = try #require(GossipNetwork.joined(n, seed: seed, loss: loss))
        network.run(until: seed % 7 * 331)
        let bound = GossipBounds(n: n).deathKnown
        network.kill(n - 1)
        let before = network.now
        _ = network.run(until: 2 * bound) { $0.allTake(n - 1, for: [.dead]) }
        let elapsed = network.now - before
        print("n \(n) seed \(seed) loss \(loss) ‰: death known after \(elapsed) of \(bound) ms")
        return (elapsed, bound)
    }

    @Test(arguments: [2, 3, 4, 7, 16, 32, 64]) func aFarewellIsKnownToAllWithinTheBound(
        n: Int
    ) throws {
        for round in 0..<max(1, 12 / n) {
            let seed = UInt64(500 * n + round)
            var network = try #require(GossipNetwork.joined(n, seed: seed, loss: 100))
            network.handle(.leave, at: n - 1)
            let before = network.now
            let isKnown = network.run(until: GossipBounds(n: n).leaveKnown) {
                $0.allTake(n - 1, for: [.left])
            }
            print("n \(n) seed \(seed): farewell known after \(network.now - before) ms")
            #expect(isKnown, "n \(n), seed \(seed)")
            network.run(until: 1_000)
            #expect(network.nodes[n - 1].hasLeft)
        }
    }

    @Test func nobodyAliveIsTakenForDeadWhileDatagramsGetLost() throws {
        for seed in UInt64(0)..<4 {
            var network = try #require(GossipNetwork.joined(8, seed: seed, loss: 200))
            network.run(until: 120_000)
            let dead = network.nodes.flatMap(\.changes).filter { $0.state == .dead }
            #expect(dead.isEmpty, "seed \(seed): \(dead.count)")
        }
    }

    @Test func aFalseSuspicionIsAnsweredByTheSuspect() throws {
        var network = try #require(GossipNetwork.joined(5, seed: 9))
        let victim = network.id(4)
        let before = try #require(network.nodes[0].engine.status(of: victim)).record.sequence
        // Node 0 believes that node 4 doesn't answer, and tells.
        network.accuse(4, by: 0)
        let isSuspected = network.run(until: 3_000) {
            $0.nodes[1].changes.contains { $0.state == .suspect }
        }
        #expect(isSuspected)
        let isCleared = network.run(until: 5_000) { $0.isComplete }
        #expect(isCleared)
        let after = try #require(network.nodes[0].engine.status(of: victim)).record.sequence
        #expect(after > before)
        #expect(network.nodes.flatMap(\.changes).allSatisfy { $0.state != .dead })
    }

    @Test func aNodeThatHearsBadlyIsSlowToAccuse() throws {
        var network = try #require(GossipNetwork.joined(6, seed: 12))
        // Node 0 is cut off: none of the three it asks says that he gets no answer either.
        network.sides[network.nodes[0].endpoint] = 1
        network.run(until: 4_000)
        #expect(network.nodes[0].engine.health >= 3)
        #expect(network.nodes[1...5].allSatisfy { $0.engine.health <= 2 })
    }

    @Test func aPartitionHeals() throws {
        for seed in [UInt64(20), 21] {
            var network = try #require(GossipNetwork.joined(9, seed: seed, loss: 50))
            for index in 0..<4 { network.sides[network.nodes[index].endpoint] = 1 }
            let isParted = network.run(until: 90_000) { $0.isParted(at: 4) }
            #expect(isParted, "seed \(seed)")
            network.run(until: 120_000)
            network.sides = [:]
            let before = network.now
            let isHealed = network.run(until: 60_000) { $0.isComplete }
            #expect(isHealed, "seed \(seed)")
            print("seed \(seed): healed within \(network.now - before) ms")
        }
    }

    @Test func aNodeThatStartsAgainIsTheNewOne() throws {
        var network = try #require(GossipNetwork.joined(4, seed: 30))
        network.kill(3)
        let isDead = network.run(until: 30_000) { $0.allTake(3, for: [.dead]) }
        #expect(isDead)
        network.restart(3, seeds: [0])
        let isBack = network.run(until: 3_000) { $0.isComplete }
        #expect(isBack)
    }

    @Test func aChangeOfCapacityIsToldToAllAtMostOnceASecond() throws {
        var network = try #require(GossipNetwork.joined(6, seed: 40))
        var made: Set<UInt64> = []
        for step in 1...20 {
            let capacity = Capacity(signaturesPerSecond: UInt32(step) * 1000, free: 500)
            network.handle(.capacity(capacity), at: 2)
            network.run(until: 100)
            made.insert(network.nodes[2].engine.own.sequence)
        }
        #expect(2...4 ~= made.count, "\(made.count) records in two seconds")
        let isTold = network.run(until: 3_000) { network in
            network.nodes.indices.filter { $0 != 2 }.allSatisfy {
                network.nodes[$0].capacities[network.id(2)]?.signaturesPerSecond == 20_000
            }
        }
        #expect(isTold)
    }
}

extension GossipNetwork {
    /// Whether nobody below `border` takes anybody above it for alive, nor the other way round.
    func isParted(at border: Int) -> Bool {
        nodes.indices.allSatisfy { index in
            nodes.indices.allSatisfy { other in
                (index < border) == (other < border)
                    || nodes[index].engine.status(of: id(other))?.state == .dead
            }
        }
    }
}
