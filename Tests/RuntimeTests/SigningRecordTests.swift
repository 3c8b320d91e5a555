import Consensus
import Foundation
import Primitives
import Testing

@testable import Runtime

@Suite("Signing record")
struct SigningRecordTests {
    private let folder: TemporaryFolder
    private var journal: String { folder.path + "/home/journal" }
    private var mark: String { folder.path + "/home/keys/validator.mark" }

    init() throws {
        folder = try TemporaryFolder()
        try PosixFolder.create(folder.path + "/home/keys")
    }

    private func store(_ name: String = "data") throws -> RocksStore {
        try RocksStore(folder: "\(folder.path)/home/\(name)")
    }

    private func open(_ store: RocksStore) throws -> SigningRecord {
        try SigningRecord.open(folder: journal, store: store, mark: mark)
    }

    private func vote(_ view: UInt64, epoch: Epoch = 0) -> Consensus.JournalRecord {
        let subject = VoteSubject(kind: .nullify, epoch: epoch, view: View(view), digest: .zero)
        let signature = Signature(r: .zero, s: .zero)
        return .vote(Vote(subject: subject, signer: ValidatorIndex(0), signature: signature))
    }

    /// Signs in the order that the core's thread keeps: journal, mark, message.
    private func sign(_ view: UInt64, epoch: Epoch = 0, in record: SigningRecord) throws {
        record.mark?.note(epoch, View(view))
        record.opened.journal.append(JournalRecord(vote(view, epoch: epoch)))
        try record.opened.journal.sync()
        try record.mark?.cover(record.opened.journal.position)
    }

    private func content() throws -> SigningMark.Content? {
        guard case .content(let content) = try SigningMark.look(at: mark) else { return nil }
        return content
    }

    private func copy(_ from: String, to other: String) throws {
        try? FileManager.default.removeItem(atPath: other)
        try FileManager.default.copyItem(atPath: from, toPath: other)
    }

    /// Whether the record was begun anew, under another id and with the old one put aside.
    private func expectLoss(
        _ record: SigningRecord, after former: InstanceID, _ words: String,
        location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(
            record.loss?.contains(words) == true, "\(record.loss ?? "none")",
            sourceLocation: location)
        #expect(record.opened.records.isEmpty, sourceLocation: location)
        #expect(record.opened.journal.instance != former, sourceLocation: location)
        #expect(try content()?.instance == record.opened.journal.instance, sourceLocation: location)
    }

    @Test("The first start makes a journal and a mark, the next one finds them")
    func firstStart() throws {
        let store = try store()
        let first = try open(store)
        #expect(first.loss == nil)
        #expect(try PosixFolder.permissions(of: mark) == 0o600)
        try sign(1, in: first)
        let second = try open(store)
        #expect(second.loss == nil)
        #expect(second.opened.records == [JournalRecord(vote(1))])
        #expect(second.opened.journal.instance == first.opened.journal.instance)
    }

    @Test("A first start that was cut short goes on")
    func crashAtFirstStart() throws {
        let first = try open(try store())
        try PosixFolder.remove(mark)
        let again = try open(try store("other"))
        #expect(again.loss == nil)
        #expect(again.opened.journal.instance == first.opened.journal.instance)
    }

    @Test("A deleted journal is a loss once; the start after that has the new one")
    func deletedJournal() throws {
        let store = try store()
        let first = try open(store)
        try sign(5, in: first)
        try FileManager.default.removeItem(atPath: journal)
        let second = try open(store)
        try expectLoss(second, after: first.opened.journal.instance, "no consensus journal")
        let third = try open(store)
        #expect(third.loss == nil)
        #expect(third.opened.journal.instance == second.opened.journal.instance)
    }

    @Test("Without store and journal the mark alone tells of a loss")
    func onlyMark() throws {
        let first = try open(try store())
        try FileManager.default.removeItem(atPath: journal)
        try expectLoss(
            try open(try store("other")), after: first.opened.journal.instance,
            "beside the voting key")
    }

