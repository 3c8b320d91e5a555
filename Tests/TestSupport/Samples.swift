public import Primitives

/// Key pairs that every run has: the one of the seed of 32 bytes `number`.
public func testKey(_ number: UInt8) -> SecretKey {
    SecretKey(seed: SecureBytes(copying: [UInt8](repeating: number, count: 32)))
}

/// The identifier of 32 bytes `byte`.
public func filled<Value: Identifier32>(_ byte: UInt8, as type: Value.Type = Value.self) -> Value {
    Value(bytes: [UInt8](repeating: byte, count: 32)) ?? .zero
}

extension SeededGenerator {
    /// `count` bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    /// An identifier of 32 bytes.
    public mutating func identifier<Value: Identifier32>(_ type: Value.Type = Value.self) -> Value {
        Value(bytes: bytes(32)) ?? .zero
    }

    /// A number with as many bits as chance gives, so that small and large ones are as frequent.
    public mutating func number<Value: Number64>(_ type: Value.Type = Value.self) -> Value {
        Value(next() >> UInt64.random(in: 0...63, using: &self))
    }

    /// One of the operations, valid in form.
    public mutating func operation() -> Operation {
        switch Int.random(in: 0...26, using: &self) {
        case 0:
            .transfer(Transfer(to: identifier(), asset: identifier(), amount: number()))
        case 1: .setPolicy(policy())
        case 2: .escrowCreate(escrowTerms())
        case 3: .escrowTopUp(EscrowTopUp(escrow: identifier(), amount: number()))
        case 4: .escrowDecide(escrowDecision())
        case 5: .escrowDispute(identifier())
        case 6:
            .escrowArbitrate(
                EscrowArbitration(
                    escrow: identifier(), round: next(), toPayee: number(), toPayer: number()))
        case 7:
            .bond(
                Bond(
                    key: identifier(), peerID: identifier(), amount: number(), proof: signature(),
                    peerProof: signature()))
        case 8: .unbond(Unbond(key: identifier(), amount: number()))
        case 9: .withdraw(identifier())
        case 10: .setSafeguards(safeguardTerms())
        case 11: .proposeRecovery(RecoveryProposal(account: identifier(), policy: policy()))
        case 12: .vetoRecovery(identifier())
        case 13: .completeRecovery(identifier())
        case 14: .escrowWithdrawDecision(EscrowWithdrawal(escrow: identifier(), round: next()))
        case 15: .closeStream(UInt16.random(in: 0...UInt16.max, using: &self))
        case 16: assetTerms().map { .issueAsset($0) } ?? .retireAsset(identifier())
        case 17: .mint(Mint(asset: identifier(), to: identifier(), amount: number()))
        case 18: .redeem(Redemption(asset: identifier(), amount: number()))
        case 19: .retireAsset(identifier())
        case 20:
            .freeze(
                Freeze(
                    asset: identifier(), holder: identifier(),
                    isFrozen: Bool.random(using: &self)))
        case 21: .clawback(Clawback(asset: identifier(), holder: identifier(), amount: number()))
        case 22: parameterChanges().map { .proposeParameters($0) } ?? .retireAsset(identifier())
        case 23:
            .voteParameters(
                ParameterVote(
                    proposal: identifier(), key: identifier(),
                    approves: Bool.random(using: &self)))
        case 24: .declareCandidate(identifier())
        case 25: .withdrawCandidacy(identifier())
        default: .reportEvidence(bytes(Int.random(in: 0...300, using: &self)))
        }
    }

    private mutating func assetTerms() -> AssetTerms? {
        let isCapped = Bool.random(using: &self)
        return try? AssetTerms(
            symbol: ["A", "EURX", "ABCDEFGHIJKL"][Int.random(in: 0...2, using: &self)],
            decimals: UInt8.random(in: 0...AssetTerms.decimalsMax, using: &self),
            cap: isCapped ? Amount(UInt64.random(in: 1...UInt64.max, using: &self)) : nil,
            canFreeze: Bool.random(using: &self), canClawBack: Bool.random(using: &self))
    }

