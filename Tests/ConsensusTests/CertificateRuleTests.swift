import Consensus
import Primitives
import Testing

/// Rules on certificates, finality, repair and restart.
@Suite struct CertificateRuleTests {
    private func follower(
        weights: [UInt64] = [1, 1, 1, 1]
    ) throws -> (fixture: Fixture, block: Block, others: [Int]) {
        let probe = try Fixture(weights: weights)
        let own = probe.leader(of: 1) == 0 ? 1 : 0
        var fixture = try Fixture(own: own, weights: weights)
        _ = fixture.feed(.start)
        let others = weights.indices.filter { $0 != own }
        return (fixture, fixture.block(1, on: fixture.genesis), others)
    }

    @Test func `R9 and R10 a quorum's votes make one certificate that is sent on once`() throws {
        var (fixture, block, others) = try follower()
        let votes = others.map { fixture.vote(.notarize, 1, block.digest, by: $0) }
        #expect(fixture.deliver(.vote(votes[0]))?.certificates == [])
        #expect(fixture.deliver(.vote(votes[0])) == nil)
        #expect(fixture.deliver(.vote(votes[1]))?.certificates == [])
        let effects = fixture.deliver(.vote(votes[2])) ?? []
        #expect(effects.certificates.map(\.subject) == [votes[0].subject])
        #expect(fixture.engine.view == 2)
        let made = effects.certificates[0]
        #expect(Verified.check(made, in: CertificateContext(committee: fixture.committee)) != nil)
        #expect(fixture.deliver(.certificate(made)) == nil)
    }

    @Test func `R9 weight counts, not the number of votes`() throws {
        var (fixture, block, others) = try follower(weights: [5, 5, 1, 5])
        let votes = others.map { fixture.vote(.notarize, 1, block.digest, by: $0) }
        let effects = fixture.deliver(votes.map(ConsensusMessage.vote))
        #expect(fixture.committee.quorum == 11)
        let sum = fixture.committee.weight(of: votes.map(\.signer))
        #expect(effects.certificates.isEmpty == (sum < 11))
    }

    @Test func `R11 contradicting certificates halt the engine for good`() throws {
        let (base, block, others) = try follower()
        let other = base.block(1, on: base.genesis, payload: [9])
        let notarized = base.certificate(.notarize, 1, block.digest, by: others)
        let pairs: [(Certificate, Certificate)] = [
            (notarized, base.certificate(.notarize, 1, other.digest, by: others)),
            (notarized, base.certificate(.finalize, 1, other.digest, by: others)),
            (
                base.certificate(.nullify, 1, by: others),
                base.certificate(.finalize, 1, block.digest, by: others)
            ),
        ]
        for (first, second) in pairs {
            var fixture = base
            _ = fixture.deliver(.certificate(first))
            let effects = fixture.deliver(.certificate(second)) ?? []
            #expect(effects.contains { if case .halt = $0 { true } else { false } })
            #expect(fixture.engine.halted)
            #expect(fixture.feed(.timer(.view)).isEmpty)
        }
    }

    @Test func `R12 what is certified counts, not the proposal that was stored`() throws {
        var (fixture, block, others) = try follower()
        let other = fixture.block(1, on: fixture.genesis, payload: [9])
        _ = fixture.deliver(fixture.proposal(block))
        _ = fixture.feed(.blockChecked(block.digest, valid: true))
        let effects =
            fixture.deliver(
                .certificate(fixture.certificate(.notarize, 1, other.digest, by: others))) ?? []
        #expect(effects.votes.map(\.subject) == [fixture.subject(.finalize, 1, other.digest)])
        #expect(effects.sent.contains(.blockRequest(BlockRequest(epoch: 0, ref: other.ref))))
    }

    @Test func `R13 a notarization is finalized, with or without the block`() throws {
        var (fixture, block, others) = try follower()
        let effects =
            fixture.deliver(
                .certificate(fixture.certificate(.notarize, 1, block.digest, by: others))) ?? []
        #expect(effects.votes.map(\.subject) == [fixture.subject(.finalize, 1, block.digest)])
        #expect(effects.recordsComeFirst)
    }

    @Test func `R13 a view that this node nullified isn't finalized, even after a restart`() throws
    {
        var (fixture, block, others) = try follower()
        _ = fixture.expire(.proposal, after: 1_100)
        let notarized = fixture.certificate(.notarize, 1, block.digest, by: others)
        var restarted = try Fixture(own: fixture.own, journal: fixture.journal)
        #expect(fixture.deliver(.certificate(notarized))?.votes == [])
        _ = restarted.feed(.start)
        #expect(restarted.deliver(.certificate(notarized))?.votes == [])
    }

    @Test func `R14 a late nullification doesn't stop the finalize vote, nor a late block`() throws
    {
        var (fixture, block, others) = try follower()
        _ = fixture.deliver(.certificate(fixture.certificate(.nullify, 1, by: others)))
        let effects = fixture.deliver(
            .certificate(fixture.certificate(.notarize, 1, block.digest, by: others)))
        #expect(effects?.votes.map(\.kind) == [.finalize])
        #expect(fixture.engine.view == 2)
    }

