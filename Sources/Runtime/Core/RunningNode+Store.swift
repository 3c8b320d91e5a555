internal import Execution
internal import NodeCore
internal import Primitives

extension RunningNode {
    /// Opens the home's store, and puts the genesis into a new one.
    /// - Throws: `HomeFault` for a store that is damaged or of another genesis.
    static func openStore(
        _ home: Home, _ configuration: Configuration, _ genesis: Genesis
    ) throws(HomeFault) -> RocksStore {
        do throws(StorageFault) {
            var limits = StoreLimits()
            limits.blockCacheBytes = configuration.limits.blockCacheMegabytes << 20
            let store = try RocksStore(folder: home.data, limits: limits)
            guard let summary = try LedgerReader(store).summary() else {
                try checkEmpty(store)
                try store.apply(NodeCore.genesisWrites(genesis))
                try store.syncLog()
                try PostingSwitch.set(
                    configuration.keepsAccountHistory, in: store, of: genesis)
                return store
            }
            if summary.chainID == genesis.chainID {
                try ChainAudit(of: store, genesis: genesis, depth: .readable).checkHead()
                try PostingSwitch.set(
                    configuration.keepsAccountHistory, in: store, of: genesis)
                return store
            }
        } catch {
            throw HomeFault("\(error)", exitCode: .storage)
        }
        throw HomeFault(
            """
            \(home.genesis): it is another network's than the one whose chain lies in \
            \(home.data), or it was damaged: copy genesis.json from another node of the network \
            (`offpeak genesis check` shows its chain), and start again
            """)
    }

    /// A store without a ledger must be without anything else: it would be begun anew.
    private static func checkEmpty(_ store: RocksStore) throws(StorageFault) {
        for column in [Column.blocks, .state, .nodes] {
            guard try store.pairs(in: column, from: [], before: nil, limit: 1).isEmpty else {
                throw StorageFault(
                    "the store has no ledger's head, but rows in \(column.rawValue): it is damaged")
            }
        }
    }
}

extension Home {
    /// Runs `body`; a fault of the disk comes with the command that mends it.
    func advising<Result>(
        _ body: () throws(HomeFault) -> Result
    ) throws(HomeFault) -> Result {
        do throws(HomeFault) {
            return try body()
        } catch {
            guard error.exitCode == .storage else { throw error }
            throw HomeFault(
                StoreAdvice.complete(error.description, home: path), exitCode: .storage)
        }
    }

    /// Whether the keys that the configured role needs are there: without this a validator whose
    /// key was lost would go on as a relay without a word.
    func checkRole(_ configuration: Configuration) throws(HomeFault) {
        let name: String
        switch configuration.role {
        case .validator, .verifier: name = configuration.role?.rawValue ?? ""
        case .relay, nil:
            guard PosixFolder.exists("\(keys)/validator.mark"), !hasValidatorKey else { return }
            name = "validator"
        }
        guard !hasValidatorKey else { return }
        throw HomeFault(
            """
            \(validatorKey): no key there, although this node is a \(name): restore it from its \
            backup (`offpeak key import`), or set node.role to relay in \(self.configuration) and \
            remove \(keys)/validator.mark if there is one
            """)
    }
}