    @Test("With the key alone nothing on disk tells it from a first start")
    func nothingLeft() throws {
        _ = try open(try store())
        try FileManager.default.removeItem(atPath: journal)
        try PosixFolder.remove(mark)
        let record = try open(try store("other"))
        #expect(record.loss == nil && record.opened.records.isEmpty)
    }

    @Test("A journal beside a new store is a loss, and is put aside")
    func lostStore() throws {
        let first = try open(try store())
        try sign(1, in: first)
        try expectLoss(
            try open(try store("other")), after: first.opened.journal.instance,
            "don't belong together")
        let names = try folder.names(in: folder.path + "/home")
        #expect(names.contains("journal.old-1"))
        #expect(ConsensusJournal.exists(in: journal + ".old-1"))
    }

    @Test("A journal of another store is a loss")
    func foreignJournal() throws {
        let store = try store()
        let first = try open(store)
        try sign(1, in: first)
        try FileManager.default.removeItem(atPath: journal)
        let other = try ConsensusJournal.create(in: journal, instance: .random())
        let record = try open(store)
        try expectLoss(record, after: other.instance, "don't belong together")
    }

    @Test("Blocks without an id or a journal are a loss")
    func blocksOnly() throws {
        let store = try store()
        var writes = WriteSet()
        writes.put([1], in: .blocks, for: UInt64(1).bigEndianBytes)
        try store.apply(writes)
        #expect(try open(store).loss?.contains("the store holds blocks") == true)
    }

    @Test(
        "A restored older journal is noticed by the mark, a younger one than the mark isn't",
        arguments: [UInt64(11), 1_500])
    func restoredJournal(view: UInt64) throws {
        let store = try store()
        let first = try open(store)
        try sign(10, in: first)
        try copy(journal, to: journal + ".backup")
        try sign(view, in: first)
        try copy(mark, to: mark + ".backup")
        try copy(journal + ".backup", to: journal)
        try expectLoss(try open(store), after: first.opened.journal.instance, "it is an old copy")

        let second = try open(store)
        try sign(20, in: second)
        try copy(mark, to: mark + ".backup")
        try sign(5_000, in: second)
        try copy(mark + ".backup", to: mark)
        #expect(try open(store).loss == nil, "an old mark only tells less")
    }

    @Test("A mark reserves views in strides and never goes back")
    func strides() throws {
        let record = try open(try store())
        let mark = try #require(record.mark)
        var writes = 0
        var last = try content()
        for view in UInt64(1)...2_500 {
            mark.note(0, View(view))
            try mark.cover(.none)
            let now = try content()
            if now?.bound != last?.bound { writes += 1 }
            #expect(now.map { $0.bound >= View(view) && $0.lowerEdge.view == View(view) } == true)
            last = now
        }
        #expect(writes == 3)
        mark.note(0, 1)
        try mark.cover(.none)
        #expect(try content() == last)
    }

    @Test("Views begin anew in an epoch, and a journal of the epoch before is an old copy")
    func epochs() throws {
        let store = try store()
        let record = try open(store)
        try sign(900, in: record)
        try copy(journal, to: journal + ".backup")
        try record.opened.journal.compact(to: [JournalRecord(.epoch(1))])
        #expect(try SigningRecord.loss(folder: journal, store: store, mark: mark) == nil)
        try sign(1, epoch: 1, in: record)
        let edge = try content()?.lowerEdge
        #expect(edge == SigningPlace(epoch: 1, view: 1))
        #expect(try SigningRecord.loss(folder: journal, store: store, mark: mark) == nil)
        try FileManager.default.removeItem(atPath: journal)
        try copy(journal + ".backup", to: journal)
        try expectLoss(try open(store), after: record.opened.journal.instance, "an old copy")
    }

