internal import Execution
internal import Primitives
internal import RPC

// Limits, guardians and recoveries.
extension LedgerViews {
    /// As they stand at a block's time.
    func safeguards(_ safeguards: Safeguards, at time: Timestamp) -> SafeguardsInfo {
        SafeguardsInfo(
            limits: safeguards.limits.map { limit(of: $0, at: time) },
            guardians: guardians(of: safeguards, at: time),
            recovery: safeguards.recovery(at: time).map(recovery))
    }

    private func limit(of limit: Safeguards.Limit, at time: Timestamp) -> SpendingLimitInfo {
        SpendingLimitInfo(
            asset: asset(limit.terms.asset), amount: limit.terms.amount,
            windowMilliseconds: limit.terms.windowMilliseconds, left: limit.room(at: time),
            windowEnds: limit.spent(at: time) > 0 ? limit.windowEnd : nil)
    }

    private func guardians(of safeguards: Safeguards, at time: Timestamp) -> GuardiansInfo? {
        safeguards.guardians.map { guardians in
            GuardiansInfo(
                quorum: quorum(guardians.quorum), delayMilliseconds: guardians.delayMilliseconds,
                quietUntil: safeguards.quietUntil > time ? safeguards.quietUntil : nil,
                vetoUsed: safeguards.quietUntil > 0 ? true : nil)
        }
    }

    private func recovery(_ recovery: Safeguards.Recovery) -> RecoveryInfo {
        RecoveryInfo(
            policy: policy(recovery.policy), readyAt: recovery.readyAt,
            validUntil: recovery.validUntil)
    }

    /// Nil for an account without guardians.
    func guarded(_ account: Account, _ address: Address, at time: Timestamp) -> GuardedInfo? {
        guard let safeguards = account.safeguards,
            let guardians = guardians(of: safeguards, at: time)
        else { return nil }
        return GuardedInfo(
            account: address.text(in: prefix), guardians: guardians,
            recovery: safeguards.recovery(at: time).map(recovery))
    }
}

extension AnswerText {
    /// The lines of an account's sheet about what protects it.
    static func add(_ safeguards: SafeguardsInfo, to sheet: inout Sheet) {
        sheet.add("limits", list: safeguards.limits.map(limit))
        if let guardians = safeguards.guardians {
            let delay = TimeSpan(milliseconds: guardians.delayMilliseconds)
            sheet.add("guardians", "\(quorum(guardians.quorum)), after \(delay)")
            sheet.add(
                "they wait", optional: guardians.quietUntil.map { "until \(ISOTime.text($0))" })
            if guardians.vetoUsed == true { sheet.add("another veto", "with the admin threshold") }
        }
        guard let recovery = safeguards.recovery else { return }
        sheet.add(
            "recovery",
            list: [
                "pending: anybody can complete it from \(ISOTime.text(recovery.readyAt))"
                    + " to \(ISOTime.text(recovery.validUntil))",
                "by spend \(recovery.policy.spend), admin \(recovery.policy.admin) of "
                    + recovery.policy.signers.map { "\($0.publicKey):\($0.weight)" }
                    .joined(separator: ","),
            ])
    }

    private static func limit(_ limit: SpendingLimitInfo) -> String {
        let window = TimeSpan(milliseconds: limit.windowMilliseconds)
        let text = "\(limit.amount) in \(window), \(limit.left) left"
        let asset = limit.asset == "native" ? "" : ", of asset \(limit.asset)"
        return text + (limit.windowEnds.map { " until \(ISOTime.text($0))" } ?? "") + asset
    }
}
