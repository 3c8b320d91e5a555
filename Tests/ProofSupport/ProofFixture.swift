package import Consensus
package import Execution
package import LightClient
package import Primitives
internal import TestSupport

/// A ledger of a few blocks whose states are named by headers that a quorum has finalized.
package struct ProofFixture {
    package static let seed: UInt64 = 77

    package let genesis: Genesis
    package let store = MemoryStore()
    package private(set) var ledger: Ledger
    package let payer = TestKeys.key(seed: seed, index: 50)
    package let payee = Policy.single(TestKeys.key(seed: seed, index: 51).publicKey).address
    package private(set) var transactions: [SignedTransaction] = []

    package init(
        network: String = "proofs", blocks: Int = 3, governed: [GovernedParameter] = []
    ) throws {
        let policy = Policy.single(payer.publicKey)
        genesis = try Genesis(
            network: network, prefix: "opk", time: 1_000_000,
            accounts: [GenesisAccount(owner: .policy(policy), balance: 10_000_000)],
            validators: (0..<4).map { index in
                let key = ProofFixture.validator(index)
                return GenesisValidator(
                    votingKey: key.publicKey, peerID: PeerID(key.publicKey),
                    rewardAddress: Policy.single(key.publicKey).address, stake: 1_000_000)
            },
            parameters: LedgerParameters(
                fees: FeeParameters(treasury: Policy.single(payer.publicKey).address),
                governance: GovernanceParameters(governed: governed)))
        store.apply(Ledger.genesisWrites(genesis).writes)
        ledger = try Ledger(opening: store, genesis: genesis)
        for _ in 0..<blocks { try pay() }
    }

    package static func validator(_ index: Int) -> SecretKey {
        TestKeys.key(seed: seed, index: index)
    }

    /// Executes a block with one payment.
    package mutating func pay(on stream: UInt16 = 0) throws {
        var next = ledger
        store.apply(try pay(on: &next, stream: stream))
        next.writesApplied()
        ledger = next
    }

    /// Executes a block with one payment on a ledger that stands where this one does.
    package mutating func pay(
        on ledger: inout Ledger, stream: UInt16 = 0
    ) throws -> WriteSet {
        try run(
            [.transfer(Transfer(to: payee, amount: 5))], on: &ledger, stream: stream
        ).writes
    }

    /// Executes a block with one transaction of the payer's.
    /// - Parameter cosigner: The key of an account that acts in it too.
    /// - Returns: What came of it.
    @discardableResult
    package mutating func run(
        _ operations: [Operation], with cosigner: SecretKey? = nil
    ) throws -> TransactionResult? {
        var next = ledger
        let outcome = try run(operations, on: &next, stream: 0, with: cosigner)
        store.apply(outcome.writes)
        next.writesApplied()
        ledger = next
        return outcome.results.first
    }

    private mutating func run(
        _ operations: [Operation], on ledger: inout Ledger, stream: UInt16,
        with cosigner: SecretKey? = nil
    ) throws -> BlockOutcome {
        let address = Policy.single(payer.publicKey).address
        // The ledger may stand on another store than the fixture's.
        let next = transactions.count { $0.transaction.stream == stream }
        let transaction = Transaction(
            chainID: genesis.chainID, sender: address, stream: stream,
            sequence: SequenceNumber(UInt64(next)),
            validUntil: ledger.time.clampedAdvance(by: 100_000), maxFee: 100_000, tip: 0,
            cosigners: cosigner.map { [Policy.single($0.publicKey).address] } ?? [],
            operations: operations)
        let signed = SignedTransaction(
            signing: transaction, policies: cosigner.map { [.single($0.publicKey)] } ?? [],
            by: [payer] + (cosigner.map { [$0] } ?? []))
        transactions.append(signed)
        let height = ledger.height.clampedAdvance(by: 1)
        return try ledger.execute(
            ExecutableBlock(
                height: height, digest: .hash(.block, height.bcsBytes),
                time: ledger.time.clampedAdvance(by: 1000), proposer: ValidatorIndex(0),
                direct: [Verified.check(signed)].compactMap { $0 }))
    }

    /// Executes a block without a payment.
    package mutating func skip() throws {
        let height = ledger.height.clampedAdvance(by: 1)
        let outcome = try ledger.execute(
            ExecutableBlock(
                height: height, digest: .hash(.block, [0] + height.bcsBytes),
                time: ledger.time.clampedAdvance(by: 1000), proposer: ValidatorIndex(0)))
        store.apply(outcome.writes)
        ledger.writesApplied()
    }

    package var reader: LedgerReader { LedgerReader(store) }

    /// A header above the newest state that names it.
    package func header(
        chainID: ChainID? = nil, epoch: Epoch = 0, height: Height? = nil, root: Digest? = nil,
        view: View = 40
    ) -> BlockHeader {
        let executed = ExecutedRef(
            height: height ?? ledger.height, stateRoot: root ?? ledger.stateRoot)
        return BlockHeader(
            chainID: chainID ?? genesis.chainID, epoch: epoch, view: view,
            height: ledger.height.clampedAdvance(by: 2),
            parent: BlockRef(view: 39, digest: .hash(.block, [1])), proposer: ValidatorIndex(1),
            time: ledger.time.clampedAdvance(by: 2000), executed: executed,
            payloadRoot: .hash(.payload, []))
    }

    /// Votes of validators for a block.
    package func certificate(
        _ header: BlockHeader, by signers: [Int] = [0, 1, 3], kind: VoteKind = .finalize,
        view: View? = nil, chainID: ChainID? = nil, key: (Int) -> SecretKey = ProofFixture.validator
    ) -> Certificate {
        let subject = VoteSubject(
            kind: kind, epoch: header.epoch, view: view ?? header.view, digest: header.digest)
        let digest = subject.signingDigest(chainID: chainID ?? genesis.chainID)
        let votes = signers.map { index in
            Vote(
                subject: subject, signer: ValidatorIndex(UInt16(index)),
                signature: key(index).signature(over: digest))
        }
        return Certificate(subject: subject, votes: votes, committee: genesis.committee)
    }

    package func anchored(_ claim: AnchoredProof.Claim) -> AnchoredProof {
        let header = header()
        return AnchoredProof(
            claim: claim, header: header, finalization: certificate(header))
    }
}
