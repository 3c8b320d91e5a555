internal import Primitives

/// A transaction as people and programs read it before they sign.
struct TransactionSummary: Encodable, Sendable {
    /// What an account's part of the signatures weighs.
    struct Weight: Encodable, Sendable {
        let account: String
        let weight: UInt32
        /// Absent where the account's policy isn't known.
        let needed: UInt32?
        /// What a veto takes; absent where nothing more than other operations.
        let note: String?
    }

    let id: String
    let chainID: String
    let sender: String
    let stream: UInt16
    let sequence: UInt64
    let validUntil: UInt64
    let maxFee: String
    let tip: String
    let cosigners: [String]
    /// The memo where it is text.
    let memo: String?
    /// The memo where it isn't, in hexadecimal digits.
    let memoBytes: String?
    let operations: [OperationSummary]
    /// Addresses of accounts whose policies come with it.
    let reveals: [String]
    /// Keys that have signed.
    let signedBy: [String]
    let weights: [Weight]
    /// What else is known of what it does; absent if nothing.
    let notes: [String]?

    init(_ file: TransactionFile, known: KnownLedger = KnownLedger()) {
        let transaction = file.transaction
        let prefix = file.prefix
        id = transaction.id.text(in: prefix)
        chainID = transaction.chainID.description
        sender = transaction.sender.text(in: prefix)
        stream = transaction.stream
        sequence = transaction.sequence.rawValue
        validUntil = transaction.validUntil.rawValue
        maxFee = transaction.maxFee.description
        tip = transaction.tip.description
        cosigners = transaction.cosigners.map { $0.text(in: prefix) }
        memo = TransactionSummary.readable(transaction.memo)
        memoBytes = memo == nil ? Hex.encode(transaction.memo) : nil
        operations = transaction.operations.map { OperationSummary($0, in: prefix) }
        reveals = file.policies.map { $0.address.text(in: prefix) }
        signedBy = file.authorizations.map { $0.publicKey.text(in: prefix) }
        weights = WeightCheck.parts(of: file, known: known).map { part in
            Weight(
                account: part.account.text(in: prefix), weight: part.weight,
                needed: part.policy == nil ? nil : part.needed, note: part.note)
        }
        let refusals = known.refusals(by: file)
        notes = refusals.isEmpty ? nil : refusals
    }

    /// Text of printable ASCII; nil for other bytes, which a terminal might take for commands.
    private static func readable(_ memo: [UInt8]) -> String? {
        guard memo.allSatisfy({ 0x20...0x7E ~= $0 }) else { return nil }
        return String(decoding: memo, as: UTF8.self)
    }

    /// The lines for people.
    func text(_ palette: Palette) -> String {
        var sheet = Sheet([
            "transaction": id,
            "chain": chainID,
            "sender": sender,
            "place": "stream \(stream), sequence \(sequence)",
            "valid until": ISOTime.text(Timestamp(validUntil)),
            "fee at most": tip == "0" ? maxFee : "\(maxFee), tip \(tip)",
        ])
        sheet.add("cosigners", list: cosigners)
        if let memo, !memo.isEmpty { sheet.add("memo", memo) }
        sheet.add("memo", optional: memoBytes.map { "0x\($0)" })
        for (place, operation) in operations.enumerated() {
            sheet.add("operation \(place)", list: operation.lines)
        }
        sheet.add("reveals policy", list: reveals)
        sheet.add("signed by", list: signedBy.isEmpty ? ["nobody yet"] : signedBy)
        sheet.add("weight", list: weights.map { weightText($0, palette) })
        sheet.add("note", list: notes ?? [])
        return sheet.text(palette)
    }

    private func weightText(_ part: Weight, _ palette: Palette) -> String {
        let note = part.note.map { "; \($0)" } ?? ""
        guard let needed = part.needed else {
            return "unknown: the policy of \(part.account) isn't in the file\(note)"
        }
        let text = "\(part.weight) of \(needed) for \(part.account)\(note)"
        return palette.paint(text, part.weight >= needed ? .green : .yellow)
    }
}

/// An operation as people and programs read it.
struct OperationSummary: Encodable, Sendable {
    let kind: String
    /// One line for each thing to know.
    let lines: [String]
    private let values: [String: String]

