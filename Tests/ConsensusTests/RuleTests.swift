import Consensus
import Primitives
import Testing

/// Events and their effects, by the number of the rule. The engine under test is validator 0.
@Suite struct RuleTests {
    /// An engine in view 1 that doesn't lead it, and a block for that view.
    private func follower() throws -> (Fixture, Block) {
        let probe = try Fixture()
        let own = probe.leader(of: 1) == 0 ? 1 : 0
        var fixture = try Fixture(own: own)
        _ = fixture.feed(.start)
        return (fixture, fixture.block(1, on: fixture.genesis))
    }

    /// The others than the engine.
    private func others(_ fixture: Fixture) -> [Int] { (0..<4).filter { $0 != fixture.own } }

    @Test func `R1 a certificate of the current or a later view ends it`() throws {
        for kind in VoteKind.allCases {
            var (fixture, block) = try follower()
            let digest = kind == .nullify ? Digest.zero : block.digest
            let ahead = fixture.certificate(kind, 9, digest, by: others(fixture))
            _ = fixture.deliver(.certificate(ahead))
            #expect(fixture.engine.view == 10)
        }
    }

    @Test func `R2 entering a view sets its timers by the unit of time and the idle wait`() throws {
        var (fixture, _) = try follower()
        let effects = fixture.deliver(
            .certificate(fixture.certificate(.nullify, 1, by: others(fixture))))
        let start = fixture.now + 1_000
        #expect(effects?.contains(.setTimer(.proposal, Instant(milliseconds: start + 100))) == true)
        #expect(effects?.contains(.setTimer(.view, Instant(milliseconds: start + 150))) == true)
        #expect(effects?.contains(.setTimer(.retry, Instant(milliseconds: start + 200))) == true)
    }

    @Test func `R3 a late leader is given up once, and only when the timer is due`() throws {
        var (fixture, _) = try follower()
        #expect(fixture.expire(.proposal, after: 1_099).votes.isEmpty)
        let effects = fixture.expire(.proposal, after: 1)
        #expect(effects.votes.map(\.kind) == [.nullify])
        #expect(effects.recordsComeFirst)
        #expect(fixture.expire(.view, after: 50).votes.isEmpty)
    }

    @Test func `R3 a timer of an earlier view changes nothing`() throws {
        var (fixture, _) = try follower()
        let next = fixture.certificate(.nullify, 1, by: others(fixture))
        fixture.now += 1_090
        _ = fixture.deliver(.certificate(next))
        #expect(fixture.expire(.proposal, after: 10).votes.isEmpty)
    }

    @Test func `R3 the leader's own nullify vote ends the wait`() throws {
        var (fixture, _) = try follower()
        let vote = fixture.vote(.nullify, 1, by: fixture.leader(of: 1))
        #expect(fixture.deliver(.vote(vote))?.votes.map(\.kind) == [.nullify])
    }

    @Test func `R3 nullify votes with an honest one among them end the wait`() throws {
        var (fixture, _) = try follower()
        let leader = fixture.leader(of: 1)
        let voters = others(fixture).filter { $0 != leader }
        #expect(fixture.deliver(.vote(fixture.vote(.nullify, 1, by: voters[0])))?.votes == [])
        let second = fixture.deliver(.vote(fixture.vote(.nullify, 1, by: voters[1])))
        #expect(second?.votes.map(\.kind) == [.nullify])
    }

    @Test func `R3 work shortens the wait to twice the unit of time`() throws {
        var (fixture, _) = try follower()
        let due = Instant(milliseconds: fixture.now + 100)
        #expect(fixture.feed(.workAvailable).contains(.setTimer(.proposal, due)))
        #expect(fixture.feed(.workAvailable).isEmpty)
        #expect(fixture.expire(.proposal, after: 100).votes.map(\.kind) == [.nullify])
    }

    @Test func `R4 and R5 a leader asks for a block and proposes it with its reasons`() throws {
        let probe = try Fixture()
        let view = probe.view(after: 2, ledBy: 0)
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        let skips = (1..<view.rawValue).map { fixture.certificate(.nullify, View($0)) }
        let entered = fixture.deliver(skips.map(ConsensusMessage.certificate))
        let context = ChainContext(finalized: fixture.genesis, pending: [])
        #expect(entered.contains(.build(view, context, mayBeEmpty: false)))
        let contents = BlockContents(
            payload: [1, 2], executed: ExecutedRef(height: 0, stateRoot: .zero), time: 5)
        let effects = fixture.feed(.blockBuilt(view, contents))
        #expect(effects.recordsComeFirst)
        let proposals = effects.proposals
        try #require(proposals.count == 1)
        let proposal = proposals[0]
        #expect(proposal.block.time == fixture.genesis.time.next)
        #expect(proposal.skips.map(\.view) == skips.map(\.view).reversed().prefix(8).map(\.self))
        #expect(proposal.parentCertificate == nil)
        #expect(fixture.feed(.blockBuilt(view, contents)).isEmpty)
    }

