package import Primitives

extension Ledger {
    /// What an empty store must be given before a ledger can be opened on it, and the root at
    /// height 0.
    package static func genesisWrites(_ genesis: Genesis) -> (writes: WriteSet, root: Digest) {
        var writes = WriteSet()
        var changes = accounts(of: genesis, into: &writes)
        for (index, validator) in zip(genesis.committee.indices, genesis.validators) {
            let key = StateKey.validator(index)
            changes.append(StateWriter.write(validator, key, at: key.path, into: &writes))
        }
        let key = StateKey.parameters
        changes.append(StateWriter.write(genesis.parameters, key, at: key.path, into: &writes))
        changes.sort { $0.path < $1.path }
        let root = root(of: changes, into: &writes)
        let head = StoredState.Head(
            chainID: genesis.chainID, height: 0, stateRoot: root, time: genesis.time,
            totals: genesis.totals)
        writes.put(head.bcsBytes, in: .meta, for: StoredState.headKey)
        return (writes, root)
    }

    private static func accounts(
        of genesis: Genesis, into writes: inout WriteSet
    ) -> [StateTree.Change] {
        genesis.accounts.map { entry in
            var account = Account(policy: entry.policy)
            account.setBalance(entry.balance, of: .native)
            let key = StateKey(.account, entry.address)
            return StateWriter.write(account, key, at: key.path, into: &writes)
        }
    }

    private static func root(
        of changes: [StateTree.Change], into writes: inout WriteSet
    ) -> Digest {
        var tree = StateTree()
        do throws(StorageFault) {
            return try tree.update(changes, source: MemoryStore(), into: &writes)
        } catch {
            preconditionFailure("an empty store in memory can't fail: \(error)")
        }
    }
}

extension Genesis {
    /// Where the supply is at height 0.
    package var totals: Totals {
        let bonded = validators.reduce(UInt64(0)) { $0 + $1.stake.rawValue }
        return Totals(assets: [
            Totals.Asset(
                asset: .native, balances: Amount(supply.rawValue - bonded),
                bonded: Amount(bonded), supply: supply)
        ])
    }
}