    private enum CodingKeys: CodingKey {
        case kind
        case values
    }

    init(_ operation: Operation, in prefix: NetworkPrefix) {
        let (kind, values) = OperationSummary.parts(operation, prefix)
        self.kind = kind
        self.values = Dictionary(values) { first, _ in first }
        let shown = values.map { name, value in
            name.hasSuffix("eadline") || name == "notBefore"
                ? "\(name) \(OperationSummary.timeText(value))" : "\(name) \(value)"
        }
        lines = [kind] + shown.map { "  " + $0 } + OperationSummary.remarks(operation)
    }

    /// For people, what an operation does beyond what its values say.
    private static func remarks(_ operation: Operation) -> [String] {
        guard case .escrowDecide(let decision) = operation, decision.direction == .refund,
            decision.preimage == nil
        else { return [] }
        return decision.amount == Amount(.max)
            ? ["  (as the payee: gives all back at once, whatever the quorum)"]
            : ["  (gives all back at once if the payee, not the payer, signs and no more is held)"]
    }

    private static func timeText(_ value: String) -> String {
        UInt64(value).map { ISOTime.text(Timestamp($0)) } ?? value
    }

    private static func parts(
        _ operation: Operation, _ prefix: NetworkPrefix
    ) -> (String, [(String, String)]) {
        switch operation {
        case .transfer(let transfer):
            let values = [("to", transfer.to.text(in: prefix)), ("amount", "\(transfer.amount)")]
            return ("transfer", values + asset(transfer.asset, prefix))
        case .setPolicy(let policy): return ("setPolicy", policyParts(policy, prefix))
        case .escrowCreate(let terms): return ("escrowCreate", termsParts(terms, prefix))
        case .escrowTopUp(let topUp):
            return (
                "escrowTopUp",
                [("escrow", topUp.escrow.text(in: prefix)), ("amount", "\(topUp.amount)")]
            )
        case .escrowDecide(let decision): return ("escrowDecide", decisionParts(decision, prefix))
        case .escrowDispute(let id):
            return ("escrowDispute", [("escrow", id.text(in: prefix))])
        case .escrowArbitrate(let split):
            return (
                "escrowArbitrate",
                [
                    ("escrow", split.escrow.text(in: prefix)), ("round", "\(split.round)"),
                    ("toPayee", "\(split.toPayee)"), ("toPayer", "\(split.toPayer)"),
                ]
            )
        case .bond(let bond):
            return (
                "bond",
                [
                    ("verifier", bond.key.text(in: prefix)), ("peer", bond.peerID.text(in: prefix)),
                    ("amount", "\(bond.amount)"),
                ]
            )
        case .unbond(let unbond):
            return (
                "unbond",
                [("verifier", unbond.key.text(in: prefix)), ("amount", "\(unbond.amount)")]
            )
        case .withdraw(let key): return ("withdraw", [("verifier", key.text(in: prefix))])
        case .reportEvidence(let evidence):
            return ("reportEvidence", [("evidence", Hex.encode(evidence))])
        case .issueAsset(let terms): return ("issueAsset", assetParts(terms))
        case .mint(let mint):
            return (
                "mint",
                [
                    ("asset", mint.asset.text(in: prefix)), ("to", mint.to.text(in: prefix)),
                    ("amount", "\(mint.amount)"),
                ]
            )
        case .redeem(let redemption):
            return (
                "redeem",
                [
                    ("asset", redemption.asset.text(in: prefix)),
                    ("amount", "\(redemption.amount)"),
                ]
            )
        case .retireAsset(let asset): return ("retireAsset", [("asset", asset.text(in: prefix))])
        case .freeze(let freeze):
            return (
                freeze.isFrozen ? "freeze" : "unfreeze",
                [
                    ("asset", freeze.asset.text(in: prefix)),
                    ("holder", freeze.holder.text(in: prefix)),
                ]
            )
        case .clawback(let clawback):
            return (
                "clawback",
                [
                    ("asset", clawback.asset.text(in: prefix)),
                    ("holder", clawback.holder.text(in: prefix)),
                    ("amount", "\(clawback.amount)"),
                ]
            )
        case .proposeParameters(let changes):
            let values = changes.changes.map { ($0.parameter.name, "\($0.value)") }
            return ("proposeParameters", values)
        case .voteParameters(let vote):
            return (
                "voteParameters",
                [
                    ("proposal", vote.proposal.text(in: prefix)),
                    ("validator", vote.key.text(in: prefix)),
                    ("vote", vote.approves ? "yes" : "no"),
                ]
            )
        case .setSafeguards(let terms):
            return ("setSafeguards", safeguardParts(terms, prefix))
        case .proposeRecovery(let proposal):
            return (
                "proposeRecovery",
                [("account", proposal.account.text(in: prefix))]
                    + policyParts(proposal.policy, prefix)
            )
        case .vetoRecovery(let account):
            return ("vetoRecovery", [("account", account.text(in: prefix))])
        case .completeRecovery(let account):
            return ("completeRecovery", [("account", account.text(in: prefix))])
        case .escrowWithdrawDecision(let withdrawal):
            return (
                "escrowWithdrawDecision",
                [
                    ("escrow", withdrawal.escrow.text(in: prefix)),
                    ("round", "\(withdrawal.round)"),
                ]
            )
        case .closeStream(let number): return ("closeStream", [("stream", "\(number)")])
        case .declareCandidate(let key):
            return ("declareCandidate", [("verifier", key.text(in: prefix))])
        case .withdrawCandidacy(let key):
            return ("withdrawCandidacy", [("verifier", key.text(in: prefix))])
        }
    }

