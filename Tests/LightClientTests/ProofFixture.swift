import Consensus
import Execution
import LightClient
import Primitives
import TestSupport
import Testing

/// A ledger of a few blocks whose states are named by headers that a quorum has finalized.
struct ProofFixture {
    static let seed: UInt64 = 77

    let genesis: Genesis
    let store = MemoryStore()
    private(set) var ledger: Ledger
    let payer = TestKeys.key(seed: seed, index: 50)
    let payee = Policy.single(TestKeys.key(seed: seed, index: 51).publicKey).address
    private(set) var transactions: [SignedTransaction] = []

    init(network: String = "proofs", blocks: Int = 3) throws {
        let policy = Policy.single(payer.publicKey)
        genesis = try Genesis(
            network: network, prefix: "tst", time: 1_000_000,
            accounts: [GenesisAccount(owner: .policy(policy), balance: 10_000_000)],
            validators: (0..<4).map { index in
                let key = ProofFixture.validator(index)
                return GenesisValidator(
                    votingKey: key.publicKey, peerID: PeerID(key.publicKey),
                    rewardAddress: Policy.single(key.publicKey).address, stake: 1_000_000)
            },
            parameters: LedgerParameters(
                fees: FeeParameters(treasury: Policy.single(payer.publicKey).address)))
        store.apply(Ledger.genesisWrites(genesis).writes)
        ledger = try Ledger(opening: store, genesis: genesis)
        for _ in 0..<blocks { try pay() }
    }

    static func validator(_ index: Int) -> SecretKey { TestKeys.key(seed: seed, index: index) }

    /// Executes a block with one payment.
    mutating func pay() throws {
        let address = Policy.single(payer.publicKey).address
        let transaction = Transaction(
            chainID: genesis.chainID, sender: address, stream: 0,
            sequence: SequenceNumber(UInt64(transactions.count)),
            validUntil: ledger.time.clampedAdvance(by: 100_000), maxFee: 100_000, tip: 0,
            cosigners: [],
            operations: [.transfer(Transfer(to: payee, amount: 5))])
        let signed = SignedTransaction(signing: transaction, policies: [], by: [payer])
        transactions.append(signed)
        let height = ledger.height.clampedAdvance(by: 1)
        let outcome = try ledger.execute(
            ExecutableBlock(
                height: height, digest: .hash(.block, height.bcsBytes),
                time: ledger.time.clampedAdvance(by: 1000), proposer: ValidatorIndex(0),
                direct: [try #require(Verified.check(signed))]))
        store.apply(outcome.writes)
        ledger.writesApplied()
    }

    var reader: LedgerReader { LedgerReader(store) }

    /// A header above the newest state that names it.
    func header(
        chainID: ChainID? = nil, epoch: Epoch = 0, height: Height? = nil, root: Digest? = nil
    ) -> BlockHeader {
        let executed = ExecutedRef(
            height: height ?? ledger.height, stateRoot: root ?? ledger.stateRoot)
        return BlockHeader(
            chainID: chainID ?? genesis.chainID, epoch: epoch, view: 40,
            height: ledger.height.clampedAdvance(by: 2),
            parent: BlockRef(view: 39, digest: .hash(.block, [1])), proposer: ValidatorIndex(1),
            time: ledger.time.clampedAdvance(by: 2000), executed: executed,
            payloadRoot: .hash(.payload, []))
    }

    /// Votes of validators for a block.
    func certificate(
        _ header: BlockHeader, by signers: [Int] = [0, 1, 3], kind: VoteKind = .finalize,
        view: View? = nil, chainID: ChainID? = nil, key: (Int) -> SecretKey = validator
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

    func anchored(_ claim: AnchoredProof.Claim) -> AnchoredProof {
        let header = header()
        return AnchoredProof(
            claim: claim, header: header, finalization: certificate(header))
    }
}
