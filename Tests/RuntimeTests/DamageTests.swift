import Execution
import Primitives
import TestSupport
import Testing

@testable import Runtime

@Suite("Damaged files")
struct DamageTests {
    private enum Damage: Hashable, CustomStringConvertible {
        case flip(Int)
        case shorten(Int)
        case remove

        var description: String {
            switch self {
            case .flip(let place): "byte \(place) flipped"
            case .shorten(let count): "cut to \(count) bytes"
            case .remove: "removed"
            }
        }
    }

    private static let seed: UInt64 = 77

    /// Head, middle, tail, and places drawn from the seed; all cuts.
    private func damages(_ count: Int, _ generator: inout SeededGenerator) -> [Damage] {
        guard count > 0 else { return [.remove] }
        var places: Set<Int> = [0, count / 2, count - 1]
        for _ in 0..<5 { places.insert(Int.random(in: 0..<count, using: &generator)) }
        return places.sorted().map { .flip($0) }
            + Set([0, count / 2, count - 1]).sorted().map { .shorten($0) } + [.remove]
    }

    private func apply(_ damage: Damage, to file: String, _ home: DamagedHome) throws {
        switch damage {
        case .flip(let place): try home.flip(file, at: place, bit: UInt8(place % 8))
        case .shorten(let count): try home.shorten(file, to: count)
        case .remove: try home.remove(file)
        }
    }

