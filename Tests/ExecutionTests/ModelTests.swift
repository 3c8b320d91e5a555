import Foundation
@_spi(Simulation) import Primitives
import TestSupport
import Testing

@testable import Execution

/// Random traffic on the ledger and on the naive model side by side.
@Suite struct ModelTests {
    private static let blocks = 300
    private static let transactionsPerBlock = 12

    private struct Run {
        let genesis: Genesis
        let store = MemoryStore()
        var ledger: Ledger
        var model: NaiveLedger
        var traffic: RandomTraffic
        var blocks: [ExecutableBlock] = []
        var operations = 0
        var baseFees: Set<BaseFee> = []
        var outcomes: [String: Int] = [:]
        /// What admission and execution refused alike, by reason.
        var refused: [String: Int] = [:]
        var watch: PostingWatch

        init(seed: UInt64) throws {
            let people = (1...10).map { Person($0) }
            let validators = (100...103).map { Person($0) }
            let verifiers = (150...169).map { Person($0) }
            genesis = try Genesis(
                network: "test", prefix: "tst", time: 1_000_000,
                accounts: people.prefix(8).enumerated().map { place, person in
                    GenesisAccount(
                        owner: place < 5 ? .policy(person.policy) : .address(person.address),
                        balance: Amount(100_000_000))
                },
                validators: validators.map {
                    GenesisValidator(
                        votingKey: $0.key.publicKey, peerID: PeerID($0.key.publicKey),
                        rewardAddress: $0.key.publicKey == validators[0].key.publicKey
                            ? $0.address : people[0].address, stake: 1_000_000)
                },
                verifiers: [
                    GenesisVerifier(
                        key: verifiers[5].key.publicKey, peerID: PeerID(verifiers[5].key.publicKey),
                        rewardAddress: people[1].address, bond: 70_000)
                ],
                parameters: LedgerParameters(
                    fees: FeeParameters(
                        streamDeposit: 5000, escrowDeposit: 70, holdingDeposit: 40,
                        assetDeposit: 3000, targetWeight: seed % 3 == 0 ? 2_000_000 : 9000,
                        changeDenominator: seed % 3 == 0 ? 128 : 8, treasury: people[9].address),
                    stake: StakeParameters(
                        minimum: 20_000, epochBlocks: 20, validatorsMax: 5),
                    escrow: EscrowParameters(expiriesPerBlockMax: 2),
                    consensus: ConsensusParameters(executionLagMax: seed % 2 == 0 ? 3 : 5),
                    verification: Run.verification(periodBlocks: seed % 2 == 0 ? 4 : 2),
                    governance: GovernanceParameters(
                        governed: [
                            .baseFee, .writeWeight, .escrowDeposit, .holdingDeposit,
                            .expiriesPerBlock,
                        ], voteBlocks: 12, delayBlocks: 5, deposit: 900),
                    safeguards: SafeguardParameters(
                        windowMillisecondsMin: 1000, delayMillisecondsMin: 1000)))
            store.apply(Ledger.genesisWrites(genesis).writes)
            ledger = try Run.open(store, genesis)
            model = NaiveLedger(genesis)
            watch = try PostingWatch(store)
            traffic = RandomTraffic(
                seed: seed, people: people, verifiers: verifiers, validators: validators)
        }

        private static func verification(periodBlocks: UInt64) -> VerificationParameters {
            VerificationParameters(
                periodBlocks: periodBlocks, minimumBond: 5000, unbondBlocks: 48, slashPermille: 37,
                repeatSlashPermille: 333, reporterPermille: 77)
        }

        static func open(_ store: MemoryStore, _ genesis: Genesis) throws -> Ledger {
            try Ledger(opening: store, genesis: genesis, judge: FakeJudge())
        }

