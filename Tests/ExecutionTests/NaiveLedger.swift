import Primitives

@testable import Execution

/// The ledger's rules once more, written for being obvious: plain dictionaries, whole copies to
/// take things back, no store, no tree, no caches.
struct NaiveLedger {
    struct Trust: Equatable {
        let payer: Address
        let terms: EscrowTerms
        var paidIn: UInt64
        let deposit: UInt64
        var released: UInt64 = 0
        var refunded: UInt64 = 0
        var round: UInt64 = 0
        var wishes: [Address: String] = [:]
        var shown = false
        var disputed = false
        var held: UInt64 { paidIn - released - refunded }
        var due: UInt64 {
            disputed ? terms.arbitrationDeadline?.rawValue ?? 0 : terms.deadline.rawValue
        }
    }

    struct Failed: Error { let code: FailureCode }

    let parameters: LedgerParameters
    var fees: FeeParameters
    var expiriesMax: Int
    let governance: GovernanceParameters
    let epochBlocks: UInt64
    let seats: Int
    let stakeMinimum: UInt64
    var proposals: [ProposalID: NaiveProposal] = [:]
    let chainID: ChainID
    /// Of every epoch that was elected, those of the past too.
    var committees: [[NaiveSeat]] = []
    let verification: VerificationParameters
    let stakeUnit: UInt64
    let lag: UInt64
    var height: UInt64 = 0
    var stakes: [PublicKey: NaiveStake] = [:]
    var sets: [UInt64: NaiveSet] = [:]
    /// For checking, in this block.
    var earned: [PublicKey: UInt64] = [:]
    var time: UInt64
    var balances: [Address: UInt64]
    var deposits: [Address: UInt64] = [:]
    var next: [Address: [UInt16: UInt64]] = [:]
    /// Last use and deposit of each stream.
    var streams: [Address: [UInt16: NaiveStream]] = [:]
    /// Those in force, of the accounts that have shown one.
    var policies: [Address: Policy] = [:]
    var safeguards: [Address: NaiveSafeguards] = [:]
    /// Whether the transaction that runs is signed with its sender's admin weight.
    var isAdmin = false
    /// What came about, beside outcomes.
    var seen: Set<String> = []
    var trusts: [EscrowID: Trust] = [:]
    /// Of those that were closed.
    var closed: [EscrowID] = []
    var assets: [AssetID: NaiveAsset] = [:]
    var holdings: [Address: [AssetID: NaiveHolding]] = [:]
    var feesOfBatch: UInt64 = 0
    /// What the fees would be at one base fee.
    var usualFees: UInt64 = 0
    /// In 65,536ths.
    var baseFee: UInt64
    var weightOfBlock: UInt64 = 0
    var due: [Address: UInt64] = [:]

    init(_ genesis: Genesis) {
        parameters = genesis.parameters
        fees = genesis.parameters.fees
        baseFee = genesis.parameters.fees.baseFee.rawValue * 65_536
        expiriesMax = Int(genesis.parameters.escrow.expiriesPerBlockMax)
        governance = genesis.parameters.governance
        epochBlocks = genesis.parameters.stake.epochBlocks
        seats = Int(genesis.parameters.stake.validatorsMax)
        stakeMinimum = genesis.parameters.stake.minimum.rawValue
        chainID = genesis.chainID
        verification = genesis.parameters.verification
        stakeUnit = genesis.parameters.stake.unit.rawValue
        lag = genesis.parameters.consensus.executionLagMax
        time = genesis.time.rawValue
        balances = Dictionary(
            uniqueKeysWithValues: genesis.accounts.map { ($0.address, $0.balance.rawValue) })
        for account in genesis.accounts { policies[account.address] = account.policy }
        for validator in genesis.validators {
            stakes[validator.votingKey] = NaiveStake(
                owner: validator.rewardAddress, peer: validator.peerID,
                bonded: validator.stake.rawValue, isCandidate: true)
        }
        committees = [
            genesis.validators.map {
                NaiveSeat(
                    key: $0.votingKey, peer: $0.peerID, weight: $0.stake.rawValue / stakeUnit,
                    reward: $0.rewardAddress)
            }
        ]
        for verifier in genesis.verifiers {
            stakes[verifier.key] = NaiveStake(
                owner: verifier.rewardAddress, peer: verifier.peerID,
                bonded: verifier.bond.rawValue)
        }
        determineSets()
    }

    mutating func beginBlock(at time: UInt64) {
        self.time = time
        height += 1
        govern()
        let due = trusts.filter { $0.value.due <= time }
            .sorted { ($0.value.due, $0.key) < ($1.value.due, $1.key) }
        for (id, trust) in due.prefix(expiriesMax) {
            let receiver = trust.terms.onDeadline == .release ? trust.terms.payee : trust.payer
            give(trust.held, of: trust.terms.asset, to: receiver)
            close(id, trust)
        }
    }

