package import Primitives

/// Recomputes from every row of the state what the ledger keeps up with change by change.
///
/// O(state). Any difference is a `StorageFault` that says which.
package struct LedgerAudit: Sendable {
    /// What the audit counted.
    package let accounts: Int
    /// Open and disputed ones.
    package let escrows: Int
    /// With stake or offences, validators too.
    package let verifiers: Int
    package let totals: Totals
    /// Of the rows, straight from the definition.
    package let stateRoot: Digest

    /// Audits the ledger in `source`, to which every write must have been applied.
    package init(of source: any KeyValueSource) throws(StorageFault) {
        guard let head = try StoredState.head(in: source) else {
            throw StorageFault("the store holds no ledger")
        }
        var scan = Scan(head.totals)
        try scan.run(source)
        accounts = scan.accounts
        escrows = scan.escrowsByDue.count
        verifiers = scan.verifiers
        totals = try scan.totals(supply: head.totals)
        stateRoot = StateTree.root(of: scan.leaves[...])
        guard stateRoot == head.stateRoot else {
            throw StorageFault("the rows make the root \(stateRoot), not \(head.stateRoot)")
        }
        guard totals == head.totals else {
            throw StorageFault("supply: the rows make \(totals), the head says \(head.totals)")
        }
        for asset in totals.assets where !asset.isBalanced {
            throw StorageFault("supply of \(asset.asset): \(asset) doesn't balance")
        }
        try LedgerAudit.checkDeadlines(scan.escrowsByDue, source)
        try LedgerAudit.checkBonds(scan.bonds, source)
    }

    private static func checkBonds(
        _ expected: [BondIndex.Entry], _ source: any KeyValueSource
    ) throws(StorageFault) {
        let found = try BondIndex.stored(expected.count + 1, source)
        guard found == expected.sorted() else {
            throw StorageFault(
                "\(found.count) bonds are noted, the \(expected.count) verifiers have others")
        }
    }

    private static func checkDeadlines(
        _ expected: [DeadlineIndex.Entry], _ source: any KeyValueSource
    ) throws(StorageFault) {
        let pairs = try source.pairs(
            in: .deadlines, from: [], before: nil, limit: expected.count + 1)
        var found: [DeadlineIndex.Entry] = []
        for pair in pairs { found.append(try DeadlineIndex.entry(pair.key)) }
        guard found == expected.sorted() else {
            throw StorageFault(
                "\(found.count) deadlines are noted, the \(expected.count) escrows have others")
        }
    }
}

extension LedgerAudit {
    private struct Scan {
        private(set) var leaves: [StateTree.Change] = []
        private(set) var accounts = 0
        private(set) var verifiers = 0
        private(set) var escrowsByDue: [DeadlineIndex.Entry] = []
        private(set) var bonds: [BondIndex.Entry] = []
        private var sums: [Totals.Asset]

        /// Rows that are read at once.
        private static let pageRows = 1024

        init(_ totals: Totals) {
            sums = totals.assets.map { Totals.Asset(asset: $0.asset) }
        }

        mutating func run(_ source: any KeyValueSource) throws(StorageFault) {
            var start: [UInt8] = []
            while true {
                let page = try source.pairs(
                    in: .state, from: start, before: nil, limit: Scan.pageRows)
                for pair in page { try add(pair) }
                guard let last = page.last else { return }
                start = last.key + [0]
            }
        }

        /// The sums, each asset with the supply that the head says.
        func totals(supply head: Totals) throws(StorageFault) -> Totals {
            var sums = sums
            for place in sums.indices {
                sums[place].supply = head[sums[place].asset]?.supply ?? 0
            }
            return Totals(assets: sums)
        }

        private mutating func add(_ pair: KeyValue) throws(StorageFault) {
            let row: StateRow
            do throws(BCSError) {
                row = try StateRow(bytes: pair.value)
            } catch {
                throw StoredState.damaged("the state at \(Hex.encode(pair.key))", error)
            }
            guard row.key.path.bytes == pair.key else {
                throw StorageFault("\(row.key) lies at \(Hex.encode(pair.key)), not at its path")
            }
            leaves.append(StateTree.Change(path: row.key.path, valueHash: row.valueHash))
            try count(row)
        }

        private mutating func count(_ row: StateRow) throws(StorageFault) {
            var what: String { "the value of \(row.key)" }
            switch row.key.kind {
            case .account: try count(try StoredState.decode(row.value, what) as Account)
            case .escrow: try count(try StoredState.decode(row.value, what) as Escrow)
            case .verifier:
                guard let key = PublicKey(bytes: row.key.id) else {
                    throw StorageFault("\(row.key) names no verifier")
                }
                try count(try StoredState.decode(row.value, what) as Verifier, key)
            case .system, .validator, .parameters: break
            }
        }

        private mutating func count(
            _ verifier: Verifier, _ key: PublicKey
        ) throws(StorageFault) {
            guard !verifier.isGone, verifier.releases.allSatisfy({ $0.amount > 0 }) else {
                throw StorageFault("verifier \(key) has nothing, or a release of nothing")
            }
            verifiers += 1
            if verifier.bonded > 0 {
                bonds.append(BondIndex.Entry(bonded: verifier.bonded, key: key))
            }
            for amount in [verifier.bonded] + verifier.releases.map(\.amount) {
                try add(amount, of: .native, to: \.bonded)
            }
        }

        private mutating func count(_ account: Account) throws(StorageFault) {
            accounts += 1
            guard
                account.streams.reduce(0, { $0 &+ $1.deposit.rawValue })
                    == account.deposits.rawValue
            else { throw StorageFault("an account's deposits aren't those of its streams") }
            try add(account.deposits, of: .native, to: \.deposits)
            for balance in account.balances {
                try add(balance.amount, of: balance.asset, to: \.balances)
            }
        }

        private mutating func count(_ escrow: Escrow) throws(StorageFault) {
            guard escrow.isBalanced, escrow.held > 0, let due = escrow.due else {
                throw StorageFault("escrow \(escrow.id) doesn't balance or holds nothing")
            }
            escrowsByDue.append(DeadlineIndex.Entry(due: due, escrow: escrow.id))
            try add(escrow.held, of: escrow.terms.asset, to: \.escrowed)
        }

        private mutating func add(
            _ amount: Amount, of asset: AssetID, to part: WritableKeyPath<Totals.Asset, Amount>
        ) throws(StorageFault) {
            guard let place = sums.firstIndex(where: { $0.asset == asset }) else {
                throw StorageFault("\(amount) of the unknown asset \(asset)")
            }
            do throws(ArithmeticOverflow) {
                sums[place][keyPath: part] = try sums[place][keyPath: part].adding(amount)
            } catch {
                throw StorageFault("supply of \(asset): the sum of the rows lies above 2^64 - 1")
            }
        }
    }
}

extension Ledger {
    /// Audits the store that the ledger works on.
    /// - Precondition: `writesApplied()` was called after the last block.
    /// - Throws: `StorageFault` for any difference between the rows and the ledger.
    package func audit() throws(StorageFault) -> LedgerAudit {
        precondition(!hasPendingWrites, "an audit at height \(height) before its writes applied")
        let audit = try LedgerAudit(of: source)
        guard audit.totals == totals, audit.stateRoot == stateRoot else {
            throw StorageFault("the store isn't at the ledger's height \(height)")
        }
        return audit
    }
}
