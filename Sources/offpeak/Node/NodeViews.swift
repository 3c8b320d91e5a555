internal import Consensus
internal import Execution
internal import Mempool
internal import NodeCore
internal import Primitives
internal import RPC
internal import Runtime

/// The node's values as RPC shows them.
struct NodeViews: Sendable {
    let prefix: NetworkPrefix
    let node: RunningNode

    var ledger: LedgerViews { LedgerViews(prefix: prefix) }

    // MARK: The node

    func status(_ summary: LedgerReader.Summary) -> NodeStatus {
        let status = node.status
        let committee = node.committee
        let readiness = NodeReadiness(node).now
        return NodeStatus(
            version: Program.version, network: node.genesis.network,
            chainID: node.genesis.chainID.description, prefix: prefix.text,
            peerID: node.peerID.text(in: prefix), validator: node.ownIndex?.rawValue,
            role: role,
            epoch: committee.epoch, view: status.view, finalizedHeight: status.finalizedHeight,
            appliedHeight: summary.height, stateRoot: summary.stateRoot.description,
            time: summary.time, supply: supply(summary.totals),
            peersConnected: node.peers.count, connectedWeight: node.connectedWeight,
            totalWeight: committee.totalWeight, quorum: committee.quorum, ready: readiness.ready,
            reasons: readiness.reasons + silence + damage,
            uptimeMilliseconds: node.uptimeMilliseconds)
    }

    private var role: RPC.NodeRole {
        guard node.ownIndex != nil else {
            let present = node.shardLayout.presentVerifiers(after: node.status.appliedHeight)
            return present?.index(of: node.peerID) == nil ? .relay : .verifier
        }
        return node.status.recovery == .none ? .validator : .observer
    }

    /// What the scrubber has met in the store.
    private var damage: [String] {
        node.scrubStatus?.damage.map { ["the store is damaged: \($0)"] } ?? []
    }

    /// Why a validator doesn't vote.
    private var silence: [String] {
        let cause = node.recordLoss.map { ": \($0)" } ?? ""
        switch node.status.recovery {
        case .none: return []
        case .asks: return ["doesn't vote before others say how far its key has signed\(cause)"]
        case .abstains(let view): return ["doesn't vote up to view \(view)\(cause)"]
        }
    }

    private func supply(_ totals: Totals) -> SupplyInfo {
        SupplyInfo(
            balances: totals.balances, escrowed: totals.escrowed, bonded: totals.bonded,
            deposits: totals.deposits, undistributed: totals.undistributed,
            supply: totals.supply)
    }

    /// The present committee.
    var committee: Committee { node.committee }

    var validators: ValidatorList {
        let connected = Set(node.peers.map(\.peerID)).union([node.peerID])
        return ValidatorList(
            epoch: committee.epoch, totalWeight: committee.totalWeight, quorum: committee.quorum,
            validators: committee.validators.enumerated().map { place, validator in
                ValidatorInfo(
                    index: UInt16(place), votingKey: validator.votingKey.text(in: prefix),
                    peerID: validator.peerID.text(in: prefix), weight: validator.weight,
                    rewardAddress: validator.rewardAddress.text(in: prefix),
                    connected: connected.contains(validator.peerID))
            })
    }

    var peers: PeerList {
        let committee = node.committee
        let now = SystemClock.moment.wall
        return PeerList(
            peers: node.peers.map { peer in
                PeerInfo(
                    peerID: peer.peerID.text(in: prefix),
                    validator: committee.index(of: peer.peerID)?.rawValue, address: peer.address,
                    direction: peer.direction == .incoming ? .inbound : .outbound,
                    roundTripMicroseconds: peer.roundTripMicroseconds,
                    bytesReceived: peer.bytesIn.values.reduce(0, +),
                    bytesSent: peer.bytesOut.values.reduce(0, +),
                    connectedMilliseconds: now.clampedRetreat(by: peer.since.rawValue).rawValue)
            })
    }

    /// - Parameter fees: Those in force.
    func genesis(_ fees: Execution.FeeParameters) -> GenesisInfo {
        let genesis = node.genesis
        return GenesisInfo(
            network: genesis.network, prefix: prefix.text, chainID: genesis.chainID.description,
            time: genesis.time, supply: genesis.supply, accounts: genesis.accounts.count,
            validators: genesis.validators.count,
            parameters: RPC.FeeParameters(fees),
            canonical: Base64.encode(genesis.bcsBytes))
    }

