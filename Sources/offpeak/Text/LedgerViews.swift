internal import Consensus
internal import Execution
internal import LightClient
internal import Primitives
internal import RPC

/// What stands in the state, as RPC and the command line show it.
struct LedgerViews: Sendable {
    let prefix: NetworkPrefix

    func receipt(_ receipt: Receipt) -> ReceiptInfo {
        var failure: OperationFailure?
        if case .failed(let operation, let code) = receipt.outcome {
            failure = OperationFailure(
                operation: operation, code: code.rawValue, reason: code.name)
        }
        return ReceiptInfo(
            transaction: receipt.transactionID.text(in: prefix), height: receipt.height,
            index: receipt.index, fee: receipt.fee, outcome: failure == nil ? .success : .failed,
            failure: failure, escrows: receipt.escrows.map { $0.text(in: prefix) })
    }

    func account(
        _ account: Account, _ address: Address, _ height: Height, _ stateRoot: Digest
    ) -> AccountInfo {
        AccountInfo(
            address: address.text(in: prefix),
            balances: account.balances.map {
                AssetBalance(asset: asset($0.asset), amount: $0.amount)
            },
            policy: account.policy.map(policy),
            streams: account.streams.map {
                StreamInfo(
                    stream: $0.number, nextSequence: $0.next, lastUse: $0.lastUse,
                    deposit: $0.deposit)
            }, deposits: account.deposits, height: height,
            stateRoot: stateRoot.description)
    }

    private func asset(_ asset: AssetID) -> String {
        asset == .native ? "native" : asset.description
    }

    private func policy(_ policy: Policy) -> PolicyInfo {
        PolicyInfo(
            signers: policy.signers.map {
                SignerInfo(publicKey: $0.publicKey.text(in: prefix), weight: $0.weight)
            }, spend: policy.spend, admin: policy.admin)
    }

    func escrow(_ escrow: Escrow, _ height: Height) -> EscrowInfo {
        let terms = escrow.terms
        return EscrowInfo(
            id: escrow.id.text(in: prefix), payer: escrow.payer.text(in: prefix),
            payee: terms.payee.text(in: prefix), asset: asset(terms.asset),
            state: state(escrow.state), held: escrow.held, released: escrow.released,
            refunded: escrow.refunded, round: escrow.round, release: quorum(terms.release),
            refund: quorum(terms.refund), arbitration: terms.arbitration.map(quorum),
            hashlock: terms.hashlock?.description, preimage: escrow.preimage.map { Hex.encode($0) },
            notBefore: terms.notBefore, deadline: terms.deadline,
            onDeadline: DirectionName(terms.onDeadline),
            arbitrationDeadline: terms.arbitrationDeadline,
            decisions: escrow.decisions.map(decision), height: height)
    }

    func verifier(
        _ verifier: Verifier, _ key: PublicKey, in committee: Committee?, _ height: Height
    ) -> VerifierInfo {
        VerifierInfo(
            key: key.text(in: prefix), peerID: verifier.peerID.text(in: prefix),
            owner: verifier.owner.text(in: prefix),
            rewardAddress: verifier.rewardAddress.text(in: prefix),
            validator: committee?.index(of: key) != nil, bonded: verifier.bonded,
            releases: verifier.releases.map { ReleaseInfo(amount: $0.amount, height: $0.height) },
            offences: verifier.offences,
            jailedUntil: verifier.isJailed(at: height.clampedAdvance(by: 1))
                ? verifier.jailedUntil : nil,
            rewards: verifier.rewards, height: height)
    }

    private func decision(_ decision: Escrow.Decision) -> DecisionInfo {
        let participant = decision.address.text(in: prefix)
        return switch decision.choice {
        case .release(let amount):
            DecisionInfo(participant: participant, direction: .release, amount: amount)
        case .refund(let amount):
            DecisionInfo(participant: participant, direction: .refund, amount: amount)
        case .split(let toPayee, let toPayer):
            DecisionInfo(
                participant: participant, direction: .release, amount: toPayee, toPayer: toPayer)
        }
    }

    private func state(_ state: Escrow.State) -> EscrowState {
        switch state {
        case .open: .open
        case .disputed: .disputed
        case .closed: .closed
        }
    }

    private func quorum(_ quorum: Quorum) -> QuorumInfo {
        QuorumInfo(
            members: quorum.members.map {
                MemberInfo(address: $0.address.text(in: prefix), weight: $0.weight)
            }, threshold: quorum.threshold)
    }

    func block(_ digest: Digest) -> String {
        HumanID.text(digest.bytes32, as: .block, in: prefix)
    }

    func proof(_ proof: AnchoredProof) -> ProofInfo {
        ProofInfo(
            height: proof.header.executed.height,
            stateRoot: proof.header.executed.stateRoot.description,
            block: block(proof.header.digest), blockHeight: proof.header.height,
            proof: Base64.encode(proof.bcsBytes))
    }
}