    /// Owner 40 %, verifiers 30 %, proposer 20 %, treasury the rest.
    mutating func endBatch(
        owner: Int, proposer: Int, period: UInt64, chunks: [ExecutableBlock.ChunkCredit]
    ) {
        let before = earned.values.reduce(0, +)
        pay(feesOfBatch * 300 / 1000, chunks, period: period)
        let toOwner = pay(feesOfBatch * 400 / 1000, seat: owner)
        let toProposer = pay(feesOfBatch * 200 / 1000, seat: proposer)
        let given = toOwner + toProposer + earned.values.reduce(0, +) - before
        due[fees.treasury, default: 0] += feesOfBatch - given
        feesOfBatch = 0
        usualFees = 0
    }

    /// The proposer gets what it would have had of the same transactions in batches.
    mutating func endDirect(proposer: Int) {
        let toProposer = pay(usualFees * 200 / 1000, seat: proposer)
        due[fees.treasury, default: 0] += feesOfBatch - toProposer
        feesOfBatch = 0
        usualFees = 0
    }

    /// Nobody sits at a place beyond the committee.
    private mutating func pay(_ amount: UInt64, seat: Int) -> UInt64 {
        guard seat < committee.count else { return 0 }
        due[committee[seat].reward, default: 0] += amount
        return amount
    }

    mutating func endBlock() {
        for (receiver, amount) in due where amount > 0 { balances[receiver, default: 0] += amount }
        due = [:]
        moveBaseFee()
        payEarned()
        elect()
        determineSets()
    }

    /// EIP-1559, with numbers that never come near 2^64.
    mutating func moveBaseFee() {
        let (target, parts) = (fees.targetWeight, fees.changeDenominator)
        let used = min(weightOfBlock, 2 * target)
        if used > target {
            baseFee += max(1, baseFee * (used - target) / target / parts)
        } else if used < target {
            baseFee -= min(baseFee, max(1, baseFee * (target - used) / target / parts))
        }
        baseFee = max(baseFee, fees.baseFee.rawValue * 65_536)
        weightOfBlock = 0
    }

    /// "ok", the reason of a skip or the code of a failure.
    mutating func run(_ signed: SignedTransaction, factor: UInt64 = 1) -> String {
        let transaction = signed.transaction
        let sender = transaction.sender
        if time > transaction.validUntil.rawValue { return "expired" }
        guard let balance = balances[sender] else { return "unknownSender" }
        let next = next[sender]?[transaction.stream]
        if transaction.sequence.rawValue < next ?? 0 { return "sequenceUsed" }
        if transaction.sequence.rawValue > next ?? 0 { return "sequenceAhead" }
        let parties = [sender] + transaction.cosigners
        var current: [Policy] = []
        for party in parties {
            let shown = signed.policies.first { $0.address == party }
            guard let policy = policies[party] ?? shown else { return "policyMissing" }
            current.append(policy)
        }
        let keys = signed.authorizations.map(\.publicKey)
        if keys.contains(where: { key in !current.contains { $0.weight(of: key) != nil } }) {
            return "unknownSigner"
        }
        func weight(_ policy: Policy) -> Int {
            policy.signers.filter { keys.contains($0.publicKey) }.reduce(0) { $0 + Int($1.weight) }
        }
        isAdmin = weight(current[0]) >= Int(current[0].admin)
        if current.contains(where: { weight($0) < Int($0.spend) }) { return "notAuthorized" }
        if transaction.operations.contains(where: \.isForAdmins), !isAdmin {
            return "notAuthorized"
        }
        let needless = signed.policies.filter { policies[$0.address] != nil }
            .reduce(0) { $0 + $1.bcsBytes.count }
        let signatures = keys.count + transaction.operations.map(\.proofs).reduce(0, +)
        let weight =
            UInt64(signed.byteCount - needless) + 200 * UInt64(signatures)
            + fees.writeWeight * UInt64(transaction.operations.count)
        let base = factor * ((baseFee * weight + 65_535) / 65_536)
        if base > transaction.maxFee.rawValue { return "feeTooLow" }
        let fee = min(base + transaction.tip.rawValue, transaction.maxFee.rawValue)
        let isNew = transaction.stream != 0 && next == nil
        let deposit = isNew ? fees.streamDeposit.rawValue : 0
        if fee + deposit > balance { return "insufficientForFee" }
        let isLimited = !isAdmin && safeguards[sender]?.limits.isEmpty == false
        for case .escrowTopUp(let topUp) in transaction.operations
        where isLimited && closed.contains(topUp.escrow) {
            seen.insert("top-up of a closed escrow")
        }
        if vetoesAgain(transaction, keys) {
            seen.insert("another veto")
            return "notAuthorized"
        }
        if !isAdmin {
            let counted = fee - base + deposit
            if let asset = takesTooMuch(transaction, counted) {
                seen.insert(asset == .native ? "native limit" : "limit of an issued asset")
                return "limitReached"
            }
            note(counted, of: sender)
        }
        balances[sender] = balance - fee - deposit
        deposits[sender, default: 0] += deposit
        feesOfBatch += fee
        usualFees += base / factor + fee - base
        weightOfBlock += weight
        self.next[sender, default: [:]][transaction.stream] = (next ?? 0) + 1
        use(transaction.stream, of: sender, deposit: deposit)
        for (party, policy) in zip(parties, current) where balances[party] != nil {
            policies[party] = policy
        }
        let before = self
        do {
            for (place, operation) in transaction.operations.enumerated() {
                try run(operation, signed.id, place, parties)
            }
            return "ok"
        } catch {
            self = before
            return (error as? Failed)?.code.name ?? "\(error)"
        }
    }

