package import Consensus
package import Execution
package import LightClient
package import Primitives
internal import TestSupport

/// A chain over several epochs, each with validators that no other has, and signed by them.
///
/// The state of a `ProofFixture` stands at its end, under a block of any epoch.
package struct EpochFixture {
    /// Validators of epochs 0, 1 and so on.
    private static let counts = [4, 4, 5, 1, 4]
    /// Blocks that were needed to finalize the last one of each epoch.
    private static let tails = [0, 2, 1, 0]
    /// The view of each epoch's last block.
    private static let view: View = 60

    package let proofs: ProofFixture
    /// The committee of each epoch, genesis' first.
    package let records: [EpochRecord]
    /// The last block of each epoch but the last.
    package let boundaries: [Block]

    package init(network: String = "proofs") throws {
        proofs = try ProofFixture(network: network)
        let genesis = proofs.genesis
        var records = [genesis.epochRecord]
        var boundaries: [Block] = []
        for epoch in EpochFixture.counts.indices.dropLast() {
            let record = EpochRecord(
                epoch: Epoch(UInt64(epoch + 1)),
                boundary: epoch == 0 ? .zero : boundaries[epoch - 1].digest,
                validators: (0..<EpochFixture.counts[epoch + 1]).map { place in
                    let key = EpochFixture.key(epoch + 1, place)
                    return Validator(
                        votingKey: key.publicKey, peerID: PeerID(key.publicKey),
                        weight: UInt64(10 + place),
                        rewardAddress: Policy.single(key.publicKey).address)
                })
            records.append(record)
            boundaries.append(
                EpochFixture.boundary(genesis, epoch: Epoch(UInt64(epoch)), naming: record))
        }
        self.records = records
        self.boundaries = boundaries
    }

    /// The voting key of a validator.
    package static func key(_ epoch: Int, _ place: Int) -> SecretKey {
        epoch == 0
            ? ProofFixture.validator(place)
            : TestKeys.key(seed: ProofFixture.seed, index: 100 * epoch + place)
    }

    /// A last block of an epoch.
    package static func boundary(
        _ genesis: Genesis, epoch: Epoch, naming record: EpochRecord?, height: Height? = nil,
        view: View = EpochFixture.view
    ) -> Block {
        let height = height ?? genesis.epochs.last(of: epoch)
        let header = BlockHeader(
            chainID: genesis.chainID, epoch: epoch, view: view, height: height,
            parent: BlockRef(view: view.clampedRetreat(by: 1), digest: .hash(.block, [7])),
            proposer: ValidatorIndex(0),
            time: Timestamp(2_000_000).clampedAdvance(by: height.rawValue),
            executed: ExecutedRef(
                height: height.clampedRetreat(by: 1), stateRoot: .hash(.block, [6])),
            payloadRoot: Block.root(of: []), nextSetHash: record?.digest)
        return Block(header: header, payload: [])
    }

    /// A block that serves to finalize the one before.
    package static func tail(of block: Block, tail: Bool = true) -> Block {
        let header = BlockHeader(
            chainID: block.chainID, epoch: block.epoch, view: block.view.clampedAdvance(by: 2),
            height: block.height.clampedAdvance(by: 1), parent: block.ref,
            proposer: ValidatorIndex(1), time: block.time.clampedAdvance(by: 1000),
            executed: block.executed, payloadRoot: Block.root(of: []), tail: tail)
        return Block(header: header, payload: [])
    }

    /// All steps that lead out of an epoch.
    package var steps: [EpochStep] { boundaries.indices.map { step($0) } }

    /// The step out of an epoch.
    package func step(_ epoch: Int) -> EpochStep {
        step(epoch, boundaries[epoch], records[epoch + 1])
    }

    /// A step with a last block, and with as many tails as the epoch has.
    package func step(
        _ epoch: Int, _ boundary: Block, _ record: EpochRecord, by signers: [Int]? = nil,
        of signingEpoch: Int? = nil, kind: VoteKind = .finalize
    ) -> EpochStep {
        var tails: [Block] = []
        for _ in 0..<EpochFixture.tails[epoch] {
            tails.append(EpochFixture.tail(of: tails.last ?? boundary))
        }
        return step(
            epoch, boundary, tails, record, by: signers, of: signingEpoch, kind: kind)
    }

    /// A step whose last tail, or last block, is finalized.
    package func step(
        _ epoch: Int, _ boundary: Block, _ tails: [Block], _ record: EpochRecord,
        by signers: [Int]? = nil, of signingEpoch: Int? = nil, kind: VoteKind = .finalize
    ) -> EpochStep {
        let certificate = certificate(
            (tails.last ?? boundary).header, by: signers, of: signingEpoch ?? epoch, kind: kind)
        return EpochStep(
            end: EpochEnd(boundary: boundary, tails: tails, certificate: certificate),
            record: record)
    }

    /// Votes of validators of an epoch for a block, of all but the first if none are named and
    /// those are enough.
    package func certificate(
        _ header: BlockHeader, by signers: [Int]? = nil, of epoch: Int,
        kind: VoteKind = .finalize
    ) -> Certificate {
        let count = EpochFixture.counts[epoch]
        let subject = VoteSubject(
            kind: kind, epoch: header.epoch, view: header.view, digest: header.digest)
        let digest = subject.signingDigest(chainID: proofs.genesis.chainID)
        var set = SignerSet(count: count)
        var signatures: [Signature] = []
        for place in signers ?? Array((count > 1 ? 1 : 0)..<count) {
            set.insert(ValidatorIndex(UInt16(place)))
            signatures.append(EpochFixture.key(epoch, place).signature(over: digest))
        }
        return Certificate(subject: subject, signers: set, signatures: signatures)
    }

    /// A header of an epoch, its ninth block unless a height is given, that names the state.
    package func header(_ epoch: Int, height: Height? = nil) -> BlockHeader {
        let number = Epoch(UInt64(epoch))
        let height =
            height
            ?? proofs.genesis.epochs.first(of: number).clampedAdvance(by: 8)
        return BlockHeader(
            chainID: proofs.genesis.chainID, epoch: number, view: 9, height: height,
            parent: BlockRef(view: 8, digest: .hash(.block, [8])), proposer: ValidatorIndex(0),
            time: Timestamp(2_000_000).clampedAdvance(by: height.rawValue),
            executed: ExecutedRef(
                height: proofs.ledger.height, stateRoot: proofs.ledger.stateRoot),
            payloadRoot: Block.root(of: []))
    }

    /// A claim under a block of an epoch.
    /// - Parameter signing: Whose validators have finalized it, if not those of that epoch.
    package func anchored(
        _ claim: AnchoredProof.Claim, in epoch: Int, height: Height? = nil, signing: Int? = nil
    ) -> AnchoredProof {
        let header = header(epoch, height: height)
        return AnchoredProof(
            claim: claim, header: header,
            finalization: certificate(header, of: signing ?? epoch))
    }
}
