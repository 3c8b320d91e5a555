internal import Primitives
internal import RPC

/// What waits for somebody's signature, made of what a node and transaction files say.
struct Inbox: Encodable, Sendable {
    /// One thing to look at, and what to type if it is right.
    struct Item: Encodable, Hashable, Sendable {
        enum Kind: String, Encodable, Sendable {
            /// Others of a quorum have decided about an escrow.
            case decide
            /// A disputed escrow has no decision of its arbiter.
            case arbitrate
            /// The account's own guardians want to replace its policy.
            case veto
            /// The recovery of a guarded account is pending, or can be completed.
            case recovery
            /// A transaction file lacks a signature.
            case sign
            /// A transaction file has all its signatures.
            case submit
        }

        let kind: Kind
        /// An escrow, an account or a file.
        let subject: String
        /// Whose part it is; absent for files.
        let account: String?
        let text: String
        /// After that it is too late.
        let until: Timestamp?
        /// The command that does it.
        let next: String
    }

    private(set) var items: [Item] = []
    /// Things of which there are more than the inbox looks at.
    private(set) var cut: [String] = []

    /// The most urgent first.
    mutating func add(_ added: [Item]) {
        items += added
        items.sort {
            let left = ($0.until ?? Timestamp(.max), $0.kind.rawValue, $0.subject)
            return left < ($1.until ?? Timestamp(.max), $1.kind.rawValue, $1.subject)
        }
    }

    mutating func noteCut(_ what: String) { cut.append(what) }
}

// What a node says.
extension Inbox {
    /// What an escrow waits for from `account`, if anything.
    static func item(_ escrow: EscrowInfo, for account: String) -> Item? {
        guard !escrow.decisions.contains(where: { $0.participant == account }) else { return nil }
        switch escrow.state {
        case .open: return decision(escrow, account)
        case .disputed: return arbitration(escrow, account)
        case .closed: return nil
        }
    }

    /// The first choice of others that `account` could join.
    private static func decision(_ escrow: EscrowInfo, _ account: String) -> Item? {
        let open = escrow.decisions.first { deciders($0, escrow).weight(of: account) > 0 }
        guard let open else { return nil }
        let quorum = deciders(open, escrow)
        let weight = escrow.decisions.filter {
            $0.direction == open.direction && $0.amount == open.amount
        }.reduce(0) { $0 + quorum.weight(of: $1.participant) }
        return Item(
            kind: .decide, subject: escrow.id, account: account,
            text: "\(open.direction.rawValue) \(open.amount): \(weight) of \(quorum.threshold)"
                + " have decided so",
            until: escrow.deadline,
            next: "offpeak escrow decide \(escrow.id) --\(open.direction.rawValue) \(open.amount)")
    }

    private static func deciders(_ decision: DecisionInfo, _ escrow: EscrowInfo) -> QuorumInfo {
        decision.direction == .release ? escrow.release : escrow.refund
    }

    private static func arbitration(_ escrow: EscrowInfo, _ account: String) -> Item? {
        guard let quorum = escrow.arbitration, quorum.weight(of: account) > 0 else { return nil }
        let first = escrow.decisions.first
        let others =
            first.map { "; another arbiter gives \($0.amount) to the payee" } ?? ""
        let share = first.map { "\($0.amount)" } ?? "AMOUNT"
        return Item(
            kind: .arbitrate, subject: escrow.id, account: account,
            text: "disputed, \(escrow.held) to split\(others)",
            until: escrow.arbitrationDeadline ?? escrow.deadline,
            next: "offpeak escrow arbitrate \(escrow.id) --to-payee \(share)")
    }

    /// What is pending against an account.
    static func item(_ account: AccountInfo) -> Item? {
        guard let recovery = account.safeguards?.recovery else { return nil }
        return Item(
            kind: .veto, subject: account.address, account: account.address,
            text: "your guardians replace your policy: \(keys(recovery.policy))",
            until: recovery.readyAt, next: "offpeak recover veto \(account.address)")
    }

