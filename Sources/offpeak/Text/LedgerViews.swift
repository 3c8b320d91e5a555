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
            failure: failure, escrows: receipt.escrows.map { $0.text(in: prefix) },
            assets: receipt.assets.map { $0.text(in: prefix) },
            proposals: receipt.proposals.map { $0.text(in: prefix) })
    }

    func account(
        _ account: Account, _ address: Address, _ height: Height, _ stateRoot: Digest,
        at time: Timestamp
    ) -> AccountInfo {
        AccountInfo(
            address: address.text(in: prefix),
            balances: balances(of: account),
            policy: account.policy.map(policy),
            streams: account.streams.map {
                StreamInfo(
                    stream: $0.number, nextSequence: $0.next, lastUse: $0.lastUse,
                    deposit: $0.deposit)
            }, deposits: account.deposits,
            safeguards: account.safeguards.map { safeguards($0, at: time) }, height: height,
            stateRoot: stateRoot.description)
    }

    private func balances(of account: Account) -> [AssetBalance] {
        let native = AssetBalance(asset: asset(.native), amount: account.native)
        let issued = account.holdings.map {
            AssetBalance(
                asset: asset($0.asset), amount: $0.amount, isFrozen: $0.isFrozen ? true : nil)
        }
        return (account.native > 0 ? [native] : []) + issued
    }

    func asset(_ asset: AssetID) -> String {
        asset == .native ? "native" : asset.text(in: prefix)
    }

    func asset(_ asset: Asset, _ id: AssetID, _ height: Height) -> AssetInfo {
        let terms = asset.terms
        return AssetInfo(
            id: id.text(in: prefix), issuer: asset.issuer.text(in: prefix), symbol: terms.symbol,
            decimals: terms.decimals, cap: terms.cap, canFreeze: terms.canFreeze,
            canClawBack: terms.canClawBack, supply: asset.supply, escrowed: asset.escrowed,
            deposit: asset.deposit, height: height)
    }

    func policy(_ policy: Policy) -> PolicyInfo {
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
            validator: committee?.index(of: key) != nil, candidate: verifier.isCandidate,
            bonded: verifier.bonded,
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

    func quorum(_ quorum: Quorum) -> QuorumInfo {
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

extension LedgerViews {
    func governance(
        _ parameters: LedgerParameters,
        _ proposals: [(id: ProposalID, proposal: ParameterProposal)],
        _ committee: Committee, _ height: Height
    ) -> GovernanceInfo {
        let governance = parameters.governance
        return GovernanceInfo(
            parameters: governance.governed.map { parameter in
                let range = parameters.range(of: parameter)
                return GovernedParameterInfo(
                    name: parameter.name, value: Amount(parameters.value(of: parameter)),
                    least: Amount(range.lowerBound), greatest: Amount(range.upperBound))
            },
            proposals: proposals.map { proposal($0.proposal, $0.id, committee) },
            voteBlocks: governance.voteBlocks, delayBlocks: governance.delayBlocks,
            approvalPermille: governance.approvalPermille, deposit: governance.deposit,
            height: height)
    }

    private func proposal(
        _ proposal: ParameterProposal, _ id: ProposalID, _ committee: Committee
    ) -> ProposalInfo {
        func weight(_ approves: Bool) -> UInt64 {
            let keys = proposal.votes.filter { $0.approves == approves }.map(\.key)
            return committee.weight(of: keys.compactMap { committee.index(of: $0) })
        }
        return ProposalInfo(
            id: id.text(in: prefix), proposer: proposal.proposer.text(in: prefix),
            changes: proposal.changes.changes.map {
                ParameterChangeInfo(name: $0.parameter.name, value: Amount($0.value))
            }, isApproved: proposal.isApproved, due: proposal.due, approvingWeight: weight(true),
            rejectingWeight: weight(false), totalWeight: committee.totalWeight,
            votes: proposal.votes.map {
                VoteInfo(validator: $0.key.text(in: prefix), approves: $0.approves)
            })
    }
}

extension RPC.FeeParameters {
    init(_ fees: Execution.FeeParameters) {
        self.init(
            baseFee: fees.baseFee, byteWeight: fees.byteWeight,
            signatureWeight: fees.signatureWeight, writeWeight: fees.writeWeight,
            streamDeposit: fees.streamDeposit, escrowDeposit: fees.escrowDeposit,
            holdingDeposit: fees.holdingDeposit, assetDeposit: fees.assetDeposit)
    }

    /// What is kept back for what, as people read it.
    var deposits: [String] {
        [
            "\(streamDeposit) for a stream", "\(escrowDeposit) for an escrow",
            "\(holdingDeposit) for an asset in an account", "\(assetDeposit) to issue an asset",
        ]
    }
}