    @Test func `R15 a chain is committed once, in rising order, when its last block is there`()
        throws
    {
        var (fixture, first, others) = try follower()
        let second = fixture.block(2, on: first)
        let finalized = fixture.certificate(.finalize, 2, second.digest, by: others)
        #expect(fixture.deliver(.certificate(finalized))?.committed == [])
        #expect(fixture.engine.isCatchingUp)
        #expect(fixture.deliver(.block(second))?.committed == [])
        #expect(fixture.deliver(.block(first))?.committed == [first, second])
        #expect(fixture.deliver(.certificate(finalized)) == nil)
        #expect(fixture.engine.finalizedHeight == 2)
        #expect(fixture.engine.finalizedDigest == second.digest)
    }

    @Test func `R16 a stuck node sends its votes, its entry and its status again`() throws {
        var (fixture, block, others) = try follower()
        let notarized = fixture.certificate(.notarize, 1, block.digest, by: others)
        _ = fixture.deliver(.certificate(notarized))
        _ = fixture.expire(.view, after: 1_200)
        let effects = fixture.expire(.retry, after: 50)
        let isNew = fixture.leader(of: 2) != fixture.own
        #expect(effects.votes.contains { $0.kind == .finalize && $0.view == 1 })
        #expect(effects.votes.contains { $0.kind == .nullify && $0.view == 2 } || !isNew)
        #expect(effects.certificates == [notarized])
        #expect(effects.contains(.broadcast(.status(fixture.engine.status))))
        #expect(!effects.contains { if case .persist = $0 { true } else { false } })
    }

    @Test func `R17 somebody behind is helped once in a unit of time`() throws {
        var (fixture, block, others) = try follower()
        let entry = fixture.certificate(.nullify, 1, by: others)
        _ = fixture.deliver(.certificate(entry))
        let status = ConsensusMessage.status(
            Status(epoch: 0, view: 1, height: 0, finalization: nil))
        #expect(fixture.deliver(status, from: 2)?.sent == [.certificate(entry)])
        #expect(fixture.deliver(status, from: 2)?.sent == [])
        #expect(fixture.deliver(status, from: 3)?.sent == [.certificate(entry)])
        let final = fixture.certificate(.finalize, 2, block.digest, by: others)
        _ = fixture.deliver(.certificate(final))
        fixture.now += 50
        #expect(fixture.deliver(status, from: 2)?.sent == [.certificate(final)])
    }

    @Test func `R18 a status from ahead is answered with the own one`() throws {
        var (fixture, _, _) = try follower()
        let status = ConsensusMessage.status(
            Status(epoch: 0, view: 40, height: 9, finalization: nil))
        #expect(fixture.deliver(status, from: 2)?.sent == [.status(fixture.engine.status)])
        #expect(fixture.engine.view == 1)
    }

    @Test func `R19 a leader without work may propose an empty block after the idle time`() throws {
        let probe = try Fixture()
        var fixture = try Fixture(own: probe.leader(of: 1))
        let context = ChainContext(finalized: fixture.genesis, pending: [])
        #expect(fixture.feed(.start).contains(.build(1, context, mayBeEmpty: false)))
        #expect(fixture.expire(.idle, after: 999).isEmpty)
        #expect(fixture.expire(.idle, after: 1).contains(.build(1, context, mayBeEmpty: true)))
    }

    @Test func `R20 a block outside the bounds of the clock is given up`() throws {
        let (base, _, _) = try follower()
        let wall = Fixture.wall + base.now
        let times: [(UInt64, Bool)] = [
            (wall + 500, true), (wall + 501, false), (Fixture.wall, false), (wall, true),
        ]
        for (time, isTimely) in times {
            var fixture = base
            let block = fixture.block(1, on: fixture.genesis, time: time)
            let effects = fixture.deliver(fixture.proposal(block)) ?? []
            #expect(effects.votes.isEmpty == isTimely, "time \(time)")
        }
        var late = base
        late.now += 1_000
        let old = late.block(1, on: late.genesis, time: Fixture.wall + 1)
        late.now += 3_002
        #expect(late.deliver(late.proposal(old))?.votes.map(\.kind) == [.nullify])
    }

    @Test func `P3 a restart at any record sends the same votes and signs no others`() throws {
        var (fixture, block, others) = try follower()
        var sent = fixture.deliver(fixture.proposal(block))?.votes ?? []
        sent += fixture.feed(.blockChecked(block.digest, valid: true)).votes
        let notarized = fixture.certificate(.notarize, 1, block.digest, by: others)
        sent += fixture.deliver(.certificate(notarized))?.votes ?? []
        sent += fixture.expire(.view, after: 1_200).votes
        for length in 0...fixture.journal.count {
            let journal = Array(fixture.journal.prefix(length))
            var restarted = try Fixture(own: fixture.own, journal: journal)
            let again = restarted.feed(.start).votes
            for case .vote(let vote) in journal where vote.view == restarted.engine.view {
                #expect(again.contains(vote), "after \(length) records")
            }
            for vote in again {
                let clash = sent.contains { Evidence($0, vote) != nil }
                #expect(!clash, "after \(length) records")
            }
            #expect(restarted.engine.view > restarted.engine.finalizedView)
        }
    }

    @Test func `P4 without its record a key stays silent`() throws {
        let probe = try Fixture()
        var fixture = try Fixture(own: probe.leader(of: 1), signing: .observer)
        let started = fixture.feed(.start)
        #expect(!started.contains { if case .build = $0 { true } else { false } })
        let block = fixture.block(1, on: fixture.genesis)
        #expect(fixture.expire(.view, after: 9_000).votes.isEmpty)
        let notarized = fixture.certificate(.notarize, 1, block.digest)
        #expect(fixture.deliver(.certificate(notarized))?.votes == [])
    }
}
