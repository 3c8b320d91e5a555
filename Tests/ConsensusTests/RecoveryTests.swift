import Consensus
import Primitives
import TestSupport
import Testing

/// A validator whose signing record is empty: it asks, and signs above what it may have signed.
@Suite struct RecoveryTests {
    private static let record = RecordID(low: 7, high: 1)

    private func asking(
        own: Int = 0, weights: [UInt64] = [1, 1, 1, 1], journal: [JournalRecord] = []
    ) throws -> Fixture {
        try Fixture(
            own: own, weights: weights, journal: journal, signing: .asking(RecoveryTests.record))
    }

    private func answer(
        _ isFirst: Bool, view: View = 0, entry: Certificate? = nil,
        record: RecordID = RecoveryTests.record, newest: Vote? = nil
    ) -> ConsensusMessage {
        .recoveryAnswer(
            RecoveryAnswer(
                epoch: 0, record: record, isFirst: isFirst, view: view, entry: entry,
                newest: newest))
    }

    // MARK: Asking

    @Test func `P4 an empty record signs nothing and asks, again and again`() throws {
        let leader = try Fixture().leader(of: 1)
        var fixture = try asking(own: leader)
        let request = ConsensusMessage.recoveryRequest(
            RecoveryRequest(epoch: 0, record: RecoveryTests.record))
        let started = fixture.feed(.start)
        #expect(started.contains(.broadcast(request)))
        #expect(!started.contains { if case .build = $0 { true } else { false } })
        #expect(fixture.expire(.recovery, after: 200).contains(.broadcast(request)))
        let block = fixture.block(1, on: fixture.genesis)
        #expect(fixture.expire(.view, after: 9_000).votes.isEmpty)
        let notarized = fixture.certificate(.notarize, 1, block.digest)
        #expect(fixture.deliver(.certificate(notarized))?.votes == [])
        #expect(fixture.engine.isRecovering)
    }

    @Test func `P4 known to nobody, with a quorum that says so, it signs at once`() throws {
        let leader = try Fixture().leader(of: 1)
        var fixture = try asking(own: leader)
        _ = fixture.feed(.start)
        #expect(fixture.deliver(answer(true), from: (leader + 1) % 4)?.isEmpty == true)
        let effects = fixture.deliver(answer(true), from: (leader + 2) % 4) ?? []
        #expect(effects.contains(.persist([.floor(0)], sync: true)))
        #expect(effects.contains { if case .build = $0 { true } else { false } })
        #expect(!fixture.engine.isRecovering)
    }

    @Test func `P4 views of a quorum of others give the floor, and nothing is signed up to it`()
        throws
    {
        var fixture = try asking()
        _ = fixture.feed(.start)
        let entry = fixture.certificate(.nullify, 8)
        _ = fixture.deliver(answer(false, view: 9, entry: entry), from: 1)
        _ = fixture.deliver(answer(false, view: 1), from: 2)
        #expect(fixture.engine.floor == nil, "one of three others is missing")
        let effects = fixture.deliver(answer(true, view: 9, entry: entry), from: 3) ?? []
        #expect(effects.contains(.persist([.floor(10)], sync: true)))
        #expect(fixture.engine.view == 9)
        #expect(fixture.expire(.view, after: 9_000).votes.isEmpty, "view 9")
        let block = fixture.block(10, on: fixture.genesis)
        let tenth = fixture.certificate(.notarize, 10, block.digest)
        _ = fixture.deliver(.certificate(fixture.certificate(.nullify, 9)))
        #expect(fixture.expire(.view, after: 9_000).votes.isEmpty, "view 10")
        let left = fixture.deliver(.certificate(tenth)) ?? []
        #expect(left.votes.isEmpty, "no finalize vote at the floor either")
        #expect(left.contains(.persist([], sync: true)), "what leads above is durable")
        #expect(fixture.expire(.view, after: 9_000).votes.map(\.view) == [11])
    }

