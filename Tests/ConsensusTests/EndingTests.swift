import Consensus
import Primitives
import Testing

/// The end of an epoch, whose last height is 1.
@Suite struct EndingTests {
    private let nextSet = Digest.hash(.random, [1])

    private func fixture(own: Int? = 0) throws -> Fixture {
        var fixture = try Fixture(own: own, lastHeight: 1)
        _ = fixture.feed(.start)
        return fixture
    }

    private func boundary(_ fixture: Fixture, in view: View = 1) -> Block {
        fixture.block(view, on: fixture.genesis, nextSet: nextSet)
    }

    private func ends(_ effects: [ConsensusEffect]) -> [EpochEnd] {
        effects.compactMap { effect in
            if case .commitLast(_, let end) = effect { end } else { nil }
        }
    }

    private func votes(_ fixture: inout Fixture, for block: Block) -> Bool {
        let effects = fixture.deliver(fixture.proposal(block)) ?? []
        let checked = fixture.feed(.blockChecked(block.digest, valid: true))
        return (effects + checked).votes.contains { $0.digest == block.digest }
    }

    /// One that doesn't lead view 1.
    private var voter: Int {
        get throws { try Fixture().leader(of: 1) == 0 ? 1 : 0 }
    }

    @Test func `the boundary block names a committee, no other does, and none above is full`()
        throws
    {
        var fixture = try fixture(own: voter)
        #expect(votes(&fixture, for: boundary(fixture)))
        for wrong in [
            fixture.block(1, on: fixture.genesis),
            fixture.block(1, on: fixture.genesis, payload: [], nextSet: nextSet, tail: true),
        ] {
            var other = try self.fixture(own: voter)
            #expect(!votes(&other, for: wrong))
        }
        var endless = try Fixture(own: voter)
        _ = endless.feed(.start)
        #expect(!votes(&endless, for: boundary(endless)))
        var early = try Fixture(own: voter, lastHeight: 2)
        _ = early.feed(.start)
        #expect(!votes(&early, for: boundary(early)))
    }

    @Test func `a finalization of the boundary block ends the epoch with its proof`() throws {
        var fixture = try fixture()
        let block = boundary(fixture)
        _ = fixture.deliver(fixture.proposal(block))
        let certificate = fixture.certificate(.finalize, 1, block.digest, by: [1, 2, 3])
        let effects = fixture.deliver(.certificate(certificate)) ?? []
        let end = try #require(ends(effects).first)
        #expect(end.isLinked && end.tails.isEmpty && end.boundary == block.header)
        #expect(effects.contains(.commitLast([block], end)))
        #expect(fixture.engine.end == end && fixture.engine.finalizedHeight == 1)
        #expect(try EpochEnd(bcs: end.bcsBytes) == end)
    }

    @Test func `a tail block makes the boundary block final, and isn't committed`() throws {
        var fixture = try fixture()
        let block = boundary(fixture)
        let tail = fixture.block(2, on: block, payload: [], tail: true)
        _ = fixture.deliver(fixture.proposal(block))
        let notarization = fixture.certificate(.notarize, 1, block.digest, by: [1, 2, 3])
        _ = fixture.deliver(.certificate(notarization))
        _ = fixture.deliver(fixture.proposal(tail, parentCertificate: notarization))
        let certificate = fixture.certificate(.finalize, 2, tail.digest, by: [1, 2, 3])
        let effects = fixture.deliver(.certificate(certificate)) ?? []
        let end = try #require(ends(effects).first)
        #expect(end.isLinked && end.tails == [tail.header] && end.tailBlocks == [tail])
        #expect(effects.contains(.commitLast([block], end)))
        #expect(fixture.engine.finalized == block)
        let unlinked = [
            EpochEnd(boundary: block, tails: [], certificate: certificate),
            EpochEnd(boundary: tail, tails: [], certificate: certificate),
            EpochEnd(boundary: block, tails: [tail, tail], certificate: certificate),
            EpochEnd(boundary: block, tails: [tail], certificate: notarization),
        ]
        #expect(unlinked.allSatisfy { !$0.isLinked })
    }

