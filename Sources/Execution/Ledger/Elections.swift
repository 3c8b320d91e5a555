internal import Primitives

// Who votes. The committee of epoch e is what the state says after height `decision(of: e)`, which
// everybody has executed, on the ledger or on a copy, who votes for the last block of epoch e - 1
// (EpochSchedule): of the verifiers that declared their candidacy, aren't in jail and have at least
// `stake.minimum` bonded those with the highest bonds, at most `stake.validatorsMax`, with the bond
// in units of stake as weight. Where nobody stands the committee before goes on.

extension Ledger {
    /// What the end of a block means for epochs: the boundary that it is, the committee that it
    /// determines, those that have passed.
    ///
    /// - Precondition: What the block changed is in the tables' caches.
    mutating func determineEpochs(
        _ block: ExecutableBlock
    ) throws(StorageFault) -> [ExecutableBlock.SystemValue] {
        let schedule = epochs.schedule
        var values: [ExecutableBlock.SystemValue] = []
        if schedule.isLast(block.height) {
            let ended = EpochBoundary(
                epoch: schedule.epoch(of: block.height), block: block.digest)
            boundary = ended
            values.append(.init(name: EpochBoundary.name, value: ended.bcsBytes))
        }
        if epochs.newest < schedule.newest(after: block.height) {
            let record = try elect()
            try epochs.insert(record)
            values.append(.init(name: EpochTable.name(of: record.epoch), value: record.bcsBytes))
        }
        for epoch in epochs.removePassed(at: block.height) {
            values.append(.init(name: EpochTable.name(of: epoch), value: nil))
        }
        return values
    }

    /// The committee of the epoch after the newest.
    private func elect() throws(StorageFault) -> EpochRecord {
        guard let epoch = epochs.newest.next, let previous = epochs.record(of: epochs.newest) else {
            throw StorageFault("epoch \(epochs.newest) has no committee, or is the last")
        }
        let elected = try executor.electedValidators()
        return EpochRecord(
            epoch: epoch, boundary: try boundaryDigest(for: epoch),
            validators: elected.isEmpty ? previous.validators : elected)
    }

    /// The digest of the last block of the epoch two before; zero where there is none.
    private func boundaryDigest(for epoch: Epoch) throws(StorageFault) -> Digest {
        guard epoch.rawValue >= 2 else { return .zero }
        guard let boundary, boundary.epoch.rawValue == epoch.rawValue - 2 else {
            throw StorageFault("the state doesn't say which block ended the epoch before the last")
        }
        return boundary.block
    }
}

extension Executor {
    /// The candidates who would be elected after the height that is being executed, the highest
    /// bonds first and of equal ones the lower key.
    fileprivate func electedValidators() throws(StorageFault) -> [Validator] {
        let seats = Int(rules.stake.validatorsMax)
        var limit = 2 * seats
        while true {
            let entries = try bonds.first(limit, source)
            let standing = entries.prefix { $0.bonded >= rules.stake.minimum }
            let elected = try elected(of: standing, seats)
            if elected.count == seats || standing.count < limit { return elected }
            // Some of the highest don't stand: look further.
            limit *= 2
        }
    }

    private func elected(
        of entries: some Sequence<BondIndex.Entry>, _ seats: Int
    ) throws(StorageFault) -> [Validator] {
        var elected: [Validator] = []
        var peers: Set<PeerID> = []
        var room = Committee.totalWeightMax
        for entry in entries where elected.count < seats {
            guard let verifier = try verifiers.peek(entry.key, source),
                verifier.bonded == entry.bonded
            else {
                throw StorageFault("verifier \(entry.key) is noted with \(entry.bonded) bonded")
            }
            let weight = min(entry.bonded.rawValue / rules.stakeUnit.rawValue, room)
            guard verifier.isCandidate, !verifier.isJailed(at: height), weight > 0,
                peers.insert(verifier.peerID).inserted
            else { continue }
            room -= weight
            elected.append(
                Validator(
                    votingKey: entry.key, peerID: verifier.peerID, weight: weight,
                    rewardAddress: verifier.rewardAddress))
        }
        return elected
    }
}
