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
        /// The command that does it, as a shell reads it. What the inbox doesn't know stands in
        /// capitals, such as `KEY-FILE`.
        let next: String
    }

    private(set) var items: [Item] = []
    /// Of what there is more than the inbox looks at, or what it could make nothing of.
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

// What a node says. Its ids stand in commands: what isn't one is left out.
extension Inbox {
    /// Adds what escrows wait for from an account.
    mutating func add(
        _ escrows: [EscrowInfo], for signer: InboxSigner, in prefix: NetworkPrefix
    ) {
        // More decisions are no record of a ledger's.
        let decisionsMax = 3 * TransactionLimits.quorumMembersMax
        let whole = escrows.filter {
            (try? EscrowID(text: $0.id, in: prefix)) != nil && $0.decisions.count <= decisionsMax
        }
        add(whole.compactMap { Inbox.item($0, for: signer) })
        guard whole.count < escrows.count else { return }
        let count = escrows.count - whole.count
        noteCut("\(signer.address): the node tells of \(count) damaged escrows")
    }

    /// Adds what is pending of accounts that an account guards.
    mutating func add(
        _ guarded: [GuardedInfo], for guardian: InboxSigner, at time: Timestamp,
        in prefix: NetworkPrefix
    ) {
        let whole = guarded.filter { info in
            let names = [info.account] + info.guardians.quorum.members.map(\.address)
            return names.allSatisfy { (try? Address(text: $0, in: prefix)) != nil }
        }
        add(whole.compactMap { Inbox.item($0, for: guardian, at: time) })
        guard whole.count < guarded.count else { return }
        let count = guarded.count - whole.count
        noteCut("\(guardian.address): the node tells damaged addresses of \(count) recoveries")
    }

    /// What an escrow waits for from an account, if anything.
    static func item(_ escrow: EscrowInfo, for signer: InboxSigner) -> Item? {
        let account = signer.address
        guard !escrow.decisions.contains(where: { $0.participant == account }) else { return nil }
        switch escrow.state {
        case .open: return decision(escrow, signer)
        case .disputed: return arbitration(escrow, signer)
        case .closed: return nil
        }
    }

    /// The first choice of others that an account could join, in the round that they made it in.
    private static func decision(_ escrow: EscrowInfo, _ signer: InboxSigner) -> Item? {
        let account = signer.address
        let open = escrow.decisions.first { deciders($0, escrow).weight(of: account) > 0 }
        guard let open else { return nil }
        let quorum = deciders(open, escrow)
        let weight = escrow.decisions.filter {
            $0.direction == open.direction && $0.amount == open.amount
        }.reduce(UInt64(0)) { $0 + UInt64(quorum.weight(of: $1.participant)) }
        let isRefusal =
            open.direction == .refund
            && escrow.isRefused(by: [account], refunding: open.amount)
        let lacksPreimage =
            open.direction == .release && escrow.hashlock != nil && escrow.preimage == nil
        let words =
            ["escrow", "decide", escrow.id, "--\(open.direction.rawValue)", "\(open.amount)"]
            + ["--round", "\(escrow.round)"] + (lacksPreimage ? ["--preimage", "PREIMAGE"] : [])
        return Item(
            kind: .decide, subject: escrow.id, account: account,
            text: "\(open.direction.rawValue) \(open.amount): \(weight) of \(quorum.threshold)"
                + " have decided so"
                + (isRefusal ? "; you are the payee: this gives all back at once" : ""),
            until: escrow.deadline,
            next: signer.command(words, draft: "decision-to-sign.json"))
    }

    private static func deciders(_ decision: DecisionInfo, _ escrow: EscrowInfo) -> QuorumInfo {
        decision.direction == .release ? escrow.release : escrow.refund
    }

    private static func arbitration(_ escrow: EscrowInfo, _ signer: InboxSigner) -> Item? {
        let account = signer.address
        guard let quorum = escrow.arbitration, quorum.weight(of: account) > 0 else { return nil }
        let first = escrow.decisions.first
        let others =
            first.map { "; another arbiter gives \($0.amount) to the payee" } ?? ""
        let share = first.map { "\($0.amount)" } ?? "AMOUNT"
        return Item(
            kind: .arbitrate, subject: escrow.id, account: account,
            text: "disputed, \(escrow.held) to split\(others)",
            until: escrow.arbitrationDeadline ?? escrow.deadline,
            next: signer.command(
                ["escrow", "arbitrate", escrow.id, "--to-payee", share]
                    + ["--round", "\(escrow.round)"], draft: "arbitration-to-sign.json"))
    }