    @Test func `P4 an answer counts once, for its record, with a proof of its view`() throws {
        var fixture = try asking()
        _ = fixture.feed(.start)
        let entry = fixture.certificate(.nullify, 8)
        let other = RecordID(low: 8, high: 1)
        for _ in 0..<5 { _ = fixture.deliver(answer(true), from: 1) }
        #expect(fixture.deliver(answer(true, record: other), from: 2) == nil)
        #expect(fixture.deliver(answer(true), from: 0) == nil, "the own answer")
        let unproven: [(View, Certificate?)] = [(2, nil), (10, entry)]
        for (view, proof) in unproven {
            let effects = fixture.deliver(answer(true, view: view, entry: proof), from: 2) ?? []
            #expect(effects == [.penalise(fixture.peer(2), .malformed)])
        }
        let light = fixture.certificate(.nullify, 8, by: [2, 3])
        #expect(fixture.deliver(answer(true, view: 9, entry: light), from: 2) == nil)
        #expect(fixture.engine.floor == nil)
    }

    @Test func `P4 a validator heavier than F comes back only as a new one`() throws {
        var fixture = try asking(weights: [4, 2, 2, 2])
        _ = fixture.feed(.start)
        let entry = fixture.certificate(.nullify, 8, by: [0, 1, 2, 3])
        for index in 1...3 {
            _ = fixture.deliver(answer(false, view: 9, entry: entry), from: index)
        }
        #expect(fixture.engine.floor == nil, "others of weight 6 are no quorum of 7")
    }

    @Test func `a committee of one begins by itself`() throws {
        var fixture = try asking(weights: [1])
        #expect(fixture.feed(.start).contains(.persist([.floor(0)], sync: true)))
    }

    // MARK: Restart

    @Test func `the floor holds over restarts, and over a journal made short`() throws {
        var fixture = try asking()
        _ = fixture.feed(.start)
        let entry = fixture.certificate(.nullify, 8)
        for index in 1...3 {
            _ = fixture.deliver(answer(false, view: 9, entry: entry), from: index)
        }
        for journal in [fixture.journal, fixture.engine.liveRecords] {
            var restarted = try asking(journal: journal)
            #expect(restarted.engine.floor == 10)
            let votes = restarted.feed(.start) + restarted.expire(.view, after: 9_000)
            #expect(votes.votes.isEmpty)
        }
        var before = try asking(journal: fixture.journal.filter { $0 != .floor(10) })
        #expect(before.engine.floor == nil, "without its floor the journal asks again")
        #expect(before.feed(.start).votes.isEmpty)
    }

    /// A validator that voted in view 1 and starts again.
    private func restarted() throws -> Fixture {
        var fixture = try asking(journal: [.floor(0)])
        _ = fixture.feed(.start)
        _ = fixture.deliver(answer(true, view: 1), from: 1)
        _ = fixture.deliver(answer(true, view: 1), from: 2)
        #expect(fixture.expire(.view, after: 9_000).votes.map(\.view) == [1])
        return try asking(journal: fixture.journal)
    }

    @Test func `P4 after a start nothing new is signed before a quorum was heard`() throws {
        var fixture = try restarted()
        #expect(fixture.engine.floor == 0 && fixture.engine.isRecovering)
        let request = RecoveryRequest(epoch: 0, record: RecoveryTests.record)
        let started = fixture.feed(.start)
        #expect(started.contains(.broadcast(.recoveryRequest(request))))
        #expect(started.votes.map(\.view) == [1], "what was signed is sent again")
        _ = fixture.deliver(.certificate(fixture.certificate(.nullify, 1, by: [1, 2, 3])))
        #expect(fixture.expire(.view, after: 9_000).votes.filter { $0.view > 1 } == [])
        _ = fixture.deliver(answer(false, view: 1), from: 1)
        #expect(fixture.engine.isRecovering, "with its own, weight 2 of 3")
        _ = fixture.deliver(answer(false), from: 2)
        #expect(!fixture.engine.isRecovering && fixture.engine.abstinence == 0)
        #expect(fixture.expire(.view, after: 9_000).votes.map(\.view) == [2])
    }

    @Test func `P4 after a start nothing is signed in views that others have left`() throws {
        var fixture = try restarted()
        _ = fixture.feed(.start)
        let entry = fixture.certificate(.nullify, 8, by: [1, 2, 3])
        let block = fixture.block(5, on: fixture.genesis)
        _ = fixture.deliver(answer(false, view: 9, entry: entry), from: 1)
        _ = fixture.deliver(answer(false, view: 1), from: 2)
        #expect(fixture.engine.abstinence == 8)
        let certificate = fixture.certificate(.notarize, 5, block.digest, by: [1, 2, 3])
        #expect(fixture.deliver(.certificate(certificate))?.votes == [], "no finalize vote")
        #expect(fixture.expire(.view, after: 9_000).votes.map(\.view) == [9])
    }