    @Test("A vote that left isn't an unfinished end, however the end was damaged")
    func damagedEnd() throws {
        let store = try store()
        let record = try open(store)
        for _ in 0..<2 { try sign(7, in: record) }
        let end = Int(record.opened.journal.position.end)
        let segment = try #require(try PosixFolder.names(in: journal).first)
        let file = "\(journal)/\(segment)"
        let whole = try folder.bytes(of: file)
        #expect(whole.count == end)
        for bytes in [Array(whole.dropLast()), whole.dropLast() + [whole[end - 1] ^ 1]] {
            try folder.write(bytes, to: file)
            let loss = try SigningRecord.loss(folder: journal, store: store, mark: mark)
            #expect(loss?.contains("the end is damaged") == true, "\(loss ?? "none")")
            #expect(try folder.bytes(of: file) == bytes, "nothing is changed")
        }
        let instance = record.opened.journal.instance
        try expectLoss(try open(store), after: instance, "the end is damaged")
    }

    @Test("What follows the last vote may be unfinished")
    func unfinishedEnd() throws {
        let store = try store()
        let record = try open(store)
        try sign(7, in: record)
        let segment = try #require(try PosixFolder.names(in: journal).first)
        let file = "\(journal)/\(segment)"
        try folder.write(try folder.bytes(of: file) + [1, 2, 3], to: file)
        #expect(try SigningRecord.loss(folder: journal, store: store, mark: mark) == nil)
        let again = try open(store)
        #expect(again.loss == nil && again.opened.cut != nil)
    }

    @Test("A journal of an earlier segment than the mark's is an old copy")
    func oldSegment() throws {
        let store = try store()
        let record = try open(store)
        try sign(7, in: record)
        try copy(journal, to: journal + ".backup")
        try record.opened.journal.compact(to: [JournalRecord(vote(7))])
        try sign(7, in: record)
        try FileManager.default.removeItem(atPath: journal)
        try copy(journal + ".backup", to: journal)
        try expectLoss(try open(store), after: record.opened.journal.instance, "an old copy")
    }

    @Test("Every damage of the mark is a loss, but of its unsynced part")
    func damagedMark() throws {
        let store = try store()
        let first = try open(store)
        try sign(7, in: first)
        let whole = try folder.bytes(of: mark)
        #expect(whole.count == 96)
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 1
            try folder.write(bytes, to: mark)
            switch try SigningMark.look(at: mark) {
            case .damaged: #expect(place < 56)
            case .content(let content):
                #expect(place >= 56 && content.lowerEdge.view == 6, "\(place)")
            case .nothing: Issue.record("byte \(place)")
            }
        }
        try folder.write(Array(whole.prefix(80)), to: mark)
        guard case .content(let former) = try SigningMark.look(at: mark) else {
            Issue.record("a mark of the former length is refused")
            return
        }
        #expect(former.journal == .none && former.bound == 1_006)
        try folder.write(Array(whole.dropLast()), to: mark)
        try expectLoss(try open(store), after: first.opened.journal.instance, "is damaged")
    }

    @Test("A node without a voting key has no mark")
    func relay() throws {
        let record = try SigningRecord.open(folder: journal, store: try store(), mark: nil)
        #expect(record.mark == nil && record.loss == nil)
        #expect(!PosixFolder.exists(mark))
    }

    @Test("Forgotten signatures begin a new record at the next start; a home in use is locked")
    func forget() throws {
        let home = Home(folder.path + "/home")
        let lock = try HomeLock(home)
        #expect(throws: HomeFault.self) { try HomeLock(home) }
        let store = try store()
        let first = try open(store)
        try sign(3, in: first)
        #expect(try home.forgetSignatures() == journal + ".old-1")
        #expect(try home.forgetSignatures() == nil)
        try expectLoss(
            try open(store), after: first.opened.journal.instance, "no consensus journal")
        lock.release()
    }
}
