import Primitives
import TestSupport
import Testing

@testable import Runtime

@Suite("Consensus journal")
struct JournalTests {
    private let folder: TemporaryFolder
    private let instance: InstanceID

    init() throws {
        folder = try TemporaryFolder()
        instance = try #require(InstanceID([UInt8](0..<16)))
    }

    private let records = [
        JournalRecord(type: 1, body: []),
        JournalRecord(type: 2, body: [UInt8](0..<40)),
        JournalRecord(type: 255, body: [UInt8](repeating: 0, count: 70)),
        JournalRecord(type: 3, body: Array("the last one".utf8)),
    ]

    /// A journal of `records` in the test's folder; the path of its only segment.
    private func make() throws -> String {
        let journal = try ConsensusJournal.create(in: folder.path, instance: instance)
        for record in records { journal.append(record) }
        try journal.sync()
        return try segment()
    }

    private func segment() throws -> String {
        let names = try folder.names(in: folder.path)
        #expect(names.count == 1)
        return "\(folder.path)/\(names.first ?? "")"
    }

    /// Offsets behind the header and behind each record.
    private var ends: [Int] {
        var ends = [JournalFormat.headerBytes]
        for record in records {
            ends.append((ends.last ?? 0) + JournalFormat.recordOverhead + record.body.count)
        }
        return ends
    }

    @Test("Synced records come back in order, and more can follow")
    func roundTrip() throws {
        _ = try make()
        let opened = try ConsensusJournal.open(in: folder.path)
        #expect(opened.records == records)
        #expect(opened.cut == nil)
        #expect(opened.journal.instance == instance)
        opened.journal.append(JournalRecord(type: 9, body: [9]))
        try opened.journal.sync()
        let again = try ConsensusJournal.open(in: folder.path)
        #expect(again.records == records + [JournalRecord(type: 9, body: [9])])
    }

    @Test("A record that wasn't synced isn't there")
    func unsynced() throws {
        let journal = try ConsensusJournal.create(in: folder.path, instance: instance)
        journal.append(records[0])
        try journal.sync()
        journal.append(records[1])
        #expect(try ConsensusJournal.open(in: folder.path).records == [records[0]])
    }

    @Test("A file that ends at any byte of its records gives the whole ones, and the rest is cut")
    func tornTail() throws {
        let file = try make()
        let bytes = try folder.bytes(of: file)
        #expect(bytes.count == ends.last)
        for count in JournalFormat.headerBytes...bytes.count {
            try folder.write(Array(bytes[..<count]), to: file)
            let opened = try ConsensusJournal.open(in: folder.path)
            let whole = ends.dropFirst().count { $0 <= count }
            #expect(opened.records == Array(records.prefix(whole)), "\(count) bytes")
            #expect((opened.cut == nil) == ends.contains(count), "\(count) bytes")
            if let cut = opened.cut {
                #expect(cut.offset == ends[whole])
                #expect(cut.byteCount == count - ends[whole])
            }
            // What was cut is gone for good, and the journal goes on behind the last whole record.
            opened.journal.append(records[0])
            try opened.journal.sync()
            let again = try ConsensusJournal.open(in: folder.path)
            #expect(again.records == Array(records.prefix(whole)) + [records[0]])
        }
    }

    @Test("Every flipped bit before the last record is refused with the file and the offset")
    func flippedBits() throws {
        let file = try make()
        let bytes = try folder.bytes(of: file)
        let lastStart = ends[records.count - 1]
        for place in 0..<lastStart {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[place] ^= 1 << UInt8(bit)
                try folder.write(damaged, to: file)
                let start = ends.last { $0 <= place } ?? 0
                #expect("byte \(place), bit \(bit)") {
                    _ = try ConsensusJournal.open(in: folder.path)
                } throws: { error in
                    let text = "\(error)"
                    return error is StorageFault && text.contains("offset \(start):")
                        && text.contains(file) && text.contains("must not vote")
                }
            }
        }
    }

    @Test("A flipped bit in the last record cuts that record only")
    func flippedLast() throws {
        let file = try make()
        let bytes = try folder.bytes(of: file)
        for place in ends[records.count - 1]..<bytes.count {
            var damaged = bytes
            damaged[place] ^= 0x10
            try folder.write(damaged, to: file)
            let opened = try ConsensusJournal.open(in: folder.path)
            #expect(opened.records == Array(records.dropLast()), "byte \(place)")
            #expect(opened.cut?.offset == ends[records.count - 1])
        }
    }

    @Test("Records that changed places are noticed")
    func swapped() throws {
        let journal = try ConsensusJournal.create(in: folder.path, instance: instance)
        for value in 0..<3 { journal.append(JournalRecord(type: 1, body: [UInt8(value)])) }
        try journal.sync()
        let file = try segment()
        var bytes = try folder.bytes(of: file)
        let start = JournalFormat.headerBytes
        let size = JournalFormat.recordOverhead + 1
        let first = Array(bytes[start..<start + size])
        bytes.replaceSubrange(start..<start + size, with: bytes[start + size..<start + 2 * size])
        bytes.replaceSubrange(start + size..<start + 2 * size, with: first)
        try folder.write(bytes, to: file)
        #expect(throws: StorageFault.self) { try ConsensusJournal.open(in: folder.path) }
    }

    @Test("Random bytes behind the records are cut, and never a trap")
    func randomTail() throws {
        let file = try make()
        let bytes = try folder.bytes(of: file)
        for seed in UInt64(0)..<200 {
            var generator = SeededGenerator(seed: seed)
            let tail = (0..<Int.random(in: 1...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            try folder.write(bytes + tail, to: file)
            let opened = try ConsensusJournal.open(in: folder.path)
            #expect(opened.records == records, "seed \(seed)")
            #expect(opened.cut?.byteCount == tail.count, "seed \(seed)")
        }
    }

    @Test("Compaction leaves the given records in one new segment, and the journal goes on")
    func compaction() throws {
        _ = try make()
        let journal = try ConsensusJournal.open(in: folder.path).journal
        let before = journal.byteCount
        journal.append(records[0])
        try journal.compact(to: [records[3], records[1]])
        #expect(journal.byteCount < before)
        #expect(try segment().hasSuffix("0000000000000002.journal"))
        journal.append(records[2])
        try journal.sync()
        let opened = try ConsensusJournal.open(in: folder.path)
        #expect(opened.records == [records[3], records[1], records[2]])
        #expect(opened.journal.instance == instance)
    }

    @Test("A crash during compaction leaves the old journal or the new one")
    func crashDuringCompaction() throws {
        let file = try make()
        let old = try folder.bytes(of: file)
        // Before the rename: the unfinished file has another name.
        try folder.write(Array(old.prefix(30)), to: "\(folder.path)/0000000000000002.journal.new")
        #expect(try ConsensusJournal.open(in: folder.path).records == records)
        // Behind it: both are there, and the newer one holds all that counts.
        let journal = try ConsensusJournal.open(in: folder.path).journal
        try journal.compact(to: [records[1]])
        try folder.write(old, to: file)
        #expect(try ConsensusJournal.open(in: folder.path).records == [records[1]])
        #expect(!(try folder.names(in: folder.path)).contains("0000000000000001.journal"))
    }

    @Test("A segment under another number is refused")
    func renamedSegment() throws {
        let file = try make()
        try folder.write(
            try folder.bytes(of: file), to: "\(folder.path)/0000000000000009.journal")
        #expect(throws: StorageFault.self) { try ConsensusJournal.open(in: folder.path) }
    }
}
