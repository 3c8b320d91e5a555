import Consensus
import Primitives
import Testing

/// Finer points of P4 and P5: the order of writes, what counts as an answer, and restarts.
@Suite struct RecoveryDetailTests {
    private static let record = RecordID(low: 7, high: 1)

    private func asking(
        weights: [UInt64] = [1, 1, 1, 1], journal: [JournalRecord] = []
    ) throws -> Fixture {
        try Fixture(
            weights: weights, journal: journal, signing: .asking(RecoveryDetailTests.record))
    }

    private func answer(
        _ isFirst: Bool, view: View = 0, entry: Certificate? = nil, newest: Vote? = nil
    ) -> ConsensusMessage {
        .recoveryAnswer(
            RecoveryAnswer(
                epoch: 0, record: RecoveryDetailTests.record, isFirst: isFirst, view: view,
                entry: entry, newest: newest))
    }

    private func request(_ record: RecordID = RecoveryDetailTests.record) -> ConsensusMessage {
        .recoveryRequest(RecoveryRequest(epoch: 0, record: record))
    }

    // MARK: The floor

    @Test func `P4 the floor is on disk before the first vote above it`() throws {
        var fixture = try asking()
        _ = fixture.feed(.start)
        let block = fixture.block(1, on: fixture.genesis)
        let notarized = fixture.certificate(.notarize, 1, block.digest)
        #expect(fixture.deliver(.certificate(notarized))?.votes == [])
        _ = fixture.deliver(answer(true), from: 1)
        let effects = fixture.deliver(answer(true), from: 2) ?? []
        #expect(effects.votes.map(\.subject) == [notarized.finalizeSubject], "at once")
        #expect(effects.recordsComeFirst)
        let written = effects.flatMap { effect in
            if case .persist(let records, _) = effect { records } else { [JournalRecord]() }
        }
        #expect(written == [.floor(0)] + effects.votes.map(JournalRecord.vote))
    }

    @Test func `P4 whoever vouches for no view doesn't count for the floor`() throws {
        var fixture = try asking()
        _ = fixture.feed(.start)
        let entry = fixture.certificate(.nullify, 8)
        _ = fixture.deliver(answer(false), from: 1)
        _ = fixture.deliver(answer(false), from: 2)
        _ = fixture.deliver(answer(false, view: 9, entry: entry), from: 3)
        #expect(fixture.engine.floor == nil, "only one stands anywhere")
        _ = fixture.deliver(answer(false, view: 9, entry: entry), from: 1)
        #expect(fixture.engine.floor == nil, "two")
        _ = fixture.deliver(answer(false, view: 8, entry: entry), from: 2)
        #expect(fixture.engine.floor == 10, "a later answer takes the place of an earlier one")
    }

    @Test func `P4 the floor is above the own view too, wherever that came from`() throws {
        var fixture = try asking()
        _ = fixture.feed(.start)
        _ = fixture.deliver(.certificate(fixture.certificate(.nullify, 12)))
        let entry = fixture.certificate(.nullify, 8)
        for index in 1...3 {
            _ = fixture.deliver(answer(false, view: 9, entry: entry), from: index)
        }
        #expect(fixture.engine.view == 13 && fixture.engine.floor == 14)
    }

    @Test func `the floor 0 of a validator that asked survives a journal made short`() throws {
        var fixture = try asking()
        _ = fixture.feed(.start)
        for index in 1...2 { _ = fixture.deliver(answer(true), from: index) }
        #expect(fixture.engine.floor == 0)
        let restarted = try asking(journal: fixture.engine.liveRecords)
        #expect(restarted.engine.floor == 0, "or it would count as one that lost its record")
    }

    // MARK: Restart

    @Test func `a committee of one goes on by itself after a restart`() throws {
        var fixture = try asking(weights: [1], journal: [.floor(0)])
        #expect(fixture.engine.isRecovering)
        let started = fixture.feed(.start)
        #expect(!fixture.engine.isRecovering)
        #expect(started.contains { if case .build = $0 { true } else { false } })
    }

    @Test func `P4 a validator with a record asks again until a quorum answered`() throws {
        var fixture = try asking(journal: [.floor(0)])
        #expect(fixture.feed(.start).contains(.broadcast(request())))
        for _ in 0..<3 {
            #expect(fixture.expire(.recovery, after: 200).contains(.broadcast(request())))
        }
        for index in 1...2 { _ = fixture.deliver(answer(false, view: 1), from: index) }
        #expect(!fixture.engine.isRecovering)
        #expect(!fixture.expire(.recovery, after: 1_000).contains(.broadcast(request())))
    }

    @Test func `P4 what became notarized meanwhile is finalized once enough answered`() throws {
        var fixture = try asking(journal: [.floor(0)])
        _ = fixture.feed(.start)
        let block = fixture.block(1, on: fixture.genesis)
        let notarized = fixture.certificate(.notarize, 1, block.digest)
        #expect(fixture.deliver(.certificate(notarized))?.votes == [])
        _ = fixture.deliver(answer(false, view: 1), from: 1)
        let effects = fixture.deliver(answer(false, view: 1), from: 2) ?? []
        #expect(effects.votes.map(\.subject) == [notarized.finalizeSubject])
    }

    @Test func `P4 known to nobody it signs nothing either in views that others have left`() throws
    {
        var fixture = try asking()
        _ = fixture.feed(.start)
        let entry = fixture.certificate(.nullify, 8)
        _ = fixture.deliver(answer(true, view: 9, entry: entry), from: 1)
        _ = fixture.deliver(answer(true, view: 1), from: 2)
        #expect(fixture.engine.floor == 0 && fixture.engine.abstinence == 8)
        let block = fixture.block(5, on: fixture.genesis)
        let certificate = fixture.certificate(.notarize, 5, block.digest)
        #expect(fixture.deliver(.certificate(certificate))?.votes == [], "no finalize vote")
        #expect(fixture.expire(.view, after: 9_000).votes.map(\.view) == [9])
    }

    // MARK: Answers

    @Test func `a forged newest vote stops nobody`() throws {
        var fixture = try asking(journal: [.floor(0)])
        _ = fixture.feed(.start)
        let other = fixture.vote(.nullify, 4, by: 1)
        let forged = Vote(
            subject: other.subject, signer: ValidatorIndex(0), signature: other.signature)
        #expect(fixture.deliver(answer(false, newest: forged), from: 1) == nil)
        #expect(!fixture.engine.halted)
    }

    @Test func `without the certificate that opened its view a node vouches for none`() throws {
        let probe = try Fixture()
        let journal: [JournalRecord] = [.floor(0), .vote(probe.vote(.nullify, 9, by: 0))]
        var fixture = try asking(journal: journal)
        #expect(fixture.engine.view == 9)
        _ = fixture.feed(.start)
        let sent = fixture.deliver(request(), from: 1)?.sent ?? []
        let answers = sent.compactMap { message in
            if case .recoveryAnswer(let answer) = message { answer } else { nil }
        }
        #expect(answers.map(\.view) == [0] && answers.map(\.entry) == [nil])
    }

    @Test func `questions beyond the allowance get no answer until the next unit of time`() throws {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        var answers = 0
        for _ in 0..<100 { answers += fixture.deliver(request())?.sent.count ?? 0 }
        #expect(answers == Int(ConsensusLimits.requestBurst))
        fixture.now += 50
        #expect(fixture.deliver(request())?.sent.count == 1)
    }
}

extension Certificate {
    /// What a holder of this notarization may sign.
    fileprivate var finalizeSubject: VoteSubject {
        VoteSubject(kind: .finalize, epoch: subject.epoch, view: view, digest: digest)
    }
}