    /// Nothing for the native asset.
    private static func asset(
        _ asset: AssetID, _ prefix: NetworkPrefix
    ) -> [(String, String)] {
        asset == .native ? [] : [("asset", asset.text(in: prefix))]
    }

    private static func assetParts(_ terms: AssetTerms) -> [(String, String)] {
        [
            ("symbol", terms.symbol), ("decimals", "\(terms.decimals)"),
            ("cap", terms.cap.map { "\($0)" } ?? "none"),
            ("issuer may freeze", terms.canFreeze ? "yes" : "no"),
            ("issuer may claw back", terms.canClawBack ? "yes" : "no"),
        ]
    }

    private static func policyParts(
        _ policy: Policy, _ prefix: NetworkPrefix
    ) -> [(String, String)] {
        let signers = policy.signers.map { "\($0.publicKey.text(in: prefix)):\($0.weight)" }
        return [
            ("signers", signers.joined(separator: ",")), ("spend", "\(policy.spend)"),
            ("admin", "\(policy.admin)"),
        ]
    }

    private static func termsParts(
        _ terms: EscrowTerms, _ prefix: NetworkPrefix
    ) -> [(String, String)] {
        var parts = [("payee", terms.payee.text(in: prefix)), ("amount", "\(terms.amount)")]
        parts += asset(terms.asset, prefix)
        parts += [
            ("release", terms.release.text(in: prefix)),
            ("refund", terms.refund.text(in: prefix)),
        ]
        if let arbitration = terms.arbitration {
            parts.append(("arbitration", arbitration.text(in: prefix)))
        }
        if let hashlock = terms.hashlock { parts.append(("hashlock", "\(hashlock)")) }
        if let notBefore = terms.notBefore { parts.append(("notBefore", "\(notBefore)")) }
        parts += [("deadline", "\(terms.deadline)"), ("onDeadline", "\(terms.onDeadline)")]
        if let deadline = terms.arbitrationDeadline {
            parts.append(("arbitrationDeadline", "\(deadline)"))
        }
        return parts
    }

    private static func decisionParts(
        _ decision: EscrowDecision, _ prefix: NetworkPrefix
    ) -> [(String, String)] {
        let isAll = decision.amount == Amount(.max)
        var parts = [
            ("escrow", decision.escrow.text(in: prefix)), ("round", "\(decision.round)"),
            ("decision", "\(decision.direction)"),
            ("amount", isAll ? "all" : "\(decision.amount)"),
        ]
        if let preimage = decision.preimage { parts.append(("preimage", Hex.encode(preimage))) }
        return parts
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(values, forKey: .values)
    }
}

extension Quorum {
    /// As `QuorumText` reads it.
    func text(in prefix: NetworkPrefix) -> String {
        let names = members.map { "\($0.address.text(in: prefix)):\($0.weight)" }
        return names.joined(separator: ",") + "@\(threshold)"
    }
}
