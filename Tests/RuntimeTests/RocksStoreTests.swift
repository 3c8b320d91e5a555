import Execution
import Primitives
import ProofSupport
import TestSupport
import Testing

@testable import Runtime

@Suite("RocksDB store")
struct RocksStoreTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func text(_ store: some KeyValueSource, _ column: Column, _ key: String) throws
        -> String?
    {
        try store.value(in: column, for: Array(key.utf8)).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test("A write is read at once, from its column only, and after the store was opened again")
    func roundTrip() throws {
        do {
            let store = try RocksStore(folder: folder.path)
            for column in Column.allCases {
                try store.apply(WriteSet(column, [("key", column.rawValue), ("empty", "")]))
            }
            #expect(try text(store, .state, "key") == "state")
            try store.close()
        }
        let store = try RocksStore(folder: folder.path)
        for column in Column.allCases {
            #expect(try text(store, column, "key") == column.rawValue)
            #expect(try text(store, column, "empty") == "")
            #expect(try text(store, column, "absent") == nil)
        }
    }

    @Test("Within a write set the later change of a key wins, and deletions hold")
    func laterChangeWins() throws {
        let store = try RocksStore(folder: folder.path)
        try store.apply(WriteSet(.meta, [("a", "1"), ("a", "2"), ("b", "1"), ("b", nil)]))
        #expect(try text(store, .meta, "a") == "2")
        #expect(try text(store, .meta, "b") == nil)
        try store.apply(WriteSet(.meta, [("a", nil)]))
        #expect(try text(store, .meta, "a") == nil)
    }

    @Test("The last pairs of a range are its pairs from behind, within both bounds")
    func lastPairs() throws {
        let store = try RocksStore(folder: folder.path)
        var writes = WriteSet()
        for first in 0..<20 as Range<UInt8> {
            for second in 0..<3 as Range<UInt8> {
                writes.put([first], in: .postings, for: [first, second])
            }
        }
        writes.put([9], in: .history, for: [3, 1])
        try store.apply(writes)
        let snapshot = store.snapshot()
        try store.apply(writes, clearing: .postings)
        let bounds: [[UInt8]?] = [
            [], [0], [3], [3, 1], [3, 1, 0], [19, 2], [19, 2, 0], [200], nil,
        ]
        for start in bounds.compactMap({ $0 }) {
            for end in bounds {
                for limit in [0, 1, 2, 7, 1000] {
                    for source in [store, snapshot] as [any KeyValueSource] {
                        let all = try source.pairs(
                            in: .postings, from: start, before: end, limit: .max)
                        let last = try source.lastPairs(
                            in: .postings, from: start, before: end, limit: limit)
                        #expect(
                            last == Array(all.reversed().prefix(limit)), "\(start) \(end as Any)")
                    }
                }
            }
        }
    }

    @Test("Clearing a column takes every row of it, and comes with the other changes")
    func clearing() throws {
        let store = try RocksStore(folder: folder.path)
        try store.apply(WriteSet(.postings, [("", "0"), ("a", "1"), ("z", "2"), ("zz", "3")]))
        try store.apply(WriteSet(.history, [("a", "1")]))
        var writes = WriteSet(.meta, [("m", "1")])
        writes.put([5], in: .postings, for: Array("b".utf8))
        try store.apply(writes, clearing: .postings)
        let left = try store.pairs(in: .postings, from: [], before: nil, limit: 10)
        #expect(left.map(\.value) == [[5]])
        #expect(try text(store, .history, "a") == "1" && text(store, .meta, "m") == "1")
        try store.apply(WriteSet(), clearing: .bonds)
        #expect(try text(store, .history, "a") == "1")
    }

    @Test("A history of accounts that was switched off begins anew, and says from where on")
    func postingSwitch() throws {
        var fixture = try ProofFixture(blocks: 2)
        let store = try RocksStore(folder: folder.path)
        for column in Column.allCases {
            var writes = WriteSet()
            for row in try fixture.store.pairs(in: column, from: [], before: nil, limit: .max) {
                writes.put(row.value, in: column, for: row.key)
            }
            try store.apply(writes)
        }
        func postings() throws -> Int {
            try store.pairs(in: .postings, from: [], before: nil, limit: .max).count
        }
        let whole = try postings()
        #expect(whole > 4)
        try PostingSwitch.set(true, in: store, of: fixture.genesis)
        #expect(try postings() == whole && PostingIndex.start(in: store)?.isWhole == true)
        for _ in 0..<2 {
            try PostingSwitch.set(false, in: store, of: fixture.genesis)
            #expect(try postings() == 0 && PostingIndex.start(in: store) == nil)
        }
        // A block that nobody noted.
        var ledger = try Ledger(opening: store, genesis: fixture.genesis)
        try store.apply(fixture.pay(on: &ledger))
        ledger.writesApplied()
        #expect(try postings() == 0)
        try PostingSwitch.set(true, in: store, of: fixture.genesis)
        #expect(try PostingIndex.start(in: store)?.height == 3 && postings() == 0)
        ledger = try Ledger(opening: store, genesis: fixture.genesis)
        try store.apply(fixture.pay(on: &ledger))
        ledger.writesApplied()
        #expect(try postings() > 2)
        #expect(try PostingAudit(of: store).postings == UInt64(postings()))
    }

    @Test("A snapshot keeps what it saw while the store goes on")
    func snapshot() throws {
        let store = try RocksStore(folder: folder.path)
        try store.apply(WriteSet(.state, [("a", "old"), ("b", "old")]))
        let snapshot = store.snapshot()
        try store.apply(WriteSet(.state, [("a", "new"), ("b", nil), ("c", "new")]))
        #expect(try text(snapshot, .state, "a") == "old")
        #expect(try text(snapshot, .state, "b") == "old")
        #expect(try text(snapshot, .state, "c") == nil)
        let pairs = try snapshot.pairs(in: .state, from: [], before: nil, limit: 10)
        #expect(pairs.map { String(decoding: $0.key, as: UTF8.self) } == ["a", "b"])
        #expect(try text(store, .state, "a") == "new")
    }

    @Test("A snapshot may outlive the store's own reference")
    func snapshotOutlivesStore() throws {
        var store: RocksStore? = try RocksStore(folder: folder.path)
        try store?.apply(WriteSet(.state, [("a", "1")]))
        let snapshot = store?.snapshot()
        store = nil
        #expect(try snapshot?.value(in: .state, for: [0x61]) == [0x31])
    }

    @Test("Ranges come in bytewise order within their bounds, as a sorted dictionary gives them")
    func ranges() throws {
        let store = try RocksStore(folder: folder.path)
        let seed: UInt64 = 7
        var generator = SeededGenerator(seed: seed)
        var model: [[UInt8]: [UInt8]] = [:]
        var writes = WriteSet()
        for _ in 0..<500 {
            let key = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            model[key] = [UInt8(key.count)]
            writes.put([UInt8(key.count)], in: .deadlines, for: key)
        }
        try store.apply(writes)
        func sorted(_ keys: some Sequence<[UInt8]>) -> [[UInt8]] {
            keys.sorted { $0.lexicographicallyPrecedes($1) }
        }
        let ranges: [([UInt8], [UInt8]?)] = [
            ([], nil), ([64], [128]), ([128], nil), ([5], [5]), ([], []),
        ]
        for (start, end) in ranges {
            let wanted = sorted(
                model.keys.filter { key in
                    !key.lexicographicallyPrecedes(start)
                        && (end.map { key.lexicographicallyPrecedes($0) } ?? true)
                })
            let found = try store.pairs(in: .deadlines, from: start, before: end, limit: 1000)
            #expect(
                found.map(\.key) == wanted, "seed \(seed), \(start) to \(String(describing: end))")
            let few = try store.pairs(in: .deadlines, from: start, before: end, limit: 3)
            #expect(few.map(\.key) == Array(wanted.prefix(3)))
        }
    }

    @Test("A second opening of the same folder is refused with its path")
    func secondOpening() throws {
        let store = try RocksStore(folder: folder.path)
        #expect {
            _ = try RocksStore(folder: folder.path)
        } throws: { error in
            let text = "\(error)"
            return error is StorageFault && text.contains(folder.path)
                && text.contains("Another process")
        }
        try store.close()
    }

    @Test("A damaged store is a storage fault that says where and what to do")
    func damaged() throws {
        do {
            let store = try RocksStore(folder: folder.path)
            try store.apply(WriteSet(.state, [("a", "1")]))
            try store.close()
        }
        let current = folder.path + "/CURRENT"
        try folder.write(Array("MANIFEST-999999\n".utf8), to: current)
        #expect {
            _ = try RocksStore(folder: folder.path)
        } throws: { error in
            error is StorageFault && "\(error)".contains(folder.path)
        }
    }

    @Test("A store of another format is refused")
    func otherFormat() throws {
        do {
            let store = try RocksStore(folder: folder.path)
            var writes = WriteSet()
            writes.put([9], in: .meta, for: Array("store/format".utf8))
            try store.apply(writes)
            try store.close()
        }
        #expect {
            _ = try RocksStore(folder: folder.path)
        } throws: { "\($0)".contains("format 09") }
    }

    @Test("RocksDB writes no log of its own: on a full disk that would end the process")
    func emptyLog() throws {
        for number in 1...2 {
            let store = try RocksStore(folder: folder.path)
            try store.apply(WriteSet(.state, [("a", "\(number)")]))
            try store.close()
        }
        let logs = try folder.names(in: folder.path).filter { $0.hasPrefix("LOG") }
        #expect(logs.contains("LOG"))
        for log in logs { #expect(try folder.bytes(of: "\(folder.path)/\(log)").isEmpty) }
    }

    @Test("Column places are those of the list of columns")
    func places() {
        #expect(Column.allCases.map(\.place) == Array(0..<Column.allCases.count))
    }

    @Test("Size on disk and memory are told")
    func sizes() throws {
        let store = try RocksStore(folder: folder.path)
        let before = store.sizeOnDisk
        var writes = WriteSet()
        writes.put([UInt8](repeating: 7, count: 1 << 20), in: .batches, for: [1])
        try store.apply(writes)
        try store.flushLog()
        #expect(store.sizeOnDisk >= before + (1 << 20))
        #expect(store.memoryBytes > 1 << 20)
    }
}
