import Primitives
import Testing

@testable import Execution

/// Four validators of equal weight that may change three parameters: votes last three blocks, the
/// delay two, an epoch ten.
struct GovernanceWorld {
    var world: World

    init(world: World) { self.world = world }

    init(
        governed: [GovernedParameter] = [.baseFee, .escrowDeposit, .targetWeight],
        baseFee: Amount = 1
    ) throws {
        world = try World(
            extra: (0..<4).map { place in
                GenesisAccount(
                    owner: .policy(Person(UInt8(100 + place)).policy), balance: 1_000_000)
            }, baseFee: baseFee, consensus: .init(executionLagMax: 2),
            verification: .init(periodBlocks: 10, unbondBlocks: 100),
            stake: StakeParameters(epochBlocks: 10),
            governance: GovernanceParameters(
                governed: governed, voteBlocks: 3, delayBlocks: 2, deposit: 500))
    }

    static func changes(_ pairs: (GovernedParameter, UInt64)...) throws -> ParameterChanges {
        try #require(ParameterChanges(pairs.map { ParameterChange($0.0, $0.1) }))
    }

    /// Proposes for carol.
    mutating func propose(_ changes: ParameterChanges) throws -> ProposalID {
        #expect(try world.run(world.carol, .proposeParameters(changes)) == .success)
        guard case .executed(let receipt)? = world.lastOutcome?.results.first else {
            throw Unexpected(what: "nothing was proposed")
        }
        return try #require(receipt.proposals.first)
    }

    mutating func vote(
        _ id: ProposalID, _ approves: Bool = true, by voter: Person, for validator: Person? = nil
    ) throws -> FailureCode? {
        let key = (validator ?? voter).key.publicKey
        let vote = ParameterVote(proposal: id, key: key, approves: approves)
        return try failure(world.run(voter, .voteParameters(vote)))
    }

    /// Votes yes for all of `voters`, in one block.
    mutating func approve(_ id: ProposalID, by voters: some Sequence<Person>) throws {
        let votes = try voters.map { voter in
            let vote = ParameterVote(proposal: id, key: voter.key.publicKey, approves: true)
            return SignedTransaction(
                signing: try world.transaction(voter.address, [.voteParameters(vote)]),
                by: [voter.key])
        }
        try world.run(votes)
    }

    mutating func pass(to height: Height) throws {
        while world.ledger.height < height { try world.run([]) }
    }

    var parameters: LedgerParameters {
        get throws { try #require(try world.reader.parameters()) }
    }

    var proposals: [ProposalID] {
        get throws { try world.reader.proposals().map(\.id) }
    }
}

@Suite struct GovernanceTests {
    @Test func `approved values act with the first epoch after the delay, and not before`() throws {
        var test = try GovernanceWorld()
        let before = try test.world.balance(test.world.carol)
        let id = try test.propose(
            try GovernanceWorld.changes((.escrowDeposit, 77), (.baseFee, 3)))
        #expect(test.world.ledger.totals.deposits == 500)
        // All three votes in the two blocks before the count, at height 4.
        for validator in test.world.validators.prefix(2) {
            #expect(try test.vote(id, by: validator) == nil)
        }
        #expect(test.world.ledger.height == 3)
        try test.pass(to: 4)
        // Half of the weight isn't enough.
        #expect(try test.proposals.isEmpty)
        #expect(try test.world.balance(test.world.carol) > before - 2000)
        let next = try test.propose(try GovernanceWorld.changes((.escrowDeposit, 77)))
        try test.approve(next, by: test.world.validators.prefix(3))
        try test.pass(to: 8)
        #expect(try test.world.reader.proposals().first?.proposal.isApproved == true)
        #expect(try test.vote(next, by: test.world.validators[3]) == .voteClosed)
        try test.pass(to: 10)
        #expect(try test.parameters.fees.escrowDeposit == 0)
        try test.pass(to: 11)
        #expect(try test.parameters.fees.escrowDeposit == 77)
        #expect(try test.proposals.isEmpty)
        #expect(test.world.ledger.totals.deposits == 0)
        #expect(try test.world.reopened().stateRoot == test.world.ledger.stateRoot)
        let quorum = try EscrowWorld.quorum([test.world.bob], 1)
        let terms = EscrowTerms(
            payee: test.world.bob.address, amount: 5, release: quorum, refund: quorum,
            deadline: Timestamp(test.world.ledger.time.rawValue + 9999))
        test.world.ledger = try test.world.reopened()
        #expect(try test.world.run(test.world.alice, .escrowCreate(terms)) == .success)
        #expect(test.world.ledger.totals.deposits == 77)
    }

