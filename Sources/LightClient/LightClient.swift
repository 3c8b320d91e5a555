internal import Consensus
package import Execution
package import Primitives

/// Checks what nodes say against what it trusts: a genesis. It believes no node anything.
///
/// At first it knows the validators of epoch 0. Each step that it follows shows it those of one
/// epoch more; it keeps all of them, for proofs from every epoch.
///
/// With a trusted block it follows no step past that block's height but through it. Where the block
/// is an epoch's last, the step out of that epoch may also be the first that it follows: the block
/// names the next validators, and needs nobody's signature. Then it knows nobody of before.
package struct LightClient: Sendable {
    let genesis: Genesis
    private let checkpoint: Checkpoint?
    private var isPastCheckpoint = false
    /// The oldest epoch whose validators it knows.
    private var first: Epoch = 0
    /// Of every epoch that it knows, from `first` on.
    private var committees: [Committee]
    /// The digest of the last block of the newest epoch that it has seen end; zero before.
    private var boundary: Digest = .zero

    /// A client that trusts the validators of `genesis`, and a block.
    package init(trusting genesis: Genesis, through checkpoint: Checkpoint? = nil) {
        self.genesis = genesis
        self.checkpoint = checkpoint
        committees = [genesis.committee]
    }

    /// The newest epoch whose validators it knows.
    package var epoch: Epoch { first.clampedAdvance(by: UInt64(committees.count - 1)) }

    /// Whether the newest validators that it knows follow from this block, which it trusts.
    package func hasPassed(_ checkpoint: Checkpoint) -> Bool {
        isPastCheckpoint && checkpoint == self.checkpoint
    }

    /// The last height of the epoch that a block belongs to.
    func last(at height: Height) -> Height {
        genesis.epochs.last(of: genesis.epochs.epoch(of: height))
    }

    /// The validators of the block at `height`; nil for those of an epoch that it doesn't know.
    package func committee(at height: Height) -> Committee? {
        committee(of: genesis.epochs.epoch(of: height))
    }

    private func committee(of epoch: Epoch) -> Committee? {
        guard first <= epoch, epoch <= self.epoch else { return nil }
        return committees[Int(epoch.rawValue - first.rawValue)]
    }

    /// What a proof has shown.
    package struct Proven: Hashable, Sendable {
        package let fact: Fact
        /// The state that it is about: that after this height.
        package let height: Height
        package let stateRoot: Digest
        /// The finalized block that names this state, with its height and time.
        package let block: Digest
        package let blockHeight: Height
        package let blockTime: Timestamp
    }

    /// What can be proven. Nil stands for proven absence.
    package enum Fact: Hashable, Sendable {
        case account(Address, Account?)
        /// Open and disputed ones; a closed escrow has left the state.
        case escrow(EscrowID, Escrow?)
        /// One that was issued and isn't retired.
        case asset(AssetID, Asset?)
        case validator(ValidatorIndex, GenesisValidator?)
        case verifier(PublicKey, Verifier?)
        case parameters(LedgerParameters)
        /// Another value of the state, as it is.
        case value(StateKey, [UInt8]?)
        /// A transaction was executed, in the block with this digest.
        case receipt(Receipt, block: Digest)
        /// The history of the chain begins with that at `to`, and that with the one at `from`.
        case consistency(from: ConsistencyProof.Point, to: ConsistencyProof.Point)
    }

    /// What was asked: a true answer to another question proves nothing about it.
    package enum Question: Hashable, Sendable {
        /// What the state holds under a name.
        case value(StateKey)
        /// What came of a transaction.
        case transaction(TransactionID)
        /// How the history was at two heights; nil for any.
        case consistency(from: Height?, to: Height?)
    }

    /// What the bytes of an `AnchoredProof` prove.
    package func verify(
        _ bytes: [UInt8], asking question: Question
    ) throws(ProofFault) -> Proven {
        try verify(LightClient.decode(bytes), asking: question)
    }

    static func decode(_ bytes: [UInt8]) throws(ProofFault) -> AnchoredProof {
        do throws(BCSError) {
            return try AnchoredProof(bcs: bytes)
        } catch {
            throw .unreadable(error)
        }
    }

    /// What a proof shows.
    package func verify(
        _ proof: AnchoredProof, asking question: Question
    ) throws(ProofFault) -> Proven {
        guard proof.claim.answers(question) else { throw .otherQuestion }
        try checkFinalized(proof.header, proof.finalization)
        return try LightClient.proven(proof)
    }

    /// What a proof shows whose block is believed.
    static func proven(_ proof: AnchoredProof) throws(ProofFault) -> Proven {
        let header = proof.header
        guard proof.claim.root == header.executed.stateRoot else { throw .otherState }
        return Proven(
            fact: try LightClient.fact(proof.claim), height: header.executed.height,
            stateRoot: header.executed.stateRoot, block: header.digest,
            blockHeight: header.height, blockTime: header.time)
    }

    private func checkFinalized(
        _ header: BlockHeader, _ certificate: Certificate
    ) throws(ProofFault) {
        guard header.chainID == genesis.chainID else {
            throw .otherChain(found: header.chainID, wanted: genesis.chainID)
        }
        if let checkpoint, header.epoch < first {
            throw .otherBlock(found: header.height, wanted: checkpoint.height)
        }
        guard let committee = committee(of: header.epoch) else {
            throw .otherEpoch(found: header.epoch, known: epoch)
        }
        // Whoever voted in an old epoch can't name blocks of later ones.
        guard genesis.epochs.epoch(of: header.height) == header.epoch else {
            throw .outsideEpoch(header.height, header.epoch)
        }
        // Nobody votes in view 0, that of genesis.
        guard header.view > 0, certificate.kind == .finalize, certificate.view == header.view,
            certificate.subject.epoch == header.epoch, certificate.digest == header.digest
        else { throw .notFinalized }
        guard Verified.check(certificate, in: CertificateContext(committee: committee)) != nil
        else { throw .noQuorum }
    }

    private static func fact(_ claim: AnchoredProof.Claim) throws(ProofFault) -> Fact {
        switch claim {
        case .receipt(let proof): .receipt(proof.receipt, block: proof.entry.block)
        case .consistency(let proof): .consistency(from: proof.from, to: proof.to)
        case .value(let proof): try fact(proof.key, proof.value)
        }
    }

    private static func fact(_ key: StateKey, _ value: [UInt8]?) throws(ProofFault) -> Fact {
        switch key.kind {
        case .account:
            guard let address = Address(bytes: key.id) else { return .value(key, value) }
            return .account(address, try decode(value))
        case .escrow:
            guard let id = EscrowID(bytes: key.id) else { return .value(key, value) }
            return .escrow(id, try decode(value))
        case .asset:
            guard let id = AssetID(bytes: key.id) else { return .value(key, value) }
            return .asset(id, try decode(value))
        case .verifier:
            guard let verifier = PublicKey(bytes: key.id) else { return .value(key, value) }
            return .verifier(verifier, try decode(value))
        case .validator:
            guard key.id.count == 2 else { return .value(key, value) }
            let index = ValidatorIndex(UInt16(key.id[0]) << 8 | UInt16(key.id[1]))
            return .validator(index, try decode(value))
        case .parameters:
            guard key == .parameters, let parameters: LedgerParameters = try decode(value) else {
                return .value(key, value)
            }
            return .parameters(parameters)
        case .system, .proposal: return .value(key, value)
        }
    }

    private static func decode<Value: BCSDecodable>(
        _ bytes: [UInt8]?
    ) throws(ProofFault) -> Value? {
        guard let bytes else { return nil }
        do throws(BCSError) {
            return try Value(bcs: bytes)
        } catch {
            throw .unreadableValue(error)
        }
    }
}