    /// What is pending against an account of the owner's.
    static func item(_ account: AccountInfo, for signer: InboxSigner) -> Item? {
        guard let recovery = account.safeguards?.recovery else { return nil }
        let isSecond = account.safeguards?.guardians?.vetoUsed == true
        let note = isSecond ? "; a second veto takes your admin threshold" : ""
        return Item(
            kind: .veto, subject: signer.address, account: signer.address,
            text: "your guardians replace your policy: \(keys(recovery.policy))\(note)",
            until: recovery.readyAt,
            next: signer.command(
                ["recover", "veto", signer.address], isAdmin: isSecond,
                draft: "veto-to-sign.json"))
    }

    /// What is pending of an account that an account of the owner's guards.
    static func item(
        _ guarded: GuardedInfo, for guardian: InboxSigner, at time: Timestamp
    ) -> Item? {
        guard let recovery = guarded.recovery else { return nil }
        let isReady = recovery.readyAt <= time
        let verb = isReady ? "complete" : "veto"
        let what = isReady ? "can be completed" : "waits until \(ISOTime.text(recovery.readyAt))"
        // Anybody completes a recovery; a veto takes as much as a proposal.
        let others = isReady ? [] : fellows(of: guardian.address, guarded.guardians.quorum)
        return Item(
            kind: .recovery, subject: guarded.account, account: guardian.address,
            text: "its recovery \(what): \(keys(recovery.policy))",
            until: isReady ? recovery.validUntil : recovery.readyAt,
            next: guardian.command(
                ["recover", verb, guarded.account], cosigners: others,
                draft: "\(verb)-to-sign.json"))
    }

    /// The first other members with whom a member reaches the threshold.
    private static func fellows(of member: String, _ quorum: QuorumInfo) -> [String] {
        var weight = UInt64(quorum.weight(of: member))
        var fellows: [String] = []
        for other in quorum.members where other.address != member {
            guard weight < UInt64(quorum.threshold) else { break }
            fellows.append(other.address)
            weight += UInt64(other.weight)
        }
        return fellows
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
    /// - Parameter known: What the node tells of the file's accounts and escrows.
    static func item(
        _ file: TransactionFile, at path: String, keys options: InboxKeys,
        accounts: Set<Address>, known: KnownLedger = KnownLedger(), at time: Timestamp
    ) -> Item? {
        let keys = options.publicKeys
        guard file.transaction.validUntil >= time, !known.isOver(file.transaction) else {
            return nil
        }
        let parts = WeightCheck.parts(of: file, known: known)
        let signed = Set(file.authorizations.map(\.publicKey))
        let open = parts.filter { $0.policy == nil || !$0.isEnough }
        guard isOwn(file, keys, accounts, known) else { return nil }
        let kinds = file.transaction.operations.map { OperationSummary($0, in: file.prefix).kind }
        let what = kinds.joined(separator: ", ")
        let notes = (open.compactMap(\.note) + known.refusals(by: file)).map { "; \($0)" }
        let word = ShellText.path(path)
        guard !open.isEmpty else {
            return Item(
                kind: .submit, subject: path, account: nil,
                text: "\(what): signed by all\(notes.joined())",
                until: file.transaction.validUntil,
                next: ShellText.line(["offpeak", "tx", "submit", word] + options.asking))
        }
        let waits = open.contains { part in
            let mine = keys.filter { part.policy?.weight(of: $0) != nil }
            return mine.isEmpty ? accounts.contains(part.account) : !mine.isSubset(of: signed)
        }
        guard waits else { return nil }
        let missing = options.keys.filter { key in
            !signed.contains(key.publicKey)
                && open.contains { $0.policy?.weight(of: key.publicKey) != nil }
        }
        let weights = open.map { "\($0.weight) of \($0.policy == nil ? "?" : "\($0.needed)")" }
        return Item(
            kind: .sign, subject: path, account: nil,
            text: "\(what): weight \(weights.joined(separator: ", "))\(notes.joined())",
            until: file.transaction.validUntil,
            next: ShellText.line(
                ["offpeak", "tx", "sign", word] + options.signing(missing.map(\.path))))
    }

    /// Whether somebody with these keys and accounts may sign a transaction, or has signed it.
    static func isOwn(
        _ file: TransactionFile, _ keys: Set<PublicKey>, _ accounts: Set<Address>,
        _ known: KnownLedger
    ) -> Bool {
        WeightCheck.parts(of: file, known: known).contains { isPart($0, of: keys, accounts) }
            || file.authorizations.contains { keys.contains($0.publicKey) }
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
                    "\(place + 1)", item.kind.rawValue, item.subject.visible,
                    item.until.map(ISOTime.text) ?? "",
                ]
            })
        var lines = [table.text(palette, empty: "(nothing waits for you)")]
        for (place, item) in items.enumerated() {
            lines += ["", "\(place + 1): \(item.text.visible)"]
            lines.append("   " + palette.paint(item.next.visible, .bold))
        }
        for what in cut { lines += ["", "not all of it: \(what.visible)"] }
        return lines.joined(separator: "\n")
    }
}
