import Primitives
import TestSupport
import Testing

@testable import Execution

@Suite struct GenesisTests {
    /// The parts of a sound genesis; each case of the table spoils one.
    private struct Parts {
        var network = "test"
        var prefix = "tst"
        var accounts = [
            GenesisAccount(owner: .policy(Person(1).policy), balance: 5),
            GenesisAccount(owner: .address(Person(2).address), balance: 0),
        ]
        var validators = [0, 1, 2, 3].map(Parts.validator)
        var verifiers = [Parts.verifier(50)]
        var fees = FeeParameters(treasury: Person(9).address)
        var stake = StakeParameters()
        var escrow = EscrowParameters()
        var safeguards = SafeguardParameters()
        var consensus = ConsensusParameters()
        var batches = BatchParameters()
        var verification = VerificationParameters()

        static func verifier(
            _ key: UInt8, peer: UInt8? = nil, bond: Amount = 1_000_000
        ) -> GenesisVerifier {
            GenesisVerifier(
                key: Person(key).key.publicKey, peerID: PeerID(Person(peer ?? key).key.publicKey),
                rewardAddress: Person(3).address, bond: bond)
        }

        static func validator(_ index: UInt8) -> GenesisValidator {
            GenesisValidator(
                votingKey: Person(10 + index).key.publicKey,
                peerID: PeerID(Person(20 + index).key.publicKey),
                rewardAddress: Person(30 + index).address, stake: 2_000_000)
        }

        func genesis() throws(GenesisFault) -> Genesis {
            try Genesis(
                network: network, prefix: prefix, time: 1, accounts: accounts,
                validators: validators, verifiers: verifiers,
                parameters: LedgerParameters(
                    fees: fees, stake: stake, escrow: escrow, consensus: consensus,
                    batches: batches, verification: verification, safeguards: safeguards))
        }
    }

    private func path(_ spoil: (inout Parts) -> Void) -> String? {
        var parts = Parts()
        spoil(&parts)
        do throws(GenesisFault) {
            _ = try parts.genesis()
            return nil
        } catch {
            return error.path
        }
    }

    @Test func `a sound genesis has a committee, a supply and a chain id`() throws {
        let genesis = try Parts().genesis()
        #expect(genesis.committee.count == 4)
        #expect(genesis.committee.totalWeight == 8000)
        #expect(genesis.committee.chainID == genesis.chainID)
        #expect(genesis.supply == 9_000_005)
        #expect(genesis.chainID == ChainID(Digest.hash(.genesis, of: genesis).bytes32))
        #expect(try Genesis(bcs: genesis.bcsBytes) == genesis)
    }

    @Test func `names of the wrong shape are refused`() {
        #expect(path { $0.network = "" } == "network")
        #expect(path { $0.network = "two words" } == "network")
        #expect(path { $0.network = String(repeating: "a", count: 65) } == "network")
        for prefix in ["", "Tst", "abcdefghi", "a1", "ä"] {
            #expect(path { $0.prefix = prefix } == "prefix", "\(prefix)")
        }
    }

    @Test func `a duplicate account is refused at its second place, by policy or address`() {
        let again = GenesisAccount(owner: .address(Person(1).address), balance: 1)
        #expect(path { $0.accounts.append(again) } == "accounts[2]")
        #expect(path { $0.accounts.append($0.accounts[1]) } == "accounts[2]")
    }

    @Test func `a supply above 64 bits is refused where it overflows`() {
        let rich = GenesisAccount(owner: .address(Person(3).address), balance: Amount(.max - 4))
        #expect(path { $0.accounts.append(rich) } == "accounts[2].balance")
        let almost = GenesisAccount(owner: .address(Person(3).address), balance: Amount(.max - 5))
        #expect(path { $0.accounts.append(almost) } == "validators[0].stake")
        let most = GenesisAccount(
            owner: .address(Person(3).address), balance: Amount(.max - 9_000_005))
        #expect(path { $0.accounts.append(most) } == nil)
        let over = GenesisAccount(
            owner: .address(Person(3).address), balance: Amount(.max - 9_000_004))
        #expect(path { $0.accounts.append(over) } == "verifiers[0].bond")
    }

