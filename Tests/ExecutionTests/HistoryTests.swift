import Primitives
import TestSupport
import Testing

@testable import Execution

/// RFC 9162, section 2.1, word by word.
private enum NaiveLog {
    static func root(_ entries: ArraySlice<[UInt8]>) -> Bytes32 {
        guard entries.count > 1 else {
            return entries.first.map { MerkleLog.leaf($0) } ?? .sha256([])
        }
        let middle = entries.startIndex + split(entries.count)
        return MerkleLog.node(root(entries[..<middle]), root(entries[middle...]))
    }

    static func path(_ index: Int, _ entries: ArraySlice<[UInt8]>) -> [Bytes32] {
        guard entries.count > 1 else { return [] }
        let half = split(entries.count)
        let middle = entries.startIndex + half
        return index < half
            ? path(index, entries[..<middle]) + [root(entries[middle...])]
            : path(index - half, entries[middle...]) + [root(entries[..<middle])]
    }

    /// Section 2.1.4.1.
    static func consistency(_ first: Int, _ entries: ArraySlice<[UInt8]>) -> [Bytes32] {
        subproof(first, entries, true)
    }

    private static func subproof(
        _ first: Int, _ entries: ArraySlice<[UInt8]>, _ isKnown: Bool
    ) -> [Bytes32] {
        if first == entries.count { return isKnown ? [] : [root(entries)] }
        let half = split(entries.count)
        let middle = entries.startIndex + half
        return first <= half
            ? subproof(first, entries[..<middle], isKnown) + [root(entries[middle...])]
            : subproof(first - half, entries[middle...], false) + [root(entries[..<middle])]
    }

    /// The largest power of two below `count`.
    private static func split(_ count: Int) -> Int {
        var half = 1
        while half * 2 < count { half *= 2 }
        return half
    }
}

@Suite struct HistoryTests {
    private func entry(_ index: UInt64) -> HistoryEntry {
        HistoryEntry(
            height: Height(index + 1), block: .hash(.block, index.bcsLittleEndian),
            receiptsRoot: .hash(.receipt, index.bcsLittleEndian))
    }

    /// The first eight roots of the inputs that implementations of Certificate Transparency test
    /// with (google/certificate-transparency, merkletree tests).
    @Test func `roots are those of the published inputs`() throws {
        let inputs = [
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ].map { Hex.decode($0) ?? [] }
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        for (count, root) in roots.enumerated() {
            #expect(Hex.encode(NaiveLog.root(inputs[..<count]).bytes) == root)
        }
        #expect(Hex.encode(MerkleLog.emptyRoot.bytes) == roots[0])
    }