    mutating func take(_ amount: UInt64, from address: Address) throws {
        if amount == 0 { throw Failed(code: .zeroAmount) }
        if balances[address] ?? 0 < amount { throw Failed(code: .insufficientFunds) }
        try spend(amount, of: address)
        balances[address, default: 0] -= amount
    }

    /// What the sender loses counts against its limit.
    mutating func spend(
        _ amount: UInt64, of address: Address, _ asset: AssetID = .native
    ) throws {
        if isAdmin { return }
        if amount > room(of: address, asset) { throw Failed(code: .limitExceeded) }
        note(amount, of: address, asset)
    }

    private mutating func run(
        _ operation: Operation, _ transaction: TransactionID, _ place: Int, _ parties: [Address]
    ) throws {
        switch operation {
        case .transfer(let transfer):
            let (amount, asset) = (transfer.amount.rawValue, transfer.asset)
            try take(amount, of: asset, from: parties[0])
            if asset != .native { try open(asset, for: transfer.to, by: parties[0]) }
            give(amount, of: asset, to: transfer.to)
        case .escrowCreate(let terms):
            if terms.deadline.rawValue <= time { throw Failed(code: .deadlinePast) }
            try reserve(terms, parties[0])
            trusts[Escrow.id(transaction: transaction, operation: place)] = Trust(
                payer: parties[0], terms: terms, paidIn: terms.amount.rawValue,
                deposit: fees.escrowDeposit.rawValue)
            try take(terms.amount.rawValue, of: terms.asset, from: parties[0])
            try keepBack(fees.escrowDeposit.rawValue, of: parties[0])
        case .escrowTopUp(let topUp):
            let asset = try open(topUp.escrow).terms.asset
            try take(topUp.amount.rawValue, of: asset, from: parties[0])
            trusts[topUp.escrow]?.paidIn += topUp.amount.rawValue
        case .escrowDecide(let decision): try decide(decision, parties)
        case .escrowDispute(let id):
            let trust = try open(id)
            if trust.terms.arbitration == nil { throw Failed(code: .noArbitration) }
            if !parties.contains(trust.payer) && !parties.contains(trust.terms.payee) {
                throw Failed(code: .notParticipant)
            }
            trusts[id]?.disputed = true
            trusts[id]?.wishes = [:]
            trusts[id]?.round += 1
        case .escrowArbitrate(let split): try arbitrate(split, parties)
        case .setPolicy(let policy): try replacePolicy(policy, parties[0])
        case .bond(let bond): try self.bond(bond, parties[0])
        case .unbond(let unbond): try self.unbond(unbond, parties[0])
        case .withdraw(let key): try withdraw(key, parties[0])
        case .reportEvidence(let evidence): try report(evidence, parties[0])
        case .issueAsset(let terms):
            try issue(terms, .issued(by: transaction, operation: place), parties[0])
        case .mint(let mint): try self.mint(mint, parties[0])
        case .redeem(let redemption): try redeem(redemption, parties[0])
        case .retireAsset(let id): try retire(id, parties[0])
        case .freeze(let freeze): try self.freeze(freeze, parties[0])
        case .clawback(let clawback): try clawBack(clawback, parties[0])
        case .proposeParameters(let changes):
            try propose(changes, .made(by: transaction, operation: place), parties[0])
        case .voteParameters(let vote): try self.vote(vote, parties[0])
        case .setSafeguards(let terms): try setSafeguards(terms, parties[0])
        case .proposeRecovery(let proposal): try propose(proposal, parties)
        case .vetoRecovery(let account): try veto(account, parties)
        case .completeRecovery(let account): try complete(account)
        case .escrowWithdrawDecision(let withdrawal): try withdrawDecision(withdrawal, parties)
        case .closeStream(let number): try close(number, parties[0])
        case .declareCandidate(let key): try declare(key, parties[0])
        case .withdrawCandidacy(let key): try stopStanding(key, parties[0])
        }
    }