extension AnchoredProof.Claim {
    /// Whether it is the answer to what was asked.
    func answers(_ question: LightClient.Question) -> Bool {
        switch (self, question) {
        case (.value(let proof), .value(let key)): proof.key == key
        case (.receipt(let proof), .transaction(let id)): proof.receipt.transactionID == id
        case (.consistency(let proof), .consistency(let from, let to)):
            proof.from.height == from ?? proof.from.height
                && proof.to.height == to ?? proof.to.height
        default: false
        }
    }
}

extension LightClient {
    /// Goes on into the next epoch with the bytes of an `EpochStep`.
    /// - Throws: `ProofFault.step`; the client then knows what it knew before.
    package mutating func follow(_ bytes: [UInt8]) throws(ProofFault) {
        let step: EpochStep
        do throws(BCSError) {
            step = try EpochStep(bcs: bytes)
        } catch {
            throw .step(epoch, .unreadable(error))
        }
        try follow(step)
    }

    /// Goes on into the next epoch.
    /// - Throws: `ProofFault.step`; the client then knows what it knew before.
    package mutating func follow(_ step: EpochStep) throws(ProofFault) {
        do throws(StepFault) {
            if step.epoch > epoch, isTrusted(step.end.boundary) {
                committees = [try firstCommittee(step)]
                first = step.epoch.next ?? step.epoch
            } else {
                try checkEnd(step.end)
                let next = try nextCommittee(step, of: epoch.next, from: boundary)
                try checkSigned(step.end)
                committees.append(next)
            }
            boundary = step.end.boundary.digest
            isPastCheckpoint = isPastCheckpoint || isTrusted(step.end.boundary)
        } catch {
            throw .step(epoch, error)
        }
    }