    @Test func `validators that can't vote are refused`() {
        #expect(path { $0.validators = [] } == "validators")
        #expect(path { $0.stake = .init(minimum: 2_000_001) } == "validators[0].stake")
        #expect(
            path {
                $0.validators[2] = GenesisValidator(
                    votingKey: $0.validators[0].votingKey, peerID: $0.validators[2].peerID,
                    rewardAddress: .zero, stake: 2_000_000)
            } == "validators[2].votingKey")
        #expect(
            path {
                $0.validators[3] = GenesisValidator(
                    votingKey: $0.validators[3].votingKey, peerID: $0.validators[1].peerID,
                    rewardAddress: .zero, stake: 2_000_000)
            } == "validators[3].peerID")
    }

    @Test func `keys by which nobody can sign are refused at their place`() throws {
        func key(_ first: UInt8) throws -> PublicKey {
            try #require(PublicKey(bytes: [first] + [UInt8](repeating: 0, count: 31)))
        }
        func path(_ change: (inout Parts) -> Void) -> String? {
            var parts = Parts()
            change(&parts)
            do throws(GenesisFault) {
                try Genesis.checkKeys(of: parts.accounts, parts.validators, parts.verifiers)
                return nil
            } catch {
                return error.path
            }
        }
        #expect(path { _ in } == nil)
        // No point, and two of small order.
        for bad in [try key(2), try key(1), try key(0)] {
            #expect(!bad.isUsable)
            let account = GenesisAccount(owner: .policy(.single(bad)), balance: 1)
            #expect(path { $0.accounts.append(account) } == "accounts[2].policy")
            let voter = GenesisValidator(
                votingKey: bad, peerID: PeerID(Person(20).key.publicKey), rewardAddress: .zero,
                stake: 2_000_000)
            #expect(path { $0.validators[0] = voter } == "validators[0].votingKey")
            let node = GenesisValidator(
                votingKey: Person(13).key.publicKey, peerID: PeerID(bad), rewardAddress: .zero,
                stake: 2_000_000)
            #expect(path { $0.validators[3] = node } == "validators[3].peerID")
            let verifier = GenesisVerifier(
                key: bad, peerID: PeerID(bad), rewardAddress: .zero, bond: 1_000_000)
            #expect(path { $0.verifiers = [verifier] } == "verifiers[0].key")
        }
    }

    @Test func `parameters out of range are refused by name`() {
        let treasury = Person(9).address
        let shares = FeeShares(owner: 500, verifiers: 300, proposer: 200, treasury: 1)
        #expect(
            path { $0.fees = .init(shares: shares, treasury: treasury) } == "parameters.fees.shares"
        )
        #expect(path { $0.stake = .init(unit: 0) } == "parameters.stake.unit")
        #expect(path { $0.stake = .init(minimum: 1) } == "parameters.stake.minimum")
        #expect(
            path { $0.escrow = .init(expiriesPerBlockMax: 0) }
                == "parameters.escrow.expiriesPerBlockMax")
        #expect(
            path { $0.escrow = .init(durationMillisecondsMax: 0) }
                == "parameters.escrow.durationMillisecondsMax")
        for value in [0, 30 * 86_400_000 + 1] as [UInt64] {
            #expect(
                path { $0.safeguards = .init(windowMillisecondsMin: value) }
                    == "parameters.safeguards.windowMillisecondsMin")
        }
        for value in [0, 90 * 86_400_000 + 1] as [UInt64] {
            #expect(
                path { $0.safeguards = .init(delayMillisecondsMin: value) }
                    == "parameters.safeguards.delayMillisecondsMin")
        }
        #expect(
            path {
                $0.safeguards = .init(
                    windowMillisecondsMin: 30 * 86_400_000, delayMillisecondsMin: 90 * 86_400_000)
            } == nil)
        #expect(
            path { $0.consensus = .init(deltaBaseMilliseconds: 0) }
                == "parameters.consensus.deltaBaseMilliseconds")
        #expect(
            path { $0.consensus = .init(deltaMaxMilliseconds: 99) }
                == "parameters.consensus.deltaMaxMilliseconds")
        #expect(
            path { $0.consensus = .init(idleMilliseconds: .max) }
                == "parameters.consensus.idleMilliseconds")
        #expect(
            path { $0.consensus = .init(executionLagMax: 0) }
                == "parameters.consensus.executionLagMax")
        #expect(path { $0.batches = .init(bytesMax: 1) } == "parameters.batches.bytesMax")
        #expect(
            path { $0.batches = .init(transactionsMax: 10_000) }
                == "parameters.batches.transactionsMax")
        #expect(path { $0.batches = .init(expiryBlocks: 0) } == "parameters.batches.expiryBlocks")
    }

    @Test func `verifiers that can't be are refused at their place`() {
        #expect(path { $0.verifiers = [] } == nil)
        #expect(path { $0.verifiers.append(Parts.verifier(51)) } == nil)
        #expect(path { $0.verifiers.append(Parts.verifier(50, peer: 51)) } == "verifiers[1].key")
        #expect(path { $0.verifiers.append(Parts.verifier(51, peer: 50)) } == "verifiers[1].peerID")
        #expect(path { $0.verifiers = [Parts.verifier(10, peer: 51)] } == "verifiers[0].key")
        #expect(path { $0.verifiers = [Parts.verifier(51, peer: 20)] } == "verifiers[0].peerID")
        let poor = Parts.verifier(50, bond: 999_999)
        #expect(path { $0.verifiers = [poor] } == "verifiers[0].bond")
        let many = (0...VerifierSet.countMax).map { number in
            let key = PublicKey(Digest.hash(.random, UInt64(number).bcsLittleEndian).bytes32)
            return GenesisVerifier(
                key: key, peerID: PeerID(key), rewardAddress: .zero, bond: 1_000_000)
        }
        #expect(path { $0.verifiers = many } == "verifiers")
        #expect(path { $0.verifiers = many.dropLast() } == nil)
    }

    @Test func `parameters of verification are held to their bounds`() {
        func path(_ verification: VerificationParameters, epoch: UInt64 = 10_240) -> String? {
            self.path {
                $0.verification = verification
                $0.stake = .init(epochBlocks: epoch)
            }
        }
        let at = "parameters.verification."
        let long = UInt64(1_000_000_000)
        #expect(path(.init(periodBlocks: 0)) == at + "periodBlocks")
        #expect(path(.init(periodBlocks: 1)) == nil)
        #expect(path(.init(periodBlocks: 10_000, unbondBlocks: long), epoch: 100_000_000) == nil)
        #expect(path(.init(periodBlocks: 10_001, unbondBlocks: long)) == at + "periodBlocks")
        #expect(path(.init(termBlocks: 7)) == at + "termBlocks")
        #expect(path(.init(termBlocks: 8)) == nil)
        #expect(path(.init(termBlocks: 1_000_000)) == nil)
        #expect(path(.init(termBlocks: 1_000_001)) == at + "termBlocks")
        #expect(path(.init(complaintBlocks: 0)) == at + "complaintBlocks")
        #expect(path(.init(complaintBlocks: 1)) == nil)
        #expect(path(.init(complaintBlocks: 1000)) == nil)
        #expect(path(.init(complaintBlocks: 1001)) == at + "complaintBlocks")
        #expect(path(.init(minimumBond: 999)) == at + "minimumBond")
        #expect(path(.init(minimumBond: 1000)) == nil)
        #expect(path(.init(unbondBlocks: 319), epoch: 64) == at + "unbondBlocks")
        #expect(path(.init(unbondBlocks: 320), epoch: 64) == nil)
        #expect(path(.init(unbondBlocks: long), epoch: 100_000_000) == nil)
        #expect(path(.init(unbondBlocks: long + 1)) == at + "unbondBlocks")
        #expect(path(.init(slashPermille: 0)) == nil)
        #expect(path(.init(slashPermille: 501)) == at + "repeatSlashPermille")
        #expect(path(.init(slashPermille: 1001)) == at + "slashPermille")
        #expect(path(.init(repeatSlashPermille: 49)) == at + "repeatSlashPermille")
        #expect(path(.init(slashPermille: 1000, repeatSlashPermille: 1000)) == nil)
        #expect(path(.init(repeatSlashPermille: 1001)) == at + "repeatSlashPermille")
        #expect(path(.init(reporterPermille: 500)) == nil)
        #expect(path(.init(reporterPermille: 501)) == at + "reporterPermille")
    }

    @Test func `epochs are held to the periods, the lag and the time that a bond needs`() {
        func path(
            _ epoch: UInt64, period: UInt64 = 32, lag: UInt64 = 16, unbond: UInt64 = 30_720
        ) -> String? {
            self.path {
                $0.stake = .init(epochBlocks: epoch)
                $0.consensus = .init(executionLagMax: lag)
                $0.verification = .init(periodBlocks: period, unbondBlocks: unbond)
            }
        }
        let length = "parameters.stake.epochBlocks"
        let unbonding = "parameters.verification.unbondBlocks"
        #expect(path(0) == length)
        #expect(path(63, period: 7, unbond: 320) == length)
        #expect(path(64, unbond: 320) == nil)
        #expect(path(64, lag: 17, unbond: 352) == length)
        #expect(path(96, lag: 17, unbond: 352) == nil)
        #expect(path(10_240 + 31) == length && path(10_240 + 32) == nil)
        #expect(path(4, period: 1, lag: 1, unbond: 11) == nil)
        #expect(path(3, period: 1, lag: 1, unbond: 11) == length)
        #expect(path(10_240, unbond: 20_495) == unbonding)
        #expect(path(10_240, unbond: 20_496) == nil)
        // 254 epochs, and those at both ends.
        #expect(path(64, unbond: 64 * 255 - 19) == nil)
        #expect(path(64, unbond: 64 * 255 - 18) == unbonding)
        for epoch in [.max, .max - 31, 500_000_032] as [UInt64] { #expect(path(epoch) == length) }
        #expect(path(500_000_000, unbond: 1_000_000_000) == unbonding)
        #expect(path(499_999_968, unbond: 1_000_000_000) == nil)
    }

    @Test func `a committee has 1 to 128 seats, and genesis fills no more`() {
        func path(_ seats: UInt16) -> String? {
            self.path { $0.stake = .init(validatorsMax: seats) }
        }
        #expect(path(0) == "parameters.stake.validatorsMax")
        #expect(path(129) == "parameters.stake.validatorsMax")
        #expect(path(128) == nil && path(4) == nil)
        #expect(path(3) == "validators")
    }

    @Test func `the fault says what is wrong with which value`() {
        var parts = Parts()
        parts.prefix = "Opk"
        let fault = #expect(throws: GenesisFault.self) { try parts.genesis() }
        #expect(
            fault?.description
                == "prefix: \"Opk\" isn't a prefix; 1 to 8 lower-case letters are wanted")
    }

    @Test func `the order of accounts doesn't change the chain, everything else does`() throws {
        let chain = try Parts().genesis().chainID
        var parts = Parts()
        parts.accounts.reverse()
        #expect(try parts.genesis().chainID == chain)
        parts.validators.reverse()
        #expect(try parts.genesis().chainID != chain)
        parts = Parts()
        parts.network = "other"
        #expect(try parts.genesis().chainID != chain)
        parts = Parts()
        parts.verifiers = []
        #expect(try parts.genesis().chainID != chain)
        parts = Parts()
        parts.verification = .init(spread: false)
        #expect(try parts.genesis().chainID != chain)
    }

    @Test func `the root at height 0 holds every account, validator and parameter`() throws {
        let genesis = try Parts().genesis()
        let (writes, root) = Ledger.genesisWrites(genesis)
        let store = MemoryStore()
        store.apply(writes)
        let ledger = try Ledger(opening: store, genesis: genesis)
        let audit = try ledger.audit()
        #expect(audit.stateRoot == root && ledger.stateRoot == root)
        #expect(audit.accounts == 2 && audit.verifiers == 5)
        #expect(ledger.totals.bonded == 9_000_000)
        #expect(ledger.verifierSet(period: 0)?.count == 5)
        #expect(ledger.verifierSet(period: 0)?.totalBond == 9000)
        #expect(ledger.totals.balances == 5)
    }

    @Test func `a store of another genesis or without one isn't opened`() throws {
        let genesis = try Parts().genesis()
        let store = MemoryStore()
        #expect(throws: StorageFault.self) { try Ledger(opening: store, genesis: genesis) }
        store.apply(Ledger.genesisWrites(genesis).writes)
        var parts = Parts()
        parts.network = "other"
        let other = try parts.genesis()
        #expect(throws: StorageFault.self) { try Ledger(opening: store, genesis: other) }
    }
}