    /// - Parameter fees: Those in force.
    func feeEstimate(_ fees: Execution.FeeParameters) -> FeeEstimate {
        let status = node.status
        let base = max(status.baseFee.amount, fees.baseFee)
        func level(_ level: FeeLevel, _ tip: Amount) -> FeeLevelEstimate {
            FeeLevelEstimate(
                level: level, baseFeeMax: NodeViews.baseFeeMax(level, at: base), tip: tip)
        }
        let most = status.tips.tip(atPermille: 900)
        return FeeEstimate(
            height: status.appliedHeight, baseFee: base,
            targetWeight: fees.targetWeight,
            levels: [
                level(.economy, 0),
                level(.standard, status.tips.tip(atPermille: 500)),
                level(.urgent, most.clampedAdvance(by: most.rawValue / 8)),
            ])
    }

    /// What a level allows for a unit of weight. From 0 a base fee rises to parts of 1.
    static func baseFeeMax(_ level: FeeLevel, at base: Amount) -> Amount {
        let (factor, least): (UInt64, Amount) =
            switch level {
            case .economy: (1, 0)
            case .standard: (2, 1)
            case .urgent: (4, 1)
            }
        return max((try? base.multiplied(by: factor)) ?? Amount(.max), least)
    }

    // MARK: The chain

    func head(
        _ summary: LedgerReader.Summary, _ block: Block?, finalized: Height
    ) -> ChainHead {
        ChainHead(
            height: summary.height, digest: ledger.block(block?.digest ?? .zero),
            view: block?.view ?? 0, time: summary.time,
            stateRoot: summary.stateRoot.description, finalizedHeight: finalized)
    }

    func block(_ block: Block, _ chain: ChainStore) throws(StorageFault) -> BlockSummary {
        guard let payload = try? BlockPayload(decoding: block.payload) else {
            throw StorageFault("block \(block.height) has a broken payload")
        }
        var batches: [BatchSummary] = []
        for certificate in payload.certificates {
            batches.append(try batch(certificate, chain))
        }
        return BlockSummary(
            height: block.height, digest: ledger.block(block.digest),
            parent: ledger.block(block.parent.digest), epoch: block.epoch, view: block.view,
            proposer: block.proposer.rawValue, time: block.time,
            executedHeight: block.executed.height,
            executedStateRoot: block.executed.stateRoot.description,
            stateRoot: try chain.stateRoot(at: block.height)?.description,
            direct: payload.direct.map { $0.id.text(in: prefix) }, batches: batches)
    }

    private func batch(
        _ certificate: BatchCertificate, _ chain: ChainStore
    ) throws(StorageFault) -> BatchSummary {
        let invalid = Set(certificate.invalid)
        let body = try chain.batch(certificate.digest)?.transactions ?? []
        let valid = body.enumerated().filter { !invalid.contains(UInt32($0.offset)) }
        return BatchSummary(
            digest: HumanID.text(certificate.digest.bytes32, as: .batch, in: prefix),
            owner: certificate.header.content.owner.rawValue,
            transactions: valid.map { $0.element.id.text(in: prefix) })
    }

    // MARK: Words

    /// What a client whose transaction is refused reads.
    func sentence(_ reason: SkipReason) -> String {
        switch reason {
        case .wrongChain: "signed for another network: its chain id isn't this network's"
        case .expired: "validUntil has passed: sign it anew with a later one"
        case .validTooLong: "validUntil lies too far ahead: 24 hours at most, 30 days off stream 0"
        case .sequenceUsed: "the sequence was used before: ask account_get for the next one"
        case .sequenceAhead: "an earlier sequence of the stream is missing"
        case .unknownSender: "the sender has no account: send it something first"
        case .policyMissing: "the account's policy isn't known yet: reveal it in policies"
        case .policyMismatch: "a revealed policy isn't the one that the address was made from"
        case .unknownSigner: "an authorization by a key that isn't in the account's policy"
        case .notAuthorized:
            "the signers' weights don't reach the account's threshold, or of a second veto its"
                + " admin threshold"
        case .feeTooLow: "maxFee is below the fee: ask genesis_get for its parameters"
        case .insufficientForFee: "the balance doesn't cover the fee"
        case .tooManyStreams: "the account has 64 streams already"
        case .invalidSignature: "a signature doesn't hold"
        case .limitReached:
            "above what the sender's spending limit leaves: wait, or sign with admin weight"
        }
    }
}