    private func isTrusted(_ block: BlockHeader) -> Bool {
        block.height == checkpoint?.height && block.digest == checkpoint?.digest
    }

    /// The validators that the trusted block names, an epoch's last one.
    private func firstCommittee(_ step: EpochStep) throws(StepFault) -> Committee {
        let block = step.end.boundary
        guard block.chainID == genesis.chainID else {
            throw .otherChain(found: block.chainID, wanted: genesis.chainID)
        }
        let last = genesis.epochs.last(of: block.epoch)
        guard block.height == last else {
            throw .otherHeight(found: block.height, wanted: last)
        }
        guard block.view > 0, step.end.isLinked else { throw .notLinked }
        return try nextCommittee(step, of: block.epoch.next, from: nil)
    }

    /// Checks that the newest epoch that is known ends so, whoever says it.
    private func checkEnd(_ end: EpochEnd) throws(StepFault) {
        let block = end.boundary
        guard block.chainID == genesis.chainID else {
            throw .otherChain(found: block.chainID, wanted: genesis.chainID)
        }
        guard block.epoch == epoch else { throw .otherEpoch(block.epoch) }
        let last = genesis.epochs.last(of: epoch)
        guard block.height == last else {
            throw .otherHeight(found: block.height, wanted: last)
        }
        guard checkpoint?.height != block.height || isTrusted(block) else {
            throw .notTrusted(block.height)
        }
        // Nobody votes in view 0, that of the block which an epoch starts from.
        guard block.view > 0, end.isLinked else { throw .notLinked }
    }

    /// Checks that the newest committee that is known says so.
    private func checkSigned(_ end: EpochEnd) throws(StepFault) {
        guard let committee = committees.last,
            Verified.check(end.certificate, in: CertificateContext(committee: committee)) != nil
        else { throw .noQuorum }
    }

    /// The validators that a step's block names, of `epoch` as it must be.
    /// - Parameter boundary: The last block of the epoch before the step's; nil if it isn't known.
    private func nextCommittee(
        _ step: EpochStep, of epoch: Epoch?, from boundary: Digest?
    ) throws(StepFault) -> Committee {
        let record = step.record
        guard record.digest == step.end.boundary.nextSetHash else { throw .otherCommittee }
        guard record.epoch == epoch else { throw .committeeOfOtherEpoch(record.epoch) }
        guard record.boundary == boundary ?? record.boundary else { throw .otherBoundary }
        do throws(Committee.Fault) {
            return try record.committee(chainID: genesis.chainID)
        } catch {
            throw .invalidCommittee(error)
        }
    }
}
