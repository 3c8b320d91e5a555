package import Primitives

/// Checks rows of the ledger's columns one at a time against the rows that must agree with them.
///
/// Each check reads a handful of keys: a store can be gone through in small steps, each on a
/// snapshot of its own. What holds for every row holds for the whole by induction: a node's hash
/// stands in the node above it, up to the root that the head names; a value's hash stands in the
/// tree, and every leaf of the tree has its value; an index entry and what it is for name each
/// other.
package struct RowAudit: Sendable {
    let source: any KeyValueSource
    let head: StoredState.Head

    /// - Throws: `StorageFault` for a store without a ledger.
    package init(of source: any KeyValueSource) throws(StorageFault) {
        guard let head = try StoredState.head(in: source) else {
            throw StorageFault("the store holds no ledger")
        }
        self.source = source
        self.head = head
    }

    /// Checks a row; those of columns that aren't the ledger's pass.
    /// - Throws: `StorageFault` that names the row and what is wrong with it.
    package func check(_ row: KeyValue, in column: Column) throws(StorageFault) {
        switch column {
        case .state: try checkValue(row)
        case .nodes: try checkNode(row)
        case .deadlines: try checkDeadline(row)
        case .receipts: try checkReceipt(row)
        case .escrowsByParty: try checkParty(row)
        case .bonds: try checkBond(row)
        case .history: try checkHistory(row)
        case .guarded: try checkGuarded(row)
        case .postings: try checkPosting(row)
        case .meta, .blocks, .blockHeights, .finalizations, .batches, .lanes: break
        }
    }

    /// Checks that the tree in the store has the root that the head names, and the history the one
    /// that the state names.
    package func checkHead() throws(StorageFault) {
        try checkRoot()
        try checkHistoryHead()
    }

    private func checkRoot() throws(StorageFault) {
        let root = try node(at: .root)?.hash ?? .zero
        guard Digest(root) == head.stateRoot else {
            throw StorageFault(
                "the state tree has the root \(Digest(root)), the head says \(head.stateRoot)")
        }
    }

    // MARK: The tree

    private func node(at place: TreePlace) throws(StorageFault) -> TreeNode? {
        guard let bytes = try source.value(in: .nodes, for: place.storeKey) else { return nil }
        return try StoredState.decode(bytes, RowAudit.name(place.storeKey))
    }

    private static func name(_ key: [UInt8]) -> String {
        "the node \(Hex.encode(key)) of the state tree"
    }

    private func checkNode(_ row: KeyValue) throws(StorageFault) {
        let what = RowAudit.name(row.key)
        guard let place = TreePlace(storeKey: row.key) else {
            throw StorageFault("\(what) lies where no node can lie")
        }
        let node: TreeNode = try StoredState.decode(row.value, what)
        if place.depth == 0 {
            try checkRoot()
        } else {
            guard node.count > 0, node.onlyLeaf == nil,
                case .inner(let hash) = try self.node(at: place.parent)?[place.lastNibble],
                hash == node.hash
            else { throw StorageFault("\(what) isn't the one that the node above it names") }
        }
        for nibble in 0..<16 { try checkChild(node[nibble], of: place, nibble, what) }
    }

    private func checkChild(
        _ child: TreeChild?, of place: TreePlace, _ nibble: Int, _ what: String
    ) throws(StorageFault) {
        switch child {
        case nil: break
        case .leaf(let path, let hash):
            guard TreePlace(above: path, depth: place.depth) == place,
                path.nibble(at: place.depth) == nibble
            else { throw StorageFault("\(what) holds a leaf of another place, \(path)") }
            guard let row = try StoredState.row(at: path, in: source),
                StateTree.Change(path: path, valueHash: row.valueHash).leafHash == hash
            else { throw StorageFault("the state at \(path) isn't what the tree commits to") }
        case .inner(let hash):
            let key = place.childKey(nibble)
            guard let below = TreePlace(storeKey: key), try node(at: below)?.hash == hash else {
                throw StorageFault("\(RowAudit.name(key)) is missing, or isn't the one named above")
            }
        }
    }

    /// The hash of the leaf at a path, nil if the tree has none there.
    private func leafHash(at path: Bytes32) throws(StorageFault) -> Bytes32? {
        for depth in 0..<64 {
            guard let node = try node(at: TreePlace(above: path, depth: depth)) else { return nil }
            switch node[path.nibble(at: depth)] {
            case nil: return nil
            case .leaf(let other, let hash): return other == path ? hash : nil
            case .inner: continue
            }
        }
        return nil
    }

    // MARK: Values and what is noted of them

    private func checkValue(_ pair: KeyValue) throws(StorageFault) {
        let what = "the state at \(Hex.encode(pair.key))"
        let row: StateRow
        do throws(BCSError) {
            row = try StateRow(bytes: pair.value)
        } catch {
            throw StoredState.damaged(what, error)
        }
        let path = row.key.path
        guard path.bytes == pair.key else {
            throw StorageFault("\(what) is \(row.key), whose place is another")
        }
        let hash = StateTree.Change(path: path, valueHash: row.valueHash).leafHash
        guard let hash, try leafHash(at: path) == hash else {
            throw StorageFault("\(what) isn't what the tree commits to")
        }
        try checkNotes(of: row, what)
    }

    private func checkNotes(of row: StateRow, _ what: String) throws(StorageFault) {
        switch row.key.kind {
        case .proposal: let _: ParameterProposal = try StoredState.decode(row.value, what)
        case .asset:
            let asset: Asset = try StoredState.decode(row.value, what)
            guard asset.isBalanced else { throw StorageFault("\(what) doesn't balance") }
        case .account:
            let account: Account = try StoredState.decode(row.value, what)
            guard let address = Address(bytes: row.key.id) else {
                throw StorageFault("\(what) names no account")
            }
            for guardian in GuardianIndex.guardians(of: account) {
                try need(GuardianIndex.key(guardian, address), in: .guarded, for: what)
            }
            try checkNewestPosting(of: account, address, what)
        case .escrow:
            let escrow: Escrow = try StoredState.decode(row.value, what)
            guard escrow.isBalanced, escrow.id.bytes == row.key.id, let due = escrow.due else {
                throw StorageFault("\(what): escrow \(escrow.id) doesn't balance or is closed")
            }
            try need(StoredState.deadlineKey(due, escrow.id), in: .deadlines, for: what)
            for party in escrow.parties {
                try need(StoredState.partyKey(party, escrow.id), in: .escrowsByParty, for: what)
            }
        case .verifier:
            let verifier: Verifier = try StoredState.decode(row.value, what)
            guard let key = PublicKey(bytes: row.key.id) else {
                throw StorageFault("\(what) names no verifier")
            }
            if verifier.bonded > 0 {
                try need(StoredState.bondKey(verifier.bonded, key), in: .bonds, for: what)
            }
        case .system: try EpochAudit(of: source, head).check(row)
        case .validator, .parameters: break
        }
    }

    private func need(
        _ key: [UInt8], in column: Column, for what: String
    ) throws(StorageFault) {
        guard try source.value(in: column, for: key) != nil else {
            throw StorageFault("\(what) lacks its entry \(Hex.encode(key)) in \(column.rawValue)")
        }
    }

    // MARK: Indexes

    private func checkDeadline(_ pair: KeyValue) throws(StorageFault) {
        let entry = try DeadlineIndex.entry(pair.key)
        let path = StateKey(.escrow, entry.escrow).path
        let escrow: Escrow? = try StoredState.record(at: path, in: source)
        guard escrow?.due == entry.due else {
            throw StorageFault("the deadline \(entry.due) of escrow \(entry.escrow) isn't its own")
        }
    }

    private func checkParty(_ pair: KeyValue) throws(StorageFault) {
        let name = Hex.encode(pair.key)
        guard pair.key.count == 64, let party = Address(bytes: pair.key.prefix(32)),
            let id = EscrowID(bytes: pair.key.dropFirst(32))
        else { throw StorageFault("\(name) isn't a key of the column escrowsByParty") }
        let escrow = try LedgerReader(source).escrow(id)
        guard let escrow, escrow.parties.contains(party) else {
            throw StorageFault("\(name) names an escrow that isn't there, or not of that party")
        }
    }

    private func checkBond(_ pair: KeyValue) throws(StorageFault) {
        let entry = try BondIndex.entry(pair.key)
        let verifier = try LedgerReader(source).verifier(entry.key)
        guard verifier?.bonded == entry.bonded else {
            throw StorageFault("the bond of verifier \(entry.key) isn't \(entry.bonded) as noted")
        }
    }

    private func checkGuarded(_ pair: KeyValue) throws(StorageFault) {
        let (guardian, address) = try GuardianIndex.entry(pair.key)
        let account = try LedgerReader(source).account(address)
        guard GuardianIndex.guardians(of: account).contains(guardian) else {
            throw StorageFault("\(guardian) is noted as a guardian of \(address), but isn't one")
        }
    }

    private func checkUse(_ pair: KeyValue) throws(StorageFault) {
        guard let id = TransactionID(bytes: pair.value),
            try source.value(in: .receipts, for: id.bytes) != nil
        else {
            throw StorageFault("the use at \(Hex.encode(pair.key)) names no executed transaction")
        }
    }

    private func checkReceipt(_ pair: KeyValue) throws(StorageFault) {
        let what = "the receipt at \(Hex.encode(pair.key))"
        if pair.key.count == StoredState.useKeyBytes { return try checkUse(pair) }
        guard pair.key.count == 33 else {
            let receipt: Receipt = try StoredState.decode(pair.value, what)
            guard receipt.transactionID.bytes == pair.key, receipt.height > 0,
                receipt.height <= head.height
            else { throw StorageFault("\(what) is another transaction's, or of no block") }
            return try checkCommitment(of: receipt, what)
        }
        let escrow: Escrow = try StoredState.decode(pair.value, what)
        guard StoredState.closedEscrowKey(escrow.id) == pair.key, escrow.state == .closed,
            escrow.isBalanced
        else { throw StorageFault("\(what) isn't a closed escrow that balances") }
        for party in escrow.parties {
            try need(StoredState.partyKey(party, escrow.id), in: .escrowsByParty, for: what)
        }
    }
}

extension TreePlace {
    /// The place whose store key it is, nil for bytes that are none.
    fileprivate init?(storeKey key: [UInt8]) {
        guard let first = key.first, first < 64, key.count == 1 + (Int(first) + 1) / 2 else {
            return nil
        }
        let padding = [UInt8](repeating: 0, count: 33 - key.count)
        guard let path = Bytes32(key.dropFirst() + padding) else { return nil }
        self.init(above: path, depth: Int(first))
        guard storeKey == key else { return nil }
    }

    /// - Precondition: it isn't the root.
    fileprivate var parent: TreePlace { TreePlace(above: prefix, depth: depth - 1) }

    /// The half byte at which it hangs below its parent.
    /// - Precondition: it isn't the root.
    fileprivate var lastNibble: Int { prefix.nibble(at: depth - 1) }

    /// The store key of what hangs below at a half byte.
    fileprivate func childKey(_ nibble: Int) -> [UInt8] {
        var key = storeKey
        key[0] += 1
        if depth % 2 == 0 {
            key.append(UInt8(nibble) << 4)
        } else {
            key[key.count - 1] |= UInt8(nibble)
        }
        return key
    }
}