    @Test func `the log's roots and paths are RFC 9162's for every length and leaf`() throws {
        let store = MemoryStore()
        var log = try HistoryLog(opening: store)
        var entries: [[UInt8]] = []
        for count in 1...70 as ClosedRange<UInt64> {
            var writes = WriteSet()
            entries.append(entry(count - 1).bcsBytes)
            log.append(entry(count - 1), into: &writes)
            store.apply(writes)
            let root = NaiveLog.root(entries[...])
            #expect(log.root == root, "\(count) entries")
            for index in 0..<count {
                let path = try HistoryLog.path(of: index, count: count, in: store)
                #expect(path == NaiveLog.path(Int(index), entries[...]), "\(index) of \(count)")
                let leaf = MerkleLog.leaf(entries[Int(index)])
                #expect(MerkleLog.root(of: leaf, at: index, count: count, path: path) == root)
                // One hash too few or too many, or another place, proves nothing.
                let short = Array(path.dropLast())
                #expect(
                    path.isEmpty
                        || MerkleLog.root(of: leaf, at: index, count: count, path: short) != root)
                let long = path + [root]
                #expect(MerkleLog.root(of: leaf, at: index, count: count, path: long) != root)
                for other in [index ^ 1, index + 1, count - 1, count] where other != index {
                    #expect(MerkleLog.root(of: leaf, at: other, count: count, path: path) != root)
                }
            }
        }
    }

    @Test func `the log's consistency proofs are RFC 9162's for every pair of lengths`() throws {
        let store = MemoryStore()
        var log = try HistoryLog(opening: store)
        var entries: [[UInt8]] = []
        var roots: [Bytes32] = [log.root]
        for count in 1...40 as ClosedRange<UInt64> {
            var writes = WriteSet()
            entries.append(entry(count - 1).bcsBytes)
            log.append(entry(count - 1), into: &writes)
            store.apply(writes)
            roots.append(log.root)
            for first in 1...count {
                #expect(try HistoryLog.root(at: first, in: store) == roots[Int(first)])
                let path = try HistoryLog.consistency(first: first, second: count, in: store)
                #expect(
                    path == NaiveLog.consistency(Int(first), entries[...]), "\(first), \(count)")
                #expect(path.count <= MerkleLog.consistencyMax)
                func holds(
                    _ first: UInt64, _ old: Bytes32, _ second: UInt64, _ new: Bytes32,
                    _ path: [Bytes32]
                ) -> Bool {
                    MerkleLog.isConsistent(first: first, old, second: second, new, path: path)
                }
                let (old, new) = (roots[Int(first)], roots[Int(count)])
                #expect(holds(first, old, count, new, path), "\(first) in \(count)")
                // Other roots, lengths or hashes prove nothing.
                #expect(!holds(first, .zero, count, new, path))
                #expect(!holds(first, old, count, .zero, path))
                #expect(!holds(first, old, count, new, path + [.zero]))
                #expect(path.isEmpty || !holds(first, old, count, new, path.dropLast()))
                #expect(first == count || !holds(count, new, first, old, path))
                #expect(!holds(0, MerkleLog.emptyRoot, count, new, path))
                for place in path.indices {
                    var changed = path
                    changed[place] = .sha256(path[place].bytes)
                    #expect(!holds(first, old, count, new, changed), "\(place)")
                }
            }
        }
    }

    @Test func `a history that was rewritten before a height isn't consistent with the old one`()
        throws
    {
        var honest = try World()
        var liar = try World()
        for height in 1...9 as ClosedRange<UInt64> {
            try honest.run(honest.alice, honest.transfer(height, to: honest.bob))
            try liar.run(liar.alice, liar.transfer(height == 4 ? 99 : height, to: liar.bob))
        }
        for from in 1...9 as ClosedRange<UInt64> {
            let kept = try #require(
                try honest.reader.consistencyProof(from: Height(from), to: Height(from)))
            #expect(kept.root == honest.ledger.stateRoot)
            let told = try #require(
                try liar.reader.consistencyProof(from: Height(from), to: 9))
            #expect(told.root == liar.ledger.stateRoot)
            #expect((told.from == kept.to) == (from < 4), "\(from)")
            let forged = ConsistencyProof(
                from: kept.to, path: told.path, to: told.to, headPath: told.headPath,
                head: told.head)
            #expect((forged.root == nil) == (from >= 4), "\(from)")
        }
        for (from, to) in [(0, 1), (0, 0), (5, 4), (1, 10), (10, 10)] as [(UInt64, UInt64)] {
            #expect(
                try honest.reader.consistencyProof(from: Height(from), to: Height(to)) == nil)
        }
        let proof = try #require(try honest.reader.consistencyProof(from: 3, to: 7))
        #expect(checkDecoder(proof) == [])
    }

    @Test(arguments: [1, 2, 3, 7, 8, 1023, 1024, 1025, 2048, 2049, 3000])
    func `every receipt of a block has a path to the block's root`(count: Int) throws {
        let receipts = (0..<count).map { index in
            Receipt(
                transactionID: TransactionID(
                    Digest.hash(.random, UInt64(index).bcsLittleEndian).bytes32), height: 5,
                index: UInt32(index), fee: 3, outcome: .success)
        }
        let store = MemoryStore()
        var writes = WriteSet()
        let root = StoredReceiptTree.write(
            receipts.map(ReceiptTree.leaf), at: 5, into: &writes)
        store.apply(writes)
        for receipt in receipts
        where count < 100 || receipt.index % 97 == 0
            || receipt.index + 2 > count
        {
            let (stored, path) = try StoredReceiptTree.path(of: receipt, in: store)
            #expect(stored == UInt64(count))
            func made(_ count: Int, _ path: [Bytes32]) -> Digest? {
                ReceiptTree.root(of: receipt, count: UInt64(count), path: path)
            }
            #expect(made(count, path) == root, "receipt \(receipt.index) of \(count)")
            #expect(path.isEmpty || made(count, path.dropLast()) == nil)
            #expect(made(count, path + [.zero]) == nil)
            #expect(made(count + 1, path) != root && made(Int(receipt.index), path) == nil)
        }
    }

    @Test func `receipts of every block are proven by the newest state root`() throws {
        var world = try World()
        var ids: [TransactionID] = []
        for round in 0..<12 as Range<UInt64> {
            let people = round % 3 == 0 ? [] : [world.alice, world.bob, world.carol]
            let signed = try people.map { person in
                SignedTransaction(
                    signing: try world.transaction(
                        person.address, [world.transfer(round + 1, to: world.dave)]),
                    policies: [], by: [person.key])
            }
            try world.run(signed)
            ids += signed.map(\.id)
            for id in ids {
                let proof = try #require(try world.reader.receiptProof(of: id))
                #expect(proof.receipt.transactionID == id)
                #expect(proof.entry.block == World.digest(proof.receipt.height))
                #expect(proof.root == world.ledger.stateRoot)
            }
        }
        #expect(try world.reader.receiptProof(of: .zero) == nil)
        _ = try world.reopened()
    }

    @Test func `a receipt proof with another part proves nothing`() throws {
        var world = try World()
        let signed = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)]),
            policies: [], by: [world.alice.key])
        try world.run([])
        try world.run([signed])
        try world.run([])
        let proof = try #require(try world.reader.receiptProof(of: signed.id))
        func root(
            _ receipt: Receipt? = nil, entry: HistoryEntry? = nil, head: StateProof? = nil
        ) -> Digest? {
            ReceiptProof(
                receipt: receipt ?? proof.receipt, count: proof.count, path: proof.path,
                entry: entry ?? proof.entry, logPath: proof.logPath, head: head ?? proof.head
            ).root
        }
        #expect(root() == world.ledger.stateRoot)
        #expect(
            root(
                Receipt(
                    transactionID: signed.id, height: proof.receipt.height, index: 0, fee: 1,
                    outcome: .success)) == nil)
        #expect(
            root(
                entry: HistoryEntry(
                    height: proof.entry.height, block: .zero,
                    receiptsRoot: proof.entry.receiptsRoot)) == nil)
        // A value of the state that another may have chosen isn't the history's head.
        #expect(root(head: try world.reader.proof(of: .parameters)) == nil)
        #expect(
            root(head: StateProof(key: HistoryHead.key, value: [1], siblings: [])) == nil)
    }

    @Test func `a history that isn't the ledger's is refused`() throws {
        var world = try World()
        for _ in 0..<3 { try world.run([]) }
        let rows = try world.store.pairs(in: .history, from: [], before: nil, limit: .max)
        // Three entries, and the hash over the first two.
        #expect(rows.count == 4)
        for row in rows
        where row.key != LogPlace(level: 0, index: 0).storeKey
            && row.key != LogPlace(level: 0, index: 1).storeKey
        {
            let copy = world.store.copy()
            var writes = WriteSet()
            writes.put([UInt8](repeating: 7, count: row.value.count), in: .history, for: row.key)
            copy.apply(writes)
            #expect(throws: StorageFault.self) {
                _ = try Ledger(opening: copy, genesis: world.genesis, judge: FakeJudge())
            }
        }
    }
}