    private mutating func parameterChanges() -> ParameterChanges? {
        let wanted = GovernedParameter.allCases.filter { _ in Bool.random(using: &self) }
        return ParameterChanges(wanted.map { ParameterChange($0, next()) })
    }

    private mutating func signature() -> Signature {
        Signature(r: identifier(Digest.self).bytes32, s: identifier(Digest.self).bytes32)
    }

    /// A policy of 1...4 signers.
    public mutating func policy() -> Policy {
        let count = Int.random(in: 1...4, using: &self)
        let signers = (0..<count).map { _ in
            Policy.Signer(publicKey: identifier(), weight: UInt16.random(in: 1...9, using: &self))
        }
        let spend = UInt32.random(in: 1...UInt32(count), using: &self)
        let policy = try? Policy(signers: signers, spend: spend, admin: UInt32(count))
        return policy ?? .single(identifier())
    }

    /// 0...3 limits, and guardians by chance.
    public mutating func safeguardTerms() -> SafeguardTerms {
        let limits = (0..<Int.random(in: 0...3, using: &self)).map { _ in
            SpendingLimit(asset: identifier(), amount: number(), windowMilliseconds: next())
        }
        let quorum = Bool.random(using: &self) ? quorum() : nil
        return SafeguardTerms(
            limits: limits,
            guardians: quorum.map { Guardians(quorum: $0, delayMilliseconds: next()) })
    }

    /// A quorum of 1...3 members; nil only if chance repeats 32 bytes.
    public mutating func quorum() -> Quorum? {
        let count = Int.random(in: 1...3, using: &self)
        let members = (0..<count).map { _ in
            Quorum.Member(address: identifier(), weight: UInt16.random(in: 1...9, using: &self))
        }
        return try? Quorum(members: members, threshold: UInt32(count))
    }

    /// A transaction of 1...3 operations.
    public mutating func transaction() -> Transaction {
        Transaction(
            chainID: identifier(), sender: identifier(),
            stream: UInt16.random(in: 0...9, using: &self), sequence: number(),
            validUntil: number(), maxFee: number(), tip: number(),
            cosigners: (0..<Int.random(in: 0...2, using: &self)).map { _ in identifier() },
            memo: bytes(Int.random(in: 0...20, using: &self)),
            operations: (0..<Int.random(in: 1...3, using: &self)).map { _ in operation() })
    }

    /// A transaction with 0...2 policies and 1...3 authorizations that aren't signatures.
    public mutating func signedTransaction() -> SignedTransaction {
        SignedTransaction(
            transaction: transaction(),
            policies: (0..<Int.random(in: 0...2, using: &self)).map { _ in policy() },
            authorizations: (0..<Int.random(in: 1...3, using: &self)).map { _ in
                Authorization(
                    publicKey: identifier(), signature: signature())
            })
    }

    private mutating func escrowTerms() -> EscrowTerms {
        let isArbitrated = Bool.random(using: &self)
        guard let release = quorum(), let refund = quorum() else { return escrowTerms() }
        return EscrowTerms(
            payee: identifier(), asset: identifier(), amount: number(), release: release,
            refund: refund, arbitration: isArbitrated ? quorum() : nil,
            hashlock: Bool.random(using: &self) ? identifier(Digest.self).bytes32 : nil,
            notBefore: Bool.random(using: &self) ? number() : nil, deadline: number(),
            onDeadline: Bool.random(using: &self) ? .release : .refund,
            arbitrationDeadline: isArbitrated ? number() : nil)
    }

    private mutating func escrowDecision() -> EscrowDecision {
        EscrowDecision(
            escrow: identifier(), round: next(),
            direction: Bool.random(using: &self) ? .release : .refund, amount: number(),
            preimage: Bool.random(using: &self)
                ? bytes(Int.random(in: 0...64, using: &self)) : nil)
    }
}