    @Test func `whoever leads after the boundary block proposes a tail when Δ is over`() throws {
        let probe = try Fixture()
        let leader = probe.leader(of: 2)
        var fixture = try fixture(own: leader)
        let block = boundary(fixture)
        _ = fixture.deliver(fixture.proposal(block))
        let others = (0..<4).filter { $0 != leader }
        let notarization = fixture.certificate(.notarize, 1, block.digest, by: others)
        let entered = fixture.deliver(.certificate(notarization)) ?? []
        #expect(fixture.engine.view == 2)
        #expect(
            !entered.contains { if case .build = $0 { true } else { false } },
            "nobody is asked what to order")
        let proposed = fixture.expire(.idle, after: 1_000).proposals
        let tail = try #require(proposed.first?.block)
        #expect(tail.header.tail && tail.payload.isEmpty && tail.height == 2)
        #expect(tail.executed == block.executed && tail.header.nextSetHash == nil)
    }

    @Test func `a tail that claims another state gets no vote`() throws {
        let probe = try Fixture()
        let leaders = [probe.leader(of: 1), probe.leader(of: 2)]
        let voter = try #require((0..<4).first { !leaders.contains($0) })
        var fixture = try fixture(own: voter)
        let block = boundary(fixture)
        _ = fixture.deliver(fixture.proposal(block))
        let others = (0..<4).filter { $0 != voter }
        let notarization = fixture.certificate(.notarize, 1, block.digest, by: others)
        _ = fixture.deliver(.certificate(notarization))
        let right = fixture.block(2, on: block, payload: [], tail: true)
        let header = BlockHeader(
            chainID: right.chainID, epoch: 0, view: 2, height: 2, parent: right.parent,
            proposer: right.proposer, time: right.time,
            executed: ExecutedRef(height: 1, stateRoot: .zero), payloadRoot: right.payloadRoot,
            tail: true)
        let wrong = Block(header: header, payload: [])
        var copy = fixture
        let message = fixture.proposal(right, parentCertificate: notarization)
        #expect(
            (fixture.deliver(message) ?? []).votes.contains { $0.digest == right.digest })
        let other = copy.proposal(wrong, parentCertificate: notarization)
        #expect(!(copy.deliver(other) ?? []).votes.contains { $0.digest == wrong.digest })
    }

    @Test func `whoever lacks a tail that nobody kept takes another proof of the same end`()
        throws
    {
        var fixture = try fixture()
        let block = boundary(fixture)
        let lost = fixture.block(2, on: block, payload: [], tail: true)
        let tail = fixture.block(3, on: lost, payload: [], tail: true)
        _ = fixture.deliver(fixture.proposal(block))
        let notarized = [block, lost].map {
            fixture.certificate(.notarize, $0.view, $0.digest, by: [1, 2, 3])
        }
        let newer = fixture.certificate(.finalize, 3, tail.digest, by: [1, 2, 3])
        let asked = fixture.deliver(
            notarized.map { .certificate($0) } + [
                fixture.proposal(tail, parentCertificate: notarized[1]), .certificate(newer),
            ]
        ).sent
        #expect(asked.contains(.blockRequest(BlockRequest(epoch: 0, ref: lost.ref))))
        #expect(asked.contains(.syncRequest(SyncRequest(from: 1))))
        let older = fixture.certificate(.finalize, 1, block.digest, by: [1, 2, 3])
        let response = SyncResponse(blocks: [block], certificate: older)
        let end = try #require(ends(fixture.deliver(.syncResponse(response)) ?? []).first)
        #expect(end.isLinked && end.tails.isEmpty && end.certificate == older)
        let status = Status(epoch: 0, view: 1, height: 0, finalization: nil)
        #expect(
            fixture.deliver(.status(status))?.sent == [.certificate(older)],
            "others get the proof whose blocks are here")
    }

    @Test func `an engine whose epoch is over signs nothing and helps others to the end`() throws {
        var fixture = try fixture()
        let block = boundary(fixture)
        _ = fixture.deliver(fixture.proposal(block))
        let certificate = fixture.certificate(.finalize, 1, block.digest, by: [1, 2, 3])
        _ = fixture.deliver(.certificate(certificate))
        for id in TimerID.allCases { #expect(fixture.expire(id, after: 100_000).isEmpty) }
        let status = Status(epoch: 0, view: 1, height: 0, finalization: nil)
        #expect(fixture.deliver(.status(status))?.sent == [.certificate(certificate)])
    }

    @Test func `records of another epoch tell an engine nothing, and are dropped`() throws {
        let probe = try Fixture()
        let vote = JournalRecord.vote(probe.vote(.nullify, 5, by: 0))
        var fixture = try Fixture(journal: [.epoch(3), vote])
        #expect(fixture.engine.view == 1)
        #expect(fixture.feed(.start).first == .compact([]))
        var same = try Fixture(journal: [vote])
        #expect(same.engine.view == 5)
        #expect(!same.feed(.start).contains { if case .compact = $0 { true } else { false } })
    }
}