    @Test func `P5 an answer with a vote that isn't in the record stops an old copy`() throws {
        var fixture = try restarted()
        _ = fixture.feed(.start)
        let known = fixture.engine.liveRecords.compactMap { record in
            if case .vote(let vote) = record { vote } else { nil }
        }
        _ = fixture.deliver(answer(false, view: 1, newest: known.first), from: 1)
        #expect(known.count == 1 && !fixture.engine.halted)
        let ofOther = fixture.vote(.nullify, 4, by: 1)
        let effects = fixture.deliver(answer(false, newest: ofOther), from: 2) ?? []
        #expect(effects == [.penalise(fixture.peer(2), .malformed)])
        let foreign = fixture.vote(.nullify, 4, by: 0)
        _ = fixture.deliver(answer(false, newest: foreign), from: 2)
        #expect(fixture.engine.stopCause == .foreignSignature)
    }

    @Test func `an answer has the newest vote of whoever asks`() throws {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        #expect(ask(&fixture, RecoveryTests.record, as: 1)?.newest == nil)
        let (early, late) = (fixture.vote(.nullify, 2, by: 1), fixture.vote(.nullify, 3, by: 1))
        for vote in [late, early] { _ = fixture.deliver(.vote(vote), from: 1) }
        #expect(ask(&fixture, RecoveryTests.record, as: 1)?.newest == late)
        #expect(ask(&fixture, RecoveryTests.record, as: 2)?.newest == nil)
    }

    // MARK: Answering

    private func ask(_ fixture: inout Fixture, _ record: RecordID, as index: Int) -> RecoveryAnswer?
    {
        let request = RecoveryRequest(epoch: 0, record: record)
        let sent = fixture.deliver(.recoveryRequest(request), from: index)?.sent ?? []
        for case .recoveryAnswer(let answer) in sent { return answer }
        return nil
    }

    @Test func `the first record of a validator is kept before the answer, and no other is first`()
        throws
    {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        let (first, second) = (RecordID(low: 1, high: 1), RecordID(low: 2, high: 2))
        let request = ConsensusMessage.recoveryRequest(RecoveryRequest(epoch: 0, record: first))
        let effects = fixture.deliver(request, from: 2) ?? []
        #expect(effects.first == .persist([.introduced(ValidatorIndex(2), first)], sync: true))
        #expect(effects.count == 2 && effects.sent.count == 1)
        #expect(ask(&fixture, second, as: 2)?.isFirst == false)
        #expect(ask(&fixture, first, as: 2)?.isFirst == true)
        #expect(ask(&fixture, second, as: 3)?.isFirst == true)
        var restarted = try Fixture(journal: fixture.engine.liveRecords)
        _ = restarted.feed(.start)
        #expect(ask(&restarted, second, as: 2)?.isFirst == false)
        #expect(ask(&restarted, first, as: 2)?.isFirst == true)
    }

    @Test func `an answer names the view with the certificate that opened it`() throws {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        #expect(ask(&fixture, RecoveryTests.record, as: 1)?.view == 1)
        let entry = fixture.certificate(.nullify, 8)
        _ = fixture.deliver(.certificate(entry))
        let answer = ask(&fixture, RecoveryTests.record, as: 1)
        #expect(answer?.view == 9 && answer?.entry == entry)
    }

    @Test func `who recovers vouches for no view before the floor, and forgot whom it knew`() throws
    {
        var fixture = try asking()
        _ = fixture.feed(.start)
        let other = RecordID(low: 3, high: 3)
        let fresh = ask(&fixture, other, as: 1)
        #expect(fresh?.isFirst == true && fresh?.view == 0, "at the network's first start")
        let entry = fixture.certificate(.nullify, 8)
        for index in 1...3 {
            _ = fixture.deliver(answer(false, view: 9, entry: entry), from: index)
        }
        let silent = ask(&fixture, other, as: 1)
        #expect(silent?.isFirst == false && silent?.view == 0, "at the floor it has nothing to say")
        _ = fixture.deliver(.certificate(fixture.certificate(.nullify, 10)))
        let later = ask(&fixture, other, as: 1)
        #expect(later?.isFirst == false && later?.view == 11)
    }

