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
    /// Issued ones.
    package let assets: Int
    package let totals: Totals
    /// Of the rows, straight from the definition.
    package let stateRoot: Digest

    /// Audits the ledger in `source`, to which every write must have been applied.
    package init(of source: any KeyValueSource) throws(StorageFault) {
        guard let head = try StoredState.head(in: source) else {
            throw StorageFault("the store holds no ledger")
        }
        let epochs = try EpochAudit(of: source, head)
        var scan = Scan(supply: head.totals.supply, epochs: epochs)
        try scan.run(source)
        accounts = scan.accounts
        escrows = scan.escrowsByDue.count
        verifiers = scan.verifiers
        totals = scan.totals
        assets = scan.assets.count
        stateRoot = StateTree.root(of: scan.leaves[...])
        guard stateRoot == head.stateRoot else {
            throw StorageFault("the rows make the root \(stateRoot), not \(head.stateRoot)")
        }
        guard totals == head.totals else {
            throw StorageFault("supply: the rows make \(totals), the head says \(head.totals)")
        }
        guard totals.isBalanced else { throw StorageFault("supply: \(totals) doesn't balance") }
        try epochs.run()
        try scan.checkAssets()
        guard try ProposalQueue.stored(in: source).entries == scan.proposals.sorted() else {
            throw StorageFault("the proposals that are noted aren't those that stand")
        }
        try LedgerAudit.checkDeadlines(scan.escrowsByDue, source)
        try LedgerAudit.checkBonds(scan.bonds, source)
        try LedgerAudit.checkGuarded(scan.guarded, source)
    }

    private static func checkGuarded(
        _ expected: [[UInt8]], _ source: any KeyValueSource
    ) throws(StorageFault) {
        let pairs = try source.pairs(
            in: .guarded, from: [], before: nil, limit: expected.count + 1)
        let wanted = expected.sorted { $0.lexicographicallyPrecedes($1) }
        guard pairs.map(\.key) == wanted else {
            throw StorageFault(
                "\(pairs.count) guardians are noted, the accounts have \(expected.count), others")
        }
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
        /// Keys of the guarded column.
        private(set) var guarded: [[UInt8]] = []
        /// Native asset; the supply is the one that the head says.
        private(set) var totals: Totals
        private(set) var assets: [AssetID: Asset] = [:]
        private(set) var proposals: [ProposalQueue.Entry] = []
        /// Of issued assets, as the accounts and escrows have them.
        private var balances: [AssetID: Amount] = [:]
        private var escrowed: [AssetID: Amount] = [:]
        /// Claims that accounts count, less the escrows that make them; none at the end.
        private var claims: [Claim: Int] = [:]

        private struct Claim: Hashable {
            let asset: AssetID
            let address: Address
        }

        /// Rows that are read at once.
        private static let pageRows = 1024

        private let epochs: EpochAudit

        init(supply: Amount, epochs: EpochAudit) {
            totals = Totals(supply: supply)
            self.epochs = epochs
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

        /// Every issued asset has what accounts and escrows have of it, and claims their escrows.
        func checkAssets() throws(StorageFault) {
            for id in Set(balances.keys).union(escrowed.keys) where assets[id] == nil {
                throw StorageFault("something is held of the unknown asset \(id)")
            }
            for (id, asset) in assets {
                guard asset.balances == balances[id] ?? 0, asset.escrowed == escrowed[id] ?? 0,
                    asset.isBalanced, asset.supply <= asset.terms.cap ?? Amount(.max)
                else { throw StorageFault("supply of \(id): \(asset) isn't what the rows make") }
            }
            guard claims.values.allSatisfy({ $0 == 0 }) else {
                throw StorageFault("claims of accounts don't fit the escrows")
            }
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
            case .account:
                guard let address = Address(bytes: row.key.id) else {
                    throw StorageFault("\(row.key) names no account")
                }
                let account: Account = try StoredState.decode(row.value, what)
                guarded += GuardianIndex.guardians(of: account).map { $0.bytes + row.key.id }
                try count(account, address)
            case .proposal:
                guard let id = ProposalID(bytes: row.key.id) else {
                    throw StorageFault("\(row.key) names no proposal")
                }
                let proposal: ParameterProposal = try StoredState.decode(row.value, what)
                proposals.append(ProposalQueue.Entry(due: proposal.due, proposal: id))
                try Scan.add(proposal.deposit, to: &totals.deposits)
            case .asset:
                guard let id = AssetID(bytes: row.key.id), id != .native else {
                    throw StorageFault("\(row.key) names no issued asset")
                }
                let asset: Asset = try StoredState.decode(row.value, what)
                assets[id] = asset
                try Scan.add(asset.deposit, to: &totals.deposits)
            case .escrow: try count(try StoredState.decode(row.value, what) as Escrow)
            case .verifier:
                guard let key = PublicKey(bytes: row.key.id) else {
                    throw StorageFault("\(row.key) names no verifier")
                }
                try count(try StoredState.decode(row.value, what) as Verifier, key)
            case .system: try epochs.check(row)
            case .validator, .parameters: break
            }
        }

        private mutating func count(
            _ verifier: Verifier, _ key: PublicKey
        ) throws(StorageFault) {
            guard !verifier.isGone, verifier.releases.allSatisfy({ $0.amount > 0 }) else {
                throw StorageFault("verifier \(key) has nothing, or a release of nothing")
            }
            guard !verifier.isCandidate || verifier.jailedUntil < Height(.max) else {
                throw StorageFault("verifier \(key) is a candidate, but in jail for good")
            }
            verifiers += 1
            if verifier.bonded > 0 {
                bonds.append(BondIndex.Entry(bonded: verifier.bonded, key: key))
            }
            for amount in [verifier.bonded] + verifier.releases.map(\.amount) {
                try Scan.add(amount, to: &totals.bonded)
            }
        }

        private mutating func count(
            _ account: Account, _ address: Address
        ) throws(StorageFault) {
            accounts += 1
            try Scan.add(account.deposits, to: &totals.deposits)
            try Scan.add(account.native, to: &totals.balances)
            var deposits = Amount(0)
            for stream in account.streams { try Scan.add(stream.deposit, to: &deposits) }
            for holding in account.holdings {
                guard !holding.isGone else {
                    throw StorageFault("\(address) has an entry of nothing, \(holding.asset)")
                }
                try Scan.add(holding.amount, to: &balances[holding.asset, default: 0])
                try Scan.add(holding.deposit, to: &deposits)
                let claim = Claim(asset: holding.asset, address: address)
                claims[claim, default: 0] += Int(holding.claims)
            }
            guard deposits == account.deposits else {
                throw StorageFault(
                    "the deposits of \(address) aren't those of its streams and entries")
            }
        }

        private mutating func count(_ escrow: Escrow) throws(StorageFault) {
            guard escrow.isBalanced, escrow.held > 0, let due = escrow.due else {
                throw StorageFault("escrow \(escrow.id) doesn't balance or holds nothing")
            }
            escrowsByDue.append(DeadlineIndex.Entry(due: due, escrow: escrow.id))
            try Scan.add(escrow.deposit, to: &totals.deposits)
            let asset = escrow.terms.asset
            guard asset != .native else { return try Scan.add(escrow.held, to: &totals.escrowed) }
            try Scan.add(escrow.held, to: &escrowed[asset, default: 0])
            for party in [escrow.payer, escrow.terms.payee] {
                claims[Claim(asset: asset, address: party), default: 0] -= 1
            }
        }

        private static func add(_ amount: Amount, to sum: inout Amount) throws(StorageFault) {
            do throws(ArithmeticOverflow) {
                sum = try sum.adding(amount)
            } catch {
                throw StorageFault("supply: the sum of the rows lies above 2^64 - 1")
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
