package import Primitives

extension Ledger {
    /// What an empty store must be given before a ledger can be opened on it, and the root at
    /// height 0.
    package static func genesisWrites(_ genesis: Genesis) -> (writes: WriteSet, root: Digest) {
        var writes = WriteSet()
        var changes = accounts(of: genesis, into: &writes)
        writes.append(PostingIndex.genesisWrites(genesis))
        for (index, validator) in zip(genesis.committee.indices, genesis.validators) {
            let key = StateKey.validator(index)
            changes.append(StateWriter.write(validator, key, at: key.path, into: &writes))
        }
        changes += verifiers(of: genesis, into: &writes)
        let epoch = StateKey.system(EpochTable.name(of: 0))
        changes.append(
            StateWriter.write(genesis.epochRecord, epoch, at: epoch.path, into: &writes))
        changes += sets(of: genesis, into: &writes)
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
            account.native = entry.balance
            let key = StateKey(.account, entry.address)
            return StateWriter.write(account, key, at: key.path, into: &writes)
        }
    }

    /// Validators with their stakes, and those without a vote.
    private static func verifiers(
        of genesis: Genesis, into writes: inout WriteSet
    ) -> [StateTree.Change] {
        var index = BondIndex()
        return genesis.bondedVerifiers.map { key, verifier in
            index.move(key, from: 0, to: verifier.bonded, &writes)
            let key = StateKey(.verifier, key)
            return StateWriter.write(verifier, key, at: key.path, into: &writes)
        }
    }

    /// The verifier sets of all periods that the state at height 0 determines.
    private static func sets(
        of genesis: Genesis, into writes: inout WriteSet
    ) -> [StateTree.Change] {
        let periods = VerifierPeriods(genesis.parameters)
        return (0...periods.newest(after: 0)).map { period in
            let value = periods.systemValue(genesis.verifierSet(period: period))
            let key = StateKey.system(value.name)
            return StateWriter.write(raw: value.value, key, at: key.path, into: &writes)
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
        let bonded = bondedVerifiers.reduce(UInt64(0)) { $0 + $1.verifier.bonded.rawValue }
        return Totals(
            balances: Amount(supply.rawValue - bonded), bonded: Amount(bonded), supply: supply)
    }

    /// Who has stake at height 0: the validators, who are candidates, then those without a vote.
    /// Reward addresses own the bonds.
    fileprivate var bondedVerifiers: [(key: PublicKey, verifier: Verifier)] {
        let voting = validators.map { validator in
            let record = Verifier(
                peerID: validator.peerID, owner: validator.rewardAddress,
                rewardAddress: validator.rewardAddress, bonded: validator.stake,
                isCandidate: true)
            return (validator.votingKey, record)
        }
        let others = verifiers.map { verifier in
            let record = Verifier(
                peerID: verifier.peerID, owner: verifier.rewardAddress,
                rewardAddress: verifier.rewardAddress, bonded: verifier.bond)
            return (verifier.key, record)
        }
        return voting + others
    }

    /// The set of one of the first periods.
    package func verifierSet(period: UInt64) -> VerifierSet {
        let ranked = verifiers.sorted { ($1.bond, $0.key) < ($0.bond, $1.key) }
        let room = VerifierSet.countMax - committee.count
        return VerifierSet(
            period: period, committee: committee,
            others: ranked.prefix(room).map { verifier in
                BondedVerifier(
                    key: verifier.key, peerID: verifier.peerID,
                    bond: verifier.bond.rawValue / parameters.stake.unit.rawValue,
                    rewardAddress: verifier.rewardAddress)
            })
    }
}