    @discardableResult
    func open(_ id: EscrowID, isDisputed: Bool? = false) throws -> Trust {
        guard let trust = trusts[id] else { throw Failed(code: .escrowUnknown) }
        if time >= trust.due { throw Failed(code: .deadlinePast) }
        if trust.disputed && isDisputed == false { throw Failed(code: .escrowDisputed) }
        return trust
    }

    /// The payee gives everything back.
    private mutating func refuses(_ decision: EscrowDecision, _ parties: [Address]) throws -> Bool {
        if decision.direction == .release || decision.preimage != nil { return false }
        var trust = try open(decision.escrow, isDisputed: nil)
        let amount = trust.held
        if trust.payer == trust.terms.payee { return false }
        if !parties.contains(trust.terms.payee) || decision.round != trust.round { return false }
        if decision.amount.rawValue < amount { return false }
        seen.insert(trust.disputed ? "refused, disputed" : "refused")
        trust.refunded += amount
        give(amount, of: trust.terms.asset, to: trust.payer)
        close(decision.escrow, trust)
        return true
    }

    private mutating func decide(_ decision: EscrowDecision, _ parties: [Address]) throws {
        if try refuses(decision, parties) { return }
        var trust = try open(decision.escrow)
        let amount = decision.amount.rawValue
        let isRelease = decision.direction == .release
        if decision.round != trust.round { throw Failed(code: .wrongRound) }
        if amount == 0 { throw Failed(code: .zeroAmount) }
        if amount > trust.held { throw Failed(code: .amountAboveHeld) }
        if isRelease && time < trust.terms.notBefore?.rawValue ?? 0 {
            throw Failed(code: .beforeNotBefore)
        }
        if let preimage = decision.preimage {
            if trust.terms.hashlock == nil { throw Failed(code: .preimageUnexpected) }
            if Bytes32.sha256(preimage) != trust.terms.hashlock {
                throw Failed(code: .preimageWrong)
            }
            trust.shown = true
        }
        let quorum = isRelease ? trust.terms.release : trust.terms.refund
        let isEnough = try wish("\(isRelease) \(amount)", parties, quorum, &trust)
        if isEnough {
            if isRelease && trust.terms.hashlock != nil && !trust.shown {
                throw Failed(code: .preimageMissing)
            }
            if isRelease { trust.released += amount } else { trust.refunded += amount }
            give(amount, of: trust.terms.asset, to: isRelease ? trust.terms.payee : trust.payer)
            trust.round += 1
            trust.wishes = [:]
        }
        trusts[decision.escrow] = trust
        if trust.held == 0 { close(decision.escrow, trust) }
    }

    private mutating func arbitrate(_ split: EscrowArbitration, _ parties: [Address]) throws {
        var trust = try open(split.escrow, isDisputed: nil)
        guard let quorum = trust.terms.arbitration else { throw Failed(code: .noArbitration) }
        if !trust.disputed { throw Failed(code: .notDisputed) }
        if split.round != trust.round { throw Failed(code: .wrongRound) }
        let (payee, payer) = (split.toPayee.rawValue, split.toPayer.rawValue)
        if payee > trust.held || trust.held - payee != payer {
            throw Failed(code: .splitMismatch)
        }
        if try wish("split \(payee)", parties, quorum, &trust) {
            if payee > 0 { give(payee, of: trust.terms.asset, to: trust.terms.payee) }
            if payer > 0 { give(payer, of: trust.terms.asset, to: trust.payer) }
            close(split.escrow, trust)
        } else {
            trusts[split.escrow] = trust
        }
    }

    /// Whether enough members wish the same.
    private func wish(
        _ wish: String, _ parties: [Address], _ quorum: Quorum, _ trust: inout Trust
    ) throws -> Bool {
        let members = parties.filter { quorum.weight(of: $0) != nil }
        if members.isEmpty { throw Failed(code: .notParticipant) }
        if members.allSatisfy({ trust.wishes[$0] == wish }) {
            throw Failed(code: .alreadyDecided)
        }
        for member in members { trust.wishes[member] = wish }
        let weight = quorum.members.filter { trust.wishes[$0.address] == wish }
            .reduce(0) { $0 + Int($1.weight) }
        return weight >= Int(quorum.threshold)
    }
}

extension Operation {
    fileprivate var isForAdmins: Bool {
        switch self {
        case .setPolicy, .setSafeguards: true
        default: false
        }
    }

    /// Two of a bond, one for each key of a new policy, one for each 128 bytes of evidence that
    /// were begun.
    fileprivate var proofs: Int {
        switch self {
        case .bond: 2
        case .setPolicy(let policy): policy.signers.count
        case .proposeRecovery(let proposal): proposal.policy.signers.count
        case .reportEvidence(let bytes): (bytes.count + 127) / 128
        default: 0
        }
    }
}