    @Test func `R4 a leader that lacks the view before asks for it`() throws {
        let probe = try Fixture()
        let view = probe.view(after: 3, ledBy: 0)
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        let last = fixture.certificate(.nullify, View(view.rawValue - 1))
        let effects = fixture.deliver(.certificate(last)) ?? []
        let wanted = CertificateRequest(epoch: 0, view: View(view.rawValue - 2), want: .any)
        #expect(effects.sent.contains(.certificateRequest(wanted)))
    }

    @Test func `R6 a valid proposal is notarized after the check, block and vote on disk`() throws {
        var (fixture, block) = try follower()
        let asked = fixture.deliver(fixture.proposal(block))
        let context = ChainContext(finalized: fixture.genesis, pending: [])
        #expect(asked?.contains(.check(block, context)) == true)
        #expect(asked?.votes == [])
        let effects = fixture.feed(.blockChecked(block.digest, valid: true))
        #expect(effects.votes.map(\.subject) == [fixture.subject(.notarize, 1, block.digest)])
        #expect(effects.recordsComeFirst)
        #expect(fixture.journal.contains(.block(block)))
    }

    @Test func `R6a nothing is notarized after the own nullify vote`() throws {
        var (fixture, block) = try follower()
        _ = fixture.expire(.proposal, after: 1_100)
        _ = fixture.deliver(fixture.proposal(block))
        #expect(fixture.feed(.blockChecked(block.digest, valid: true)).votes.isEmpty)
    }

    @Test func `R6b a block in a wrong place is given up`() throws {
        let (fixture, good) = try follower()
        let header = good.header
        func altered(height: Height, parent: BlockRef, tail: Bool = false) -> Block {
            let other = BlockHeader(
                chainID: header.chainID, epoch: 0, view: 1, height: height, parent: parent,
                proposer: header.proposer, time: header.time, executed: header.executed,
                payloadRoot: header.payloadRoot, tail: tail)
            return Block(header: other, payload: good.payload)
        }
        let wrong = [
            altered(height: 2, parent: header.parent),
            altered(height: 1, parent: BlockRef(view: 1, digest: header.parent.digest)),
            altered(height: 1, parent: BlockRef(view: 0, digest: header.payloadRoot)),
            altered(height: 1, parent: header.parent, tail: true),
        ]
        for block in wrong {
            var fixture = fixture
            let effects = fixture.deliver(fixture.proposal(block))
            #expect(effects?.votes.map(\.kind) == [.nullify])
        }
    }

    @Test func `R6c and R6d what is missing is asked for, and then the block is notarized`() throws
    {
        var (fixture, first) = try follower()
        let others = others(fixture)
        let own = fixture.own ?? 0
        let view = fixture.view(after: 2, ledBy: own, false)
        let block = fixture.block(view, on: first)
        let parent = fixture.certificate(.notarize, 1, first.digest, by: others)
        let gaps = (2..<view.rawValue).map { fixture.certificate(.nullify, View($0), by: others) }
        let entry = fixture.certificate(.nullify, View(view.rawValue - 1), by: others)
        _ = fixture.deliver(.certificate(entry))
        let asked = fixture.deliver(fixture.proposal(block)) ?? []
        #expect(asked.votes.isEmpty)
        let wanted = CertificateRequest(epoch: 0, view: 1, want: .notarization)
        #expect(asked.sent.contains(.certificateRequest(wanted)))
        #expect(asked.sent.contains(.blockRequest(BlockRequest(epoch: 0, ref: first.ref))))
        for gap in gaps.dropLast() {
            let request = CertificateRequest(epoch: 0, view: gap.view, want: .nullification)
            #expect(asked.sent.contains(.certificateRequest(request)))
        }
        _ = fixture.deliver(gaps.map(ConsensusMessage.certificate))
        _ = fixture.deliver(.certificate(parent))
        let complete = fixture.deliver(.block(first)) ?? []
        let context = ChainContext(finalized: fixture.genesis, pending: [first])
        #expect(complete.contains(.check(block, context)))
        let effects = fixture.feed(.blockChecked(block.digest, valid: true))
        #expect(effects.votes.contains { $0.subject.digest == block.digest })
    }