    @Test func `three of four weights approve, and the last word of each counts`() throws {
        var test = try GovernanceWorld()
        let validators = test.world.validators
        let id = try test.propose(try GovernanceWorld.changes((.baseFee, 3)))
        let words: [(Int, Bool)] = [(0, true), (1, true), (2, true), (2, false)]
        var signed: [SignedTransaction] = []
        for (place, approves) in words {
            let voter = validators[place]
            let next = try test.world.reader.account(voter.address)?.nextSequence(on: 0) ?? 0
            let sequence = next.rawValue + (approves ? 0 : 1)
            let vote = ParameterVote(
                proposal: id, key: voter.key.publicKey, approves: approves)
            signed.append(
                SignedTransaction(
                    signing: try test.world.transaction(
                        voter.address, [.voteParameters(vote)], sequence: sequence),
                    by: [voter.key]))
        }
        try test.world.run(signed)
        #expect(try test.world.reader.proposals().first?.proposal.votes.count == 3)
        try test.pass(to: 4)
        #expect(try test.proposals.isEmpty)
    }

    @Test func `only the owner of a validator votes, once each way`() throws {
        var test = try GovernanceWorld()
        let (alice, first) = (test.world.alice, test.world.validators[0])
        let id = try test.propose(try GovernanceWorld.changes((.baseFee, 3)))
        #expect(try test.vote(id, by: alice) == .notValidator)
        #expect(try test.vote(id, by: alice, for: first) == .notBondOwner)
    }

    @Test func `a vote that changes nothing, or on nothing, fails`() throws {
        var test = try GovernanceWorld()
        let first = test.world.validators[0]
        let id = try test.propose(try GovernanceWorld.changes((.baseFee, 3)))
        #expect(try test.vote(id, by: first) == nil)
        #expect(try test.vote(id, by: first) == .voteUnchanged)
        #expect(try test.vote(.zero, by: first) == .proposalUnknown)
    }

    @Test(arguments: GovernedParameter.allCases)
    func `a value is held to its range when it is proposed`(parameter: GovernedParameter) throws {
        var test = try GovernanceWorld(governed: GovernedParameter.allCases)
        let range = test.world.genesis.parameters.range(of: parameter)
        var values: [(UInt64, FailureCode?)] = [
            (range.lowerBound, nil), (range.upperBound, nil),
            (range.upperBound + 1, .valueOutOfRange), (.max, .valueOutOfRange),
        ]
        if range.lowerBound > 0 { values.append((range.lowerBound - 1, .valueOutOfRange)) }
        for (value, wanted) in values {
            let changes = try GovernanceWorld.changes((parameter, value))
            let code = try failure(test.world.run(test.world.carol, .proposeParameters(changes)))
            #expect(code == wanted, "\(parameter.name) = \(value)")
        }
    }

    @Test(arguments: GovernedParameter.allCases, [true, false])
    func `the chain goes on at both ends of every range`(
        parameter: GovernedParameter, isLeast: Bool
    ) throws {
        var test = try GovernanceWorld(governed: GovernedParameter.allCases)
        let range = test.world.genesis.parameters.range(of: parameter)
        let value = isLeast ? range.lowerBound : range.upperBound
        let id = try test.propose(try GovernanceWorld.changes((parameter, value)))
        try test.approve(id, by: test.world.validators)
        try test.pass(to: 11)
        #expect(try test.parameters.value(of: parameter) == value)
        let changed = try test.parameters
        #expect(throws: Never.self) { try GenesisCheck.parameters(changed) }
        test.world.ledger = try test.world.reopened()
        try test.pass(to: 13)
    }

    @Test func `whatever was decided, a vote costs less than a validator has at stake`() throws {
        let parameters = LedgerParameters(fees: FeeParameters(treasury: .zero))
        func most(_ parameter: GovernedParameter) -> UInt64 {
            parameters.range(of: parameter).upperBound
        }
        let keys = (0..<TransactionLimits.policySignersMax).map { Person(UInt8($0)).key }
        let policy = try Policy(
            signers: keys.map { Policy.Signer(publicKey: $0.publicKey, weight: 1) },
            spend: UInt32(keys.count), admin: UInt32(keys.count))
        let vote = ParameterVote(proposal: .zero, key: keys[0].publicKey, approves: true)
        let signed = SignedTransaction(
            signing: Transaction(
                chainID: .zero, sender: policy.address, sequence: 0, validUntil: 0, maxFee: 0,
                operations: [.voteParameters(vote)]), policies: [policy], by: keys)
        let weight =
            UInt64(signed.byteCount) * most(.byteWeight)
            + UInt64(keys.count) * most(.signatureWeight) + most(.writeWeight)
        let fee = try #require(BaseFee(Amount(most(.baseFee))).fee(of: weight))
        #expect(fee < parameters.stake.minimum, "\(fee)")
    }