        /// One block on both; each transaction is made for the state that the model has by then.
        mutating func step() throws -> (wanted: [String], found: [String], outcome: BlockOutcome) {
            let time = model.time + traffic.pause()
            model.beginBlock(at: time)
            var wanted: [String] = []
            var batches: [ExecutableBlock.Batch] = []
            let proposer = traffic.below(4)
            let direct = try transactions(traffic.below(3), factor: 2, &wanted)
            model.endDirect(proposer: proposer)
            for owner in 0..<2 {
                let signed = try transactions(
                    ModelTests.transactionsPerBlock / 2, factor: 1, &wanted)
                let credit = credit()
                model.endBatch(
                    owner: owner, proposer: proposer, period: credit.period, chunks: credit.chunks)
                batches.append(
                    .init(
                        owner: ValidatorIndex(UInt16(owner)), period: credit.period,
                        chunks: credit.chunks, transactions: signed))
            }
            model.endBlock()
            let block = ExecutableBlock(
                height: ledger.height.clampedAdvance(by: 1),
                digest: World.digest(ledger.height.clampedAdvance(by: 1)), time: Timestamp(time),
                proposer: ValidatorIndex(UInt16(proposer)), direct: direct, batches: batches,
                systemValues: [
                    .init(name: "lanes", value: traffic.chance(20) ? nil : time.bcsLittleEndian)
                ])
            blocks.append(block)
            let outcome = try ledger.execute(block)
            return (wanted, outcome.results.map(Run.name), outcome)
        }

        private mutating func transactions(
            _ count: Int, factor: UInt64, _ wanted: inout [String]
        ) throws -> [Verified<SignedTransaction>] {
            var signed: [Verified<SignedTransaction>] = []
            for _ in 0..<count {
                let transaction = try traffic.transaction(model, chainID: genesis.chainID)
                operations += transaction.transaction.operations.count
                wanted.append(model.run(transaction, factor: factor))
                signed.append(.simulated(transaction))
            }
            return signed
        }

        /// What admission says of one more transaction is what execution does with it in the same
        /// state. Leaves the run as it is, but for the traffic's randomness.
        /// - Returns: The reason for which both refuse it, or nil.
        mutating func probe() throws -> String? {
            let signed = try traffic.transaction(model, chainID: genesis.chainID)
            let admission = try ledger.admission(of: signed)
            var copy = ledger
            let height = ledger.height.clampedAdvance(by: 1)
            let batch = ExecutableBlock.Batch(
                owner: ValidatorIndex(0), period: 0, chunks: [],
                transactions: [.simulated(signed)])
            let outcome = try copy.execute(
                ExecutableBlock(
                    height: height, digest: World.digest(height), time: ledger.time,
                    proposer: ValidatorIndex(0), batches: [batch]))
            // What a block does before its transactions is another state.
            let isFirst = ledger.epochs.schedule.isFirst(height)
            guard outcome.expiries.isEmpty, !isFirst, let result = outcome.results.first else {
                return nil
            }
            let what = Comment("\(signed.transaction): \(admission), \(result)")
            switch (admission, result) {
            case (.refused(let refused), .skipped(_, let skipped)):
                // Admission looks beyond a sequence whose turn hasn't come.
                #expect(refused == skipped || skipped == .sequenceAhead, what)
                return refused == skipped ? refused.name : nil
            case (.admissible(let next, _, let cost, _, let limits), .executed(let receipt)):
                #expect(next == signed.transaction.sequence, what)
                let sender = signed.transaction.sender
                let before = try LedgerReader(store).account(sender)
                let store = store.copy()
                store.apply(outcome.writes)
                let after = try LedgerReader(store).account(sender)
                let spent = (before?.native ?? 0).clampedRetreat(by: (after?.native ?? 0).rawValue)
                #expect(spent <= cost, what)
                for use in limits where receipt.outcome == .success {
                    #expect(before?.room(for: use.asset, at: ledger.time) == use.room, what)
                    // A completed recovery takes the limits away.
                    guard let room = after?.room(for: use.asset, at: ledger.time) else { continue }
                    // An entry that goes and is made anew isn't foreseen.
                    let isExact = use.asset != .native
                    let left = use.room.clampedRetreat(by: use.cost.rawValue)
                    #expect(isExact ? room == left : room <= left, what)
                }
                return nil
            case (.admissible(let next, _, _, _, _), .skipped(_, .sequenceAhead)):
                #expect(next < signed.transaction.sequence, what)
                return nil
            default:
                Issue.record(what)
                return nil
            }
        }

