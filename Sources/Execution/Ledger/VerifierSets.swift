package import Primitives

// Whose word counts for signatures in which period. The set of a period is what the state says
// after a height that everybody has executed who votes in that period for a block with a payload
// (VerificationParameters.swift): the validators of the period's epoch that aren't jailed, with
// their weights, and of the others those with the highest bonds that are neither jailed nor below
// the minimum. It is a value of the state itself, in a ring of slots, so that it can be proven and
// a restart finds it again.

extension Ledger {
    /// The set of a period that can still matter, or nil for a later or long passed one.
    package func verifierSet(period: UInt64) -> VerifierSet? { verifierSets[period] }

    /// The period that a height lies in.
    package func period(of height: Height) -> UInt64 {
        executor.rules.verification.period(of: height)
    }

    /// The set that the state after the block that is being executed determines, if it is one.
    ///
    /// - Precondition: What the block changed is in the tables' caches, and the committee of the
    ///   period's epoch is determined: it is so at the same height at the latest.
    mutating func determineSet() throws(StorageFault) -> [ExecutableBlock.SystemValue] {
        let rules = executor.rules
        let newest = rules.periods.newest(after: executor.height)
        guard newest > rules.periods.newest(after: executor.height.clampedRetreat(by: 1)) else {
            return []
        }
        // A batch that is sealed after the period's first height is the next block's epoch's.
        let epoch = epochs.schedule.epoch(after: rules.periods.first(of: newest))
        guard let committee = epochs[epoch] else {
            throw StorageFault("the committee of epoch \(epoch) isn't known at \(executor.height)")
        }
        let set = VerifierSet(
            period: newest, committee: committee, jailed: try executor.jailed(of: committee),
            others: try executor.standingVerifiers(beside: committee))
        verifierSets[newest] = set
        verifierSets = verifierSets.filter { rules.periods.isKept($0.key, newest: newest) }
        return [rules.periods.systemValue(set)]
    }

    /// The sets that the store has for a ledger at `height`.
    static func storedSets(
        _ periods: VerifierPeriods, at height: Height, in source: any KeyValueSource
    ) throws(StorageFault) -> [UInt64: VerifierSet] {
        let newest = periods.newest(after: height)
        var sets: [UInt64: VerifierSet] = [:]
        for period in periods.oldestKept(newest: newest)...newest {
            let path = StateKey.system(periods.name(of: period)).path
            let set: VerifierSet? = try StoredState.record(at: path, in: source)
            guard let set, set.period == period else {
                throw StorageFault(
                    "the store lacks the verifier set of period \(period); move the store away and"
                        + " let the node fetch the chain again")
            }
            sets[period] = set
        }
        return sets
    }
}

/// When sets are determined, how long they are kept and where.
struct VerifierPeriods: Hashable, Sendable {
    /// The fewest slots of the ring.
    static let slotsMin: UInt64 = 16

    let verification: VerificationParameters
    /// How far execution may lag.
    let lag: UInt64

    init(_ parameters: LedgerParameters) {
        verification = parameters.verification
        lag = parameters.consensus.executionLagMax
    }

    /// The newest period whose set the state after `height` determines.
    func newest(after height: Height) -> UInt64 {
        verification.newestPeriod(after: height, lag: lag)
    }

    /// The first height of a period; an epoch has whole periods.
    func first(of period: UInt64) -> Height {
        let (product, overflow) = period.multipliedReportingOverflow(by: verification.periodBlocks)
        return Height(overflow ? .max : product)
    }

    func oldestKept(newest: UInt64) -> UInt64 {
        let others = verification.setsKept(lag: lag) - 1
        return newest - min(newest, others)
    }

    func isKept(_ period: UInt64, newest: UInt64) -> Bool { period >= oldestKept(newest: newest) }

    /// The name of the state's value for the set of `period`.
    func name(of period: UInt64) -> String {
        let slots = max(VerifierPeriods.slotsMin, verification.setsKept(lag: lag))
        return "verifiers/\(period % slots)"
    }

    func systemValue(_ set: VerifierSet) -> ExecutableBlock.SystemValue {
        ExecutableBlock.SystemValue(name: name(of: set.period), value: set.bcsBytes)
    }
}

extension Executor {
    /// The validators whose word doesn't count after the height that is being executed.
    fileprivate func jailed(of committee: Committee) throws(StorageFault) -> Set<ValidatorIndex> {
        var jailed: Set<ValidatorIndex> = []
        for index in committee.indices {
            let key = committee.validators[Int(index.rawValue)].votingKey
            if let verifier = try verifiers.peek(key, source), verifier.isJailed(at: height) {
                jailed.insert(index)
            }
        }
        return jailed
    }

    /// Those without a vote that may stand in a set, the highest bonds first, as many as have room.
    fileprivate func standingVerifiers(
        beside committee: Committee
    ) throws(StorageFault) -> [BondedVerifier] {
        let room = VerifierSet.countMax - committee.count
        var limit = room + committee.count
        while true {
            let entries = try bonds.first(limit, source)
            let standing = try standing(entries, beside: committee, room: room)
            if standing.count == room || entries.count < limit { return standing }
            // Some of the highest are in jail: look further.
            limit *= 2
        }
    }

    private func standing(
        _ entries: [BondIndex.Entry], beside committee: Committee, room: Int
    ) throws(StorageFault) -> [BondedVerifier] {
        var standing: [BondedVerifier] = []
        for entry in entries
        where standing.count < room && committee.index(of: entry.key) == nil {
            guard entry.bonded >= rules.verification.minimumBond else { break }
            guard let verifier = try verifiers.peek(entry.key, source),
                verifier.bonded == entry.bonded
            else {
                throw StorageFault("verifier \(entry.key) is noted with \(entry.bonded) bonded")
            }
            guard !verifier.isJailed(at: height) else { continue }
            standing.append(
                BondedVerifier(
                    key: entry.key, peerID: verifier.peerID,
                    bond: entry.bonded.rawValue / rules.stakeUnit.rawValue,
                    rewardAddress: verifier.rewardAddress))
        }
        return standing
    }
}