    @Test func `no genesis has weights that nobody could pay, or lets offenders keep stakes`() {
        func path(_ fees: FeeParameters, reporter: UInt16 = 100) -> String? {
            do throws(GenesisFault) {
                try GenesisCheck.parameters(
                    LedgerParameters(
                        fees: fees, verification: .init(reporterPermille: reporter)))
                return nil
            } catch {
                return error.path
            }
        }
        for weight in [100_000, 100_001, .max] as [UInt64] {
            let isRefused = weight > 100_000
            for (fees, name) in [
                (FeeParameters(byteWeight: weight, treasury: .zero), "byteWeight"),
                (FeeParameters(signatureWeight: weight, treasury: .zero), "signatureWeight"),
                (FeeParameters(writeWeight: weight, treasury: .zero), "writeWeight"),
            ] {
                #expect(path(fees) == (isRefused ? "parameters.fees.\(name)" : nil))
            }
        }
        for reporter in [0, 500, 501, 1000] as [UInt16] {
            let isRefused = reporter > 500
            #expect(
                path(FeeParameters(treasury: .zero), reporter: reporter)
                    == (isRefused ? "parameters.verification.reporterPermille" : nil))
        }
    }

    @Test func `a verifier never needs more than a validator`() {
        for (unit, minimum, most) in [(1000, 1_000_000, 1_000_000), (7, 7, 7), (1, .max, .max)]
            as [(UInt64, UInt64, UInt64)]
        {
            let range = GovernedParameter.minimumBond.range(
                stakeUnit: Amount(unit), stakeMinimum: Amount(minimum))
            #expect(range == unit...most)
        }
    }

    @Test func `a restart after a lower base fee was decided finds the fee that is in force`()
        throws
    {
        var test = try GovernanceWorld(governed: [.baseFee, .changeDenominator], baseFee: 10)
        let id = try test.propose(
            try GovernanceWorld.changes((.baseFee, 2), (.changeDenominator, 1024)))
        try test.approve(id, by: test.world.validators)
        try test.pass(to: 12)
        #expect(try test.parameters.fees.baseFee == 2)
        #expect(test.world.ledger.baseFee > BaseFee(2))
        #expect(try test.world.reopened().baseFee == test.world.ledger.baseFee)
    }

    @Test func `what nobody wants costs its deposit, and a quarter of the weight saves it`() throws
    {
        var test = try GovernanceWorld()
        let treasury = test.world.treasury
        _ = try test.propose(try GovernanceWorld.changes((.baseFee, 3)))
        let id = try test.propose(try GovernanceWorld.changes((.baseFee, 2)))
        #expect(try test.vote(id, by: test.world.validators[0]) == nil)
        let before = try test.world.balance(treasury)
        try test.pass(to: 4)
        #expect(try test.world.balance(treasury) == before + 500)
        try test.pass(to: 5)
        #expect(try test.world.balance(treasury) == before + 500)
        #expect(test.world.ledger.totals.deposits == 0)
    }

    @Test func `what genesis doesn't name can't be proposed, nor a parameter twice`() throws {
        var test = try GovernanceWorld(governed: [.baseFee])
        let changes = try GovernanceWorld.changes((.escrowDeposit, 1))
        #expect(
            try failure(test.world.run(test.world.carol, .proposeParameters(changes)))
                == .notGoverned)
        #expect(ParameterChanges([]) == nil)
        let twice = [ParameterChange(.baseFee, 1), ParameterChange(.baseFee, 2)]
        #expect(ParameterChanges(twice) == nil)
    }

    @Test func `at most 32 proposals stand at a time`() throws {
        var test = try GovernanceWorld()
        for round in 0..<2 {
            let operations = try (0..<16).map { place in
                Operation.proposeParameters(
                    try GovernanceWorld.changes((.escrowDeposit, UInt64(round * 16 + place))))
            }
            let transaction = try test.world.transaction(test.world.carol.address, operations)
            let signed = SignedTransaction(signing: transaction, by: [test.world.carol.key])
            #expect(try failure(test.world.run([signed])) == nil)
        }
        #expect(try test.proposals.count == 32)
        let changes = try GovernanceWorld.changes((.baseFee, 1))
        #expect(
            try failure(test.world.run(test.world.alice, .proposeParameters(changes)))
                == .tooManyProposals)
    }

    @Test func `a genesis with a governed value out of its range is refused with the path`() throws
    {
        for (governance, fees, path) in [
            (
                GovernanceParameters(governed: [.targetWeight]),
                FeeParameters(targetWeight: 9999, treasury: .zero), "parameters.fees.targetWeight"
            ),
            (
                GovernanceParameters(governed: [.baseFee, .baseFee]),
                FeeParameters(treasury: .zero), "parameters.governance.governed"
            ),
            (
                GovernanceParameters(approvalPermille: 500), FeeParameters(treasury: .zero),
                "parameters.governance.approvalPermille"
            ),
            (
                GovernanceParameters(voteBlocks: 0), FeeParameters(treasury: .zero),
                "parameters.governance.voteBlocks"
            ),
        ] {
            let parameters = LedgerParameters(fees: fees, governance: governance)
            do {
                try GenesisCheck.parameters(parameters)
                Issue.record("\(path) was accepted")
            } catch {
                #expect(error.path == path)
            }
        }
    }
}
