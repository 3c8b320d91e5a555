import Consensus
import Primitives
import TestSupport
import Testing

@testable import NodeCore

@Suite struct ServingTests {
    /// How many of `count` requests for the first blocks, of each of `peers` in turn, are answered.
    private func answers(
        _ cluster: inout Cluster, to peers: [PeerID], count: Int
    ) throws -> Int {
        let request = NodeMessage.consensus(.syncRequest(SyncRequest(from: 1)))
        let events = (0..<count).map { NodeEvent.received(peers[$0 % peers.count], request) }
        let moment = Moment(now: cluster.now, wall: Timestamp(1_000_000))
        let effects = try cluster.members[0].core?.handle(events, at: moment) ?? []
        return effects.count { effect in
            if case .send(_, .consensus(.syncResponse)) = effect { true } else { false }
        }
    }

    @Test func `strangers share what they are served, and looks count where they find little`()
        throws
    {
        var cluster = try Cluster(seed: 6)
        try cluster.run(milliseconds: 5_000)
        let strangers = (0..<20).map { PeerID(TestKeys.key(seed: 700, index: $0).publicKey) }
        #expect(try answers(&cluster, to: [strangers[0]], count: 1) == 1)
        let served = try answers(&cluster, to: strangers, count: 10_000)
        // 16 MiB, of which each request takes a look for itself and one for each block.
        #expect(served > 100)
        #expect(served < 16 << 20 / 4096 / 4, "\(served) at a height of \(cluster.height(0))")
        let validator = cluster.peer(1)
        #expect(try answers(&cluster, to: [validator], count: 1) == 1, "not one of them")
        cluster.now = cluster.now.advanced(byMilliseconds: 1_000)
        #expect(try answers(&cluster, to: [strangers[3]], count: 1) == 1, "it fills up with time")
    }
}