    @Test func `a stranger and an observer get and give no answers`() throws {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        let request = ConsensusMessage.recoveryRequest(
            RecoveryRequest(epoch: 0, record: RecoveryTests.record))
        let stranger = PeerID(Fixture.keys[6].publicKey)
        let verified = try #require(Verified.check(request, in: fixture.engine.context))
        #expect(fixture.feed(.message(from: stranger, verified)).isEmpty)
        var observer = try Fixture(signing: .observer)
        _ = observer.feed(.start)
        #expect(observer.deliver(request)?.isEmpty == true)
    }

    // MARK: A second process with the key

    @Test func `P5 an own signature that isn't in the record stops the node`() throws {
        let probe = try Fixture()
        let other = probe.view(ledBy: 0, false)
        let block = probe.block(other, on: probe.genesis)
        let own = probe.view(ledBy: 0)
        let messages: [ConsensusMessage] = [
            .certificate(probe.certificate(.nullify, 3, by: [0, 1, 2])),
            .vote(probe.vote(.nullify, 2, by: 0)),
            .vote(probe.vote(.finalize, other, block.digest, by: 0)),
            probe.proposal(probe.block(own, on: probe.genesis)),
        ]
        for message in messages {
            var fixture = try Fixture()
            _ = fixture.feed(.start)
            let effects = fixture.deliver(message) ?? []
            let halts = effects.contains { if case .halt = $0 { true } else { false } }
            #expect(halts && effects.votes.isEmpty, "\(message)")
            #expect(fixture.engine.stopCause == .foreignSignature)
            #expect(fixture.expire(.view, after: 9_000).isEmpty)
        }
    }

    @Test func `P5 own signatures of the record, at the floor and below it stop nothing`() throws {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        let vote = fixture.expire(.view, after: 9_000).votes
        #expect(vote.count == 1)
        let certificate = fixture.certificate(.nullify, 1, by: [0, 1, 2])
        #expect(fixture.deliver(.vote(vote[0])) == nil)
        _ = fixture.deliver(.certificate(certificate))
        #expect(fixture.engine.view == 2 && !fixture.engine.halted)

        var recovering = try asking()
        _ = recovering.feed(.start)
        let entry = recovering.certificate(.nullify, 8, by: [0, 1, 2])
        #expect(recovering.deliver(.vote(recovering.vote(.nullify, 5, by: 0))) == nil)
        for index in 1...3 {
            _ = recovering.deliver(answer(false, view: 9, entry: entry), from: index)
        }
        _ = recovering.deliver(.certificate(recovering.certificate(.nullify, 9, by: [0, 1, 2])))
        #expect(!recovering.engine.halted)
        _ = recovering.deliver(.certificate(recovering.certificate(.nullify, 11, by: [0, 1, 2])))
        #expect(recovering.engine.stopCause == .foreignSignature, "above the floor it does")
    }

    // MARK: Bytes

    @Test func `messages and records have their frozen bytes`() throws {
        let record = RecordID(low: 0x0807_0605_0403_0201, high: 0x100F_0E0D_0C0B_0A09)
        let id = "0102030405060708090a0b0c0d0e0f10"
        #expect(record == RecordID([UInt8](1...16)) && record.description == id)
        #expect(RecordID([1]) == nil)
        let zero = String(repeating: "00", count: 8)
        let request = ConsensusMessage.recoveryRequest(RecoveryRequest(epoch: 0, record: record))
        #expect(Hex.encode(request.bcsBytes) == "09" + zero + id)
        let answer = ConsensusMessage.recoveryAnswer(
            RecoveryAnswer(
                epoch: 0, record: record, isFirst: true, view: 1, entry: nil, newest: nil))
        let bytes = "0a" + zero + id + "01" + "0100000000000000" + "0000"
        #expect(Hex.encode(answer.bcsBytes) == bytes)
        let floor = JournalRecord.floor(258)
        #expect(Hex.encode(floor.bcsBytes) == "030201000000000000")
        let introduced = JournalRecord.introduced(ValidatorIndex(3), record)
        #expect(Hex.encode(introduced.bcsBytes) == "040300" + id)
        for value in [floor, introduced] {
            #expect(try JournalRecord(bcs: value.bcsBytes) == value)
        }
    }
}