    /// What is pending of an account that `guardian` guards.
    static func item(
        _ guarded: GuardedInfo, for guardian: String, at time: Timestamp
    ) -> Item? {
        guard let recovery = guarded.recovery else { return nil }
        let isReady = recovery.readyAt <= time
        let verb = isReady ? "complete" : "veto"
        let what = isReady ? "can be completed" : "waits until \(ISOTime.text(recovery.readyAt))"
        return Item(
            kind: .recovery, subject: guarded.account, account: guardian,
            text: "its recovery \(what): \(keys(recovery.policy))",
            until: isReady ? recovery.validUntil : recovery.readyAt,
            next: "offpeak recover \(verb) \(guarded.account)")
    }

    private static func keys(_ policy: PolicyInfo) -> String {
        let keys = policy.signers.map { "\($0.publicKey):\($0.weight)" }
        return "spend \(policy.spend) of " + keys.joined(separator: ",")
    }
}

// Transaction files.
extension Inbox {
    /// What a transaction file waits for from somebody with these keys and accounts, if anything.
    ///
    /// - Parameter policies: Those in force, as far as they are known.
    static func item(
        _ file: TransactionFile, at path: String, keys: Set<PublicKey>, accounts: Set<Address>,
        policies: [Address: Policy], at time: Timestamp
    ) -> Item? {
        guard file.transaction.validUntil >= time else { return nil }
        let parts = WeightCheck.parts(of: file, policies: policies)
        let signed = Set(file.authorizations.map(\.publicKey))
        let open = parts.filter { $0.policy == nil || !$0.isEnough }
        let isMine = parts.contains { isPart($0, of: keys, accounts) }
        guard isMine || !signed.isDisjoint(with: keys) else { return nil }
        let kinds = file.transaction.operations.map { OperationSummary($0, in: file.prefix).kind }
        let what = kinds.joined(separator: ", ")
        guard !open.isEmpty else {
            return Item(
                kind: .submit, subject: path, account: nil, text: "\(what): signed by all",
                until: file.transaction.validUntil, next: "offpeak tx submit \(path)")
        }
        let waits = open.contains { part in
            let mine = keys.filter { part.policy?.weight(of: $0) != nil }
            return mine.isEmpty ? accounts.contains(part.account) : !mine.isSubset(of: signed)
        }
        guard waits else { return nil }
        let weights = open.map { "\($0.weight) of \($0.policy == nil ? "?" : "\($0.needed)")" }
        return Item(
            kind: .sign, subject: path, account: nil,
            text: "\(what): weight \(weights.joined(separator: ", "))",
            until: file.transaction.validUntil, next: "offpeak tx sign \(path) --key KEY")
    }

    private static func isPart(
        _ part: WeightCheck.Part, of keys: Set<PublicKey>, _ accounts: Set<Address>
    ) -> Bool {
        accounts.contains(part.account) || keys.contains { part.policy?.weight(of: $0) != nil }
    }
}

extension QuorumInfo {
    /// 0 for somebody who isn't a member.
    fileprivate func weight(of account: String) -> UInt32 {
        UInt32(members.first { $0.address == account }?.weight ?? 0)
    }
}

extension Inbox {
    /// A table, and beneath it what to type.
    func text(_ palette: Palette) -> String {
        let table = Table(
            [.number("NO"), .text("WHAT"), .text("OF"), .text("UNTIL")],
            items.enumerated().map { place, item in
                [
                    "\(place + 1)", item.kind.rawValue, item.subject,
                    item.until.map(ISOTime.text) ?? "",
                ]
            })
        var lines = [table.text(palette, empty: "(nothing waits for you)")]
        for (place, item) in items.enumerated() {
            lines += ["", "\(place + 1): \(item.text)"]
            lines.append("   " + palette.paint(item.next, .bold))
        }
        for what in cut { lines += ["", "not all of it: \(what)"] }
        return lines.joined(separator: "\n")
    }
}