        /// Who checked a batch: some members of the set of this period or the last one.
        private mutating func credit() -> (period: UInt64, chunks: [ExecutableBlock.ChunkCredit]) {
            let now = model.height / model.verification.periodBlocks
            let period = now - min(now, UInt64(traffic.below(3)))
            let count = model.sets[period]?.members.count ?? 0
            let chunks = (0..<traffic.below(4)).map { _ in
                let members = (0..<count).filter { _ in traffic.chance(60) }
                return ExecutableBlock.ChunkCredit(
                    transactions: UInt32(traffic.below(9)),
                    verifiers: members.map { VerifierIndex(UInt16($0)) })
            }
            return (period, chunks)
        }

        static func name(_ result: TransactionResult) -> String {
            switch result {
            case .skipped(_, let reason): reason.name
            case .executed(let receipt):
                switch receipt.outcome {
                case .success: "ok"
                case .failed(_, let code): code.name
                }
            }
        }

        /// Where balances or escrows differ from the model's.
        func differences() throws -> [String] {
            let reader = LedgerReader(store)
            var differences: [String] = []
            for (address, balance) in model.balances {
                let account = try reader.account(address)
                if account?.balance(of: .native).rawValue ?? 0 != balance {
                    differences.append("\(address): \(account as Any), model \(balance)")
                }
                if account?.deposits.rawValue != model.deposits[address] ?? 0 {
                    differences.append("deposits of \(address)")
                }
                let streams = account?.streams.map {
                    [UInt64($0.number), $0.next.rawValue, $0.lastUse.rawValue, $0.deposit.rawValue]
                }
                if streams ?? [] != model.streamRows(of: address) {
                    differences.append("streams of \(address): \(streams as Any)")
                }
            }
            for (id, trust) in model.trusts {
                let escrow = try reader.escrow(id)
                if escrow?.held.rawValue != trust.held || escrow?.round != trust.round
                    || escrow?.released.rawValue != trust.released
                    || escrow?.decisions.map(\.address) != trust.wishes.keys.sorted()
                {
                    differences.append("\(id): \(escrow as Any), model \(trust)")
                }
            }
            differences += try model.safeguardDifferences(reader)
            differences += model.epochDifferences(ledger)
            return differences + (try stakeDifferences(reader)) + (try assetDifferences(reader))
        }

        /// Where assets or what people hold of them differ from the model's.
        private func assetDifferences(_ reader: LedgerReader) throws -> [String] {
            var differences: [String] = []
            for person in traffic.people {
                let holdings = try reader.account(person.address)?.holdings ?? []
                let wanted = model.holdings[person.address] ?? [:]
                let found = Dictionary(
                    uniqueKeysWithValues: holdings.map { ($0.asset, NaiveHolding($0)) })
                let claims = holdings.allSatisfy {
                    Int($0.claims) == model.claims($0.asset, person.address)
                }
                if found != wanted || !claims {
                    differences.append("\(person.address): \(holdings), model \(wanted)")
                }
            }
            for (id, wanted) in model.assets {
                let found = try reader.asset(id)
                if found?.issuer != wanted.issuer || found?.terms != wanted.terms
                    || found?.supply.rawValue != model.supply(id)
                    || found?.escrowed.rawValue != model.escrowed(id)
                {
                    differences.append("\(id): \(found as Any), model \(wanted)")
                }
            }
            return differences
        }