    @Test func `R6d a view that wasn't nullified can't be passed over`() throws {
        var (fixture, first) = try follower()
        let others = others(fixture)
        let notarized = fixture.certificate(.notarize, 1, first.digest, by: others)
        _ = fixture.deliver([fixture.proposal(first), .certificate(notarized)])
        let view = fixture.view(after: 1, ledBy: fixture.own ?? 0, false)
        for place in 2..<view.rawValue {
            let skip = fixture.certificate(.nullify, View(place), by: others)
            _ = fixture.deliver(.certificate(skip))
        }
        let block = fixture.block(view, on: fixture.genesis)
        let effects = fixture.deliver(fixture.proposal(block)) ?? []
        #expect(fixture.feed(.blockChecked(block.digest, valid: true)).votes.isEmpty)
        let request = CertificateRequest(epoch: 0, view: 1, want: .nullification)
        #expect(effects.sent.contains(.certificateRequest(request)))
    }

    @Test func `R6f a block that the application refuses is given up`() throws {
        var (fixture, block) = try follower()
        _ = fixture.deliver(fixture.proposal(block))
        let effects = fixture.feed(.blockChecked(block.digest, valid: false))
        #expect(effects.votes.map(\.kind) == [.nullify])
    }

    @Test func `R3 after many views without a block a refusal waits`() throws {
        var (fixture, _) = try follower()
        let view = fixture.view(after: 40, ledBy: fixture.own ?? 0, false)
        for place in 1..<view.rawValue {
            let skip = fixture.certificate(.nullify, View(place), by: others(fixture))
            _ = fixture.deliver(.certificate(skip))
        }
        let block = fixture.block(view, on: fixture.genesis)
        _ = fixture.deliver(fixture.proposal(block))
        let refusal = fixture.feed(.blockChecked(block.digest, valid: false))
        #expect(refusal.votes.isEmpty)
        let patience = Fixture.timing.deltaMax - Fixture.timing.deltaBase
        #expect(fixture.expire(.proposal, after: patience - 1).votes.isEmpty)
        #expect(fixture.expire(.proposal, after: 1).votes.map(\.kind) == [.nullify])
    }

    @Test func `R3 after many views without a block a leader without one waits`() throws {
        var (fixture, _) = try follower()
        let view = fixture.view(after: 40, ledBy: fixture.own ?? 0)
        for place in 1..<view.rawValue {
            let skip = fixture.certificate(.nullify, View(place), by: others(fixture))
            _ = fixture.deliver(.certificate(skip))
        }
        #expect(fixture.feed(.buildFailed(view)).votes.isEmpty)
        let patience = Fixture.timing.deltaMax - Fixture.timing.deltaBase
        #expect(fixture.expire(.proposal, after: patience).votes.map(\.kind) == [.nullify])
    }

    @Test func `R7 a request that isn't answered goes to the next member`() throws {
        var (fixture, first) = try follower()
        let finalized = fixture.certificate(.finalize, 1, first.digest, by: others(fixture))
        var targets: Set<PeerID> = []
        var effects = fixture.deliver(.certificate(finalized)) ?? []
        for _ in 0..<3 {
            for case .send(let peer, .blockRequest) in effects { targets.insert(peer) }
            effects = fixture.expire(.fetch, after: 50)
        }
        #expect(targets.count == 3)
        #expect(!targets.contains(fixture.peer(fixture.own ?? 0)))
    }

    @Test func `R8 two blocks of one leader are evidence, and only one gets a vote`() throws {
        var (fixture, block) = try follower()
        let other = fixture.block(1, on: fixture.genesis, payload: [8])
        _ = fixture.deliver(fixture.proposal(block))
        let effects = fixture.deliver(fixture.proposal(other)) ?? []
        let leader = fixture.leader(of: 1)
        let proof = Evidence(
            fixture.vote(.notarize, 1, block.digest, by: leader),
            fixture.vote(.notarize, 1, other.digest, by: leader))
        #expect(effects.contains { $0 == proof.map(ConsensusEffect.evidence) })
        #expect(fixture.feed(.blockChecked(block.digest, valid: true)).votes.count == 1)
        #expect(fixture.feed(.blockChecked(other.digest, valid: true)).votes.isEmpty)
    }

    @Test func `R8 finalize beside nullify is evidence, notarize beside nullify isn't`() throws {
        let (fixture, block) = try follower()
        let nullify = fixture.vote(.nullify, 1, by: 2)
        #expect(Evidence(fixture.vote(.finalize, 1, block.digest, by: 2), nullify) != nil)
        #expect(Evidence(fixture.vote(.notarize, 1, block.digest, by: 2), nullify) == nil)
        #expect(Evidence(nullify, nullify) == nil)
        #expect(Evidence(fixture.vote(.nullify, 2, by: 2), nullify) == nil)
    }
}