@Suite struct StateProofTests {
    @Test func `every value of the state is proven, and every other name's absence`() throws {
        var world = try World(isBonded: true)
        try world.run(world.alice, world.transfer(5, to: world.erin))
        let root = world.ledger.stateRoot
        let rows = try world.store.pairs(in: .state, from: [], before: nil, limit: .max)
        #expect(rows.count > 10)
        for pair in rows {
            let row = try StateRow(bytes: pair.value)
            let proof = try world.reader.proof(of: row.key)
            #expect(proof.value == row.value && proof.root == root)
        }
        var neighbours = 0
        for number in 0..<200 as Range<UInt64> {
            let key = StateKey(.account, Digest.hash(.random, number.bcsLittleEndian).bytes)
            let proof = try world.reader.proof(of: key)
            #expect(proof.value == nil && proof.root == root)
            neighbours += proof.neighbour == nil ? 0 : 1
        }
        #expect(neighbours > 0 && neighbours < 200, "both kinds of absence come up")
    }

    @Test func `an empty tree proves the absence of everything`() throws {
        let proof = try StateTree.proof(of: .parameters, in: MemoryStore())
        #expect(proof.value == nil && proof.root == .zero)
    }

    @Test func `no proof holds for what the state doesn't say`() throws {
        let world = try World()
        let root = try #require(try world.reader.summary()).stateRoot
        let alice = StateKey(.account, world.alice.address)
        let erin = StateKey(.account, world.erin.address)
        let present = try world.reader.proof(of: alice)
        let absent = try world.reader.proof(of: erin)
        func made(
            _ proof: StateProof, key: StateKey? = nil, value: [UInt8]?? = nil,
            neighbour: StateProof.Neighbour?? = nil, siblings: [Bytes32]? = nil
        ) -> Digest? {
            StateProof(
                key: key ?? proof.key, value: value ?? proof.value,
                neighbour: neighbour ?? proof.neighbour, siblings: siblings ?? proof.siblings
            ).root
        }
        #expect(made(present) == root && made(absent) == root)
        // That a value isn't there: neither by leaving it out nor by calling it its own neighbour.
        #expect(made(present, value: .some(nil)) != root)
        let itself = StateProof.Neighbour(
            path: alice.path, valueHash: Digest.hash(.stateValue, present.value ?? []).bytes32)
        #expect(made(present, value: .some(nil), neighbour: itself) == nil)
        // That another's value is one's own, or that one has a value.
        #expect(made(present, key: erin) != root)
        #expect(made(absent, value: present.value) != root)
        // A leaf that lies elsewhere says nothing about this place.
        for other in [world.bob, world.carol, world.dave, world.alice] {
            let proof = try world.reader.proof(of: StateKey(.account, other.address))
            let stranger = StateProof.Neighbour(
                path: proof.key.path,
                valueHash: Digest.hash(.stateValue, proof.value ?? []).bytes32)
            let claimed = made(
                proof, key: erin, value: .some(nil), neighbour: stranger)
            #expect(claimed == nil || claimed != root || absent.neighbour == stranger)
        }
        for place in present.siblings.indices {
            var fewer = present.siblings
            fewer.remove(at: place)
            #expect(made(present, siblings: fewer) != root)
        }
        #expect(
            made(present, siblings: [Bytes32](repeating: .zero, count: 257)) == nil)
    }

    @Test func `proofs decode from their own encoding alone`() throws {
        var world = try World()
        let signed = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [world.transfer(1, to: world.bob)]),
            policies: [], by: [world.alice.key])
        try world.run([signed])
        #expect(checkDecoder(try world.reader.proof(of: .validator(ValidatorIndex(1)))) == [])
        #expect(checkDecoder(try world.reader.proof(of: StateKey(.escrow, EscrowID.zero))) == [])
        #expect(checkDecoder(try #require(try world.reader.receiptProof(of: signed.id))) == [])
    }
}