        /// Where bonds or verifier sets differ from the model's.
        private func stakeDifferences(_ reader: LedgerReader) throws -> [String] {
            var differences: [String] = []
            for person in traffic.verifiers + traffic.validators {
                let key = person.key.publicKey
                let found = try reader.verifier(key).map(NaiveStake.init)
                if found != model.stakes[key] {
                    differences.append("\(key): \(found as Any), model \(model.stakes[key] as Any)")
                }
            }
            for (period, set) in ledger.verifierSets {
                let found = NaiveSet(
                    members: set.members.map { .init(key: $0.key, bond: $0.bond) })
                if found != model.sets[period] {
                    differences.append(
                        "set \(period): \(found), model \(model.sets[period] as Any)")
                }
            }
            let now = ledger.period(of: ledger.height.clampedAdvance(by: 1))
            for period in (now - min(now, 8))...now
            where ledger.verifierSet(period: period) == nil {
                differences.append("no set for period \(period) at height \(ledger.height)")
            }
            let proposals = try reader.proposals().map {
                "\($0.id) \($0.proposal.due) \($0.proposal.isApproved) \($0.proposal.votes.count)"
            }
            let wanted = model.proposals.map {
                "\($0.key) \($0.value.due) \($0.value.isApproved) \($0.value.votes.count)"
            }
            if proposals.sorted() != wanted.sorted() {
                differences.append("proposals: \(proposals), model \(wanted)")
            }
            if ledger.parametersInForce.fees != model.fees {
                differences.append("\(ledger.parametersInForce.fees), model \(model.fees)")
            }
            return differences
        }
    }

    /// Twelve seeds with 3,600 transactions and about 7,000 operations each;
    /// `OFFPEAK_MODEL_SEEDS=150` makes it a million operations.
    private static let seeds: [UInt64] = {
        let wanted = ProcessInfo.processInfo.environment["OFFPEAK_MODEL_SEEDS"]
        return Array(1...(wanted.flatMap { UInt64($0) } ?? 12))
    }()

    /// What must come about in one of the seeds at least.
    private static let expected = [
        "ok", "expired", "sequenceUsed", "sequenceAhead", "policyMissing", "unknownSigner",
        "notAuthorized", "feeTooLow", "insufficientFunds", "zeroAmount", "escrowDisputed",
        "wrongRound", "notParticipant", "amountAboveHeld", "alreadyDecided",
        "preimageMissing", "preimageWrong", "preimageUnexpected", "notDisputed",
        "bondTooSmall", "proofWrong", "notBondOwner", "verifierUnknown", "validatorBond",
        "amountAboveBonded", "nothingDue", "jailedForGood", "evidenceInvalid",
        "evidenceKnown", "evidenceExpired", "nothingToSlash", "unknownAsset",
        "symbolReserved", "notIssuer", "aboveCap", "nativeAsset", "notFreezable",
        "notClawable", "holdingUnknown", "assetFrozen", "freezeUnchanged",
        "supplyOutstanding", "notGoverned", "valueOutOfRange", "proposalUnknown",
        "voteClosed", "notValidator", "voteUnchanged", "nothingDecided",
        "limitReached", "limitExceeded", "keyUnusable", "limitWithoutEffect", "windowOutOfRange",
        "delayOutOfRange", "guardianIsSelf", "guardiansUnreachable", "noGuardians",
        "guardiansTooFew", "recoveryPending", "noRecovery", "recoveryTooEarly",
        "recoveryTooSoon", "streamUnknown", "streamInUse", "defaultStream",
        "alreadyCandidate", "notCandidate", "stillJailed", "stakeTooSmall",
    ]

    private static let expectedBeside: Set<String> = [
        "refused", "refused, disputed", "another veto", "native limit", "limit of an issued asset",
        "top-up of a closed escrow", "somebody leaves the committee",
    ]

    @Test func `random traffic ends as in the naive model, audited at every height`() throws {
        var outcomes: [String: Int] = [:]
        var refused: [String: Int] = [:]
        var seen: Set<String> = []
        var operations = 0
        var kinds: Set<PostingKind> = []
        for seed in ModelTests.seeds {
            let run = try ModelTests.run(seed: seed)
            kinds.formUnion(run.watch.kinds)
            outcomes.merge(run.outcomes) { $0 + $1 }
            refused.merge(run.refused) { $0 + $1 }
            seen.formUnion(run.model.seen)
            operations += run.operations
        }
        print("\(operations) operations: \(outcomes.sorted { $0.key < $1.key })")
        print("refused alike: \(refused.sorted { $0.key < $1.key })")
        for reason in ["limitReached", "notAuthorized", "feeTooLow", "insufficientForFee"] {
            #expect(refused[reason, default: 0] > 0, "never refused: \(reason)")
        }
        #expect(seen.isSuperset(of: ModelTests.expectedBeside), "\(seen)")
        for outcome in ModelTests.expected {
            #expect(outcomes[outcome, default: 0] > 0, "never \(outcome)")
        }
        #expect(kinds.isSuperset(of: PostingWatch.expectedKinds), "\(kinds)")
    }