    @Test("Of every file of a store: flipped, cut or gone, it holds the same or says what to do")
    func everyFile() throws {
        let seed = DamageTests.seed
        let whole = try DamagedHome(seed: seed, accounts: 100)
        let wanted = try whole.copy().contents()
        var generator = SeededGenerator(seed: seed)
        var refused = 0
        var tried = 0
        for file in try whole.files() {
            for damage in damages(try whole.bytes(file).count, &generator) {
                let home = try whole.copy()
                try apply(damage, to: file, home)
                tried += 1
                let what = "seed \(seed): \(file): \(damage)"
                do {
                    // What `RunningNode` asks before it opens the store.
                    #expect(try home.home.checkStore(isAlone: false) == .no, "\(what)")
                    let found = try home.contents()
                    #expect(found == wanted, "\(what): something else was read")
                } catch {
                    refused += 1
                    let text = "\(error)"
                    #expect(text.contains(home.data), "\(what): \(text)")
                    #expect(
                        text.contains("offpeak db repair --home \(home.home)"), "\(what): \(text)")
                }
            }
        }
        #expect(tried > 60)
        #expect(refused > tried / 3, "\(refused) of \(tried) refused")
    }

    @Test("The check of a stopped store finds what a start would, and changes nothing")
    func checkOfEveryFile() throws {
        let seed = DamageTests.seed + 1
        let whole = try DamagedHome(seed: seed, accounts: 100)
        var generator = SeededGenerator(seed: seed)
        func report(_ home: DamagedHome) -> StoreCheck.Report {
            var check = StoreCheck(
                home: home.home, genesis: home.genesis, isQuick: false, tell: { _ in })
            return check.run()
        }
        let clean = report(whole)
        #expect(clean.faults == [])
        #expect(clean.rows > 150)
        #expect(report(whole) == clean)
        for file in try whole.files() {
            for damage in damages(try whole.bytes(file).count, &generator) {
                let home = try whole.copy()
                try apply(damage, to: file, home)
                let before = try home.files().filter { !$0.hasPrefix("LOG") }
                let found = report(home)
                let after = try home.files().filter { !$0.hasPrefix("LOG") }
                #expect(before == after, "the check changed files")
                let starts = (try? home.contents()) != nil
                if !starts {
                    #expect(
                        !found.faults.isEmpty, "seed \(seed): \(file): \(damage): not found")
                }
                for fault in found.faults.prefix(StoreCheck.faultsMax) {
                    #expect(fault.contains("offpeak db repair --home"), "\(fault)")
                }
            }
        }
    }

    @Test("A store that is gone is told from one that never was")
    func missingStore() throws {
        let home = try DamagedHome(seed: 3, accounts: 10)
        #expect(try home.home.checkStore(isAlone: true) == .no)
        try home.remove("CURRENT")
        for alone in [true, false] {
            #expect {
                _ = try home.home.checkStore(isAlone: alone)
            } throws: { error in
                (error as? HomeFault)?.exitCode == .storage
                    && "\(error)".contains("CURRENT is missing")
                    && "\(error)".contains("offpeak db repair --home")
            }
        }
        for file in try home.files() { try home.remove(file) }
        // No journal tells of a former life: it is a first start.
        #expect(try home.home.checkStore(isAlone: true) == .no)
        let journal = try ConsensusJournal.create(in: home.home.journal, instance: .random())
        #expect(try home.home.checkStore(isAlone: true) == .no)
        journal.append(JournalRecord(type: 1, body: [1, 2, 3]))
        try journal.sync()
        #expect(try home.home.checkStore(isAlone: false) == .fetchable)
        #expect {
            _ = try home.home.checkStore(isAlone: true)
        } throws: { "\($0)".contains("from a backup") }
    }

    @Test("Repair puts the store aside, whole, and keeps the rest; alone it changes nothing")
    func repair() throws {
        let home = try DamagedHome(seed: 4, accounts: 10)
        let files = try home.files()
        #expect(throws: HomeFault.self) { _ = try home.home.putStoreAside(isAlone: true) }
        #expect(try home.files() == files)
        let aside = try #require(try home.home.putStoreAside(isAlone: false))
        #expect(aside == "\(home.data).damaged-1")
        #expect(try home.files() == [])
        #expect(try PosixFolder.names(in: aside) == files)
        #expect(try home.home.putStoreAside(isAlone: false) == nil, "there is nothing left")
    }

    @Test("The check tells a record of signatures that a start would put aside")
    func checkOfRecord() throws {
        let home = try DamagedHome(seed: 6, accounts: 10)
        func faults() -> [String] {
            var check = StoreCheck(
                home: home.home, genesis: home.genesis, isQuick: true, tell: { _ in })
            return check.run().faults
        }
        try PosixFolder.create(home.home.keys)
        try Home.write([1], to: home.home.validatorKey)
        let instance = try #require(InstanceID([UInt8](repeating: 7, count: 16)))
        _ = try SigningMark.open(home.home.validatorMark, instance: instance, found: .nothing)
        #expect(faults().contains { $0.contains("has no consensus journal") })
    }

    @Test("A home on which no node ran is whole, and a store that is gone isn't called damaged")
    func checkOfNothing() throws {
        let home = try DamagedHome(seed: 7, accounts: 10)
        func report() -> StoreCheck.Report {
            var check = StoreCheck(
                home: home.home, genesis: home.genesis, isQuick: true, tell: { _ in })
            return check.run()
        }
        _ = try home.home.putStoreAside(isAlone: false)
        #expect(report().isUnused && report().faults == [])
        try PosixFolder.create(home.home.keys)
        try Home.write([1], to: home.home.validatorMark)
        #expect(!report().isUnused)
        #expect(report().faults.contains { $0.contains("there is no store") })
        #expect(!report().isStoreDamaged)
    }

    @Test("A log whose synced end is gone is refused; without its mark the store is an older one")
    func lostEnd() throws {
        let home = try DamagedHome(seed: 5, accounts: 10)
        let log = try #require(
            try home.files().filter { $0.hasSuffix(".log") }.max {
                try! home.bytes($0).count < home.bytes($1).count
            })
        let count = try home.bytes(log).count
        try #require(count > 4_000, "\(count) bytes in \(log)")
        let whole = try home.copy().contents()
        try home.shorten(log, to: count / 2)
        let other = try home.copy()
        #expect {
            _ = try home.contents()
        } throws: { "\($0)".contains("the disk once kept") }
        // What RocksDB alone makes of it: a moment of the past, without a word.
        try other.remove(StoreMark.name)
        let found = try other.contents()
        #expect(found.count < whole.count)
        #expect(found.allSatisfy { whole[$0.key] == $0.value })
    }

    @Test("A mark is never ahead of the disk, and a damaged one is made anew")
    func mark() throws {
        let home = try DamagedHome(seed: 6, accounts: 10)
        let store = try RocksStore(folder: home.data)
        let before = try #require(StoreMark.read(in: home.data))
        var writes = WriteSet()
        writes.put([1], in: .meta, for: [1])
        try store.apply(writes)
        try store.flushLog()
        #expect(StoreMark.read(in: home.data) == before)
        try store.syncLog()
        let after = try #require(StoreMark.read(in: home.data))
        #expect(after.sequence == before.sequence + 1)
        try store.close()
        let other = try home.copy()
        try other.flip(StoreMark.name, at: 9, bit: 0)
        #expect(StoreMark.read(in: other.data) == nil)
        _ = try other.contents()
        #expect(StoreMark.read(in: other.data)?.sequence == after.sequence)
    }
}