    private static func run(seed: UInt64) throws -> Run {
        var run = try Run(seed: seed)
        var restarts = 0
        for _ in 0..<ModelTests.blocks {
            let (wanted, found, outcome) = try run.step()
            try #require(wanted == found, "seed \(seed), height \(outcome.height)")
            for result in found { run.outcomes[result, default: 0] += 1 }
            run.baseFees.insert(run.ledger.baseFee)
            run.store.apply(outcome.writes)
            run.ledger.writesApplied()
            let audit = try run.ledger.audit()
            try #require(audit.escrows == run.model.trusts.count, "seed \(seed)")
            let postings = try run.watch.differences(outcome, run.model.amounts)
            try #require(postings.isEmpty, "seed \(seed), height \(outcome.height)")
            try #require(audit.assets == run.model.assets.count, "seed \(seed)")
            if let refused = try run.probe() { run.refused[refused, default: 0] += 1 }
            let differences = try run.differences()
            try #require(differences.isEmpty, "seed \(seed), height \(outcome.height)")
            if run.traffic.chance(5) {
                let (sets, epochs) = (run.ledger.verifierSets, run.ledger.epochs)
                run.ledger = try Run.open(run.store, run.genesis)
                try #require(run.ledger.verifierSets == sets, "seed \(seed)")
                try #require(run.ledger.epochs == epochs, "seed \(seed)")
                restarts += 1
            }
        }
        #expect(restarts > 0 && run.operations > 5000)
        let committees = run.model.committees
        #expect(committees.count > 14 && Set(committees).count > 4, "seed \(seed)")
        let first = Set(committees[0].map(\.key))
        let joined = committees.joined().contains { !first.contains($0.key) }
        let left = committees.contains { !first.isSubset(of: $0.map(\.key)) }
        #expect(joined, "seed \(seed)")
        if left { run.model.seen.insert("somebody leaves the committee") }
        // With the higher target only what the validators decide moves the base fee.
        #expect(run.baseFees.count > 2 || seed % 3 == 0, "seed \(seed): \(run.baseFees.sorted())")
        try run.watch.checkRanges(run.store, run.traffic.people.map(\.address), seed: seed)
        try replay(run)
        return run
    }

    /// The blocks once more, the store getting its writes late and in lumps.
    private static func replay(_ run: Run) throws {
        let store = MemoryStore()
        store.apply(Ledger.genesisWrites(run.genesis).writes)
        var ledger = try Run.open(store, run.genesis)
        var pending = WriteSet()
        for (place, block) in run.blocks.enumerated() {
            pending.append(try ledger.execute(block).writes)
            guard place % 7 == 6 else { continue }
            store.apply(pending)
            ledger.writesApplied()
            pending = WriteSet()
        }
        #expect(ledger.stateRoot == run.ledger.stateRoot)
        #expect(ledger.totals == run.ledger.totals)
        store.apply(pending)
        ledger.writesApplied()
        #expect(try ledger.audit().stateRoot == run.ledger.stateRoot)
    }
}

extension NaiveHolding {
    fileprivate init(_ holding: Holding) {
        self.init(
            amount: holding.amount.rawValue, deposit: holding.deposit.rawValue,
            isFrozen: holding.isFrozen)
    }
}

extension NaiveStake {
    /// The ledger's record in the model's words.
    fileprivate init(_ verifier: Verifier) {
        self.init(
            owner: verifier.owner, peer: verifier.peerID, bonded: verifier.bonded.rawValue,
            releases: verifier.releases.map { ($0.amount.rawValue, $0.height.rawValue) },
            offences: Int(verifier.offences),
            free: verifier.jailedUntil == Height(.max) ? nil : verifier.jailedUntil.rawValue,
            punished: verifier.marks.map { ($0.id, $0.expiry.rawValue) },
            earned: verifier.rewards.rawValue, isCandidate: verifier.isCandidate)
    }
}
