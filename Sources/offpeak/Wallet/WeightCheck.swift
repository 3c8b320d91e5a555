internal import Primitives

/// Whether signatures are enough, as far as policies are known.
enum WeightCheck {
    /// What an account's part of the signatures weighs.
    struct Part: Hashable, Sendable {
        let account: Address
        /// Nil where nobody tells the account's policy.
        let policy: Policy?
        let weight: UInt32
        /// What the transaction needs; 0 where the policy isn't known.
        let needed: UInt32
        let veto: Veto

        var isEnough: Bool { weight >= needed }

        /// What is said of a veto that takes more than other operations.
        var note: String? {
            guard policy.map({ $0.admin > $0.spend }) ?? true else { return nil }
            switch veto {
            case .none: return nil
            case .again: return "a second veto takes the admin threshold"
            case .unknown:
                let admin = policy.map { ", \($0.admin)" } ?? ""
                return "a second veto would take the admin threshold\(admin)"
            }
        }
    }

    /// What a transaction's veto for an account of its own takes.
    enum Veto: Hashable, Sendable {
        /// There is none, or the spend threshold is enough.
        case none
        /// The account has used its veto: the admin threshold.
        case again
        /// Nobody tells whether the account has used its veto.
        case unknown
    }

    /// One part for each account of the transaction, the sender first.
    ///
    /// - Parameter known: What a node tells of the accounts.
    static func parts(
        of file: TransactionFile, known: KnownLedger = KnownLedger()
    ) -> [Part] {
        let needsAdmin = file.transaction.operations.contains(where: \.needsAdmin)
        return file.accounts.map { account in
            let veto = veto(of: account, file, known)
            guard let policy = known.accounts[account]?.policy ?? file.policy(of: account) else {
                return Part(account: account, policy: nil, weight: 0, needed: 0, veto: veto)
            }
            let isAdmin =
                needsAdmin && account == file.transaction.sender || veto == .again
            return Part(
                account: account, policy: policy, weight: weight(file.authorizations, policy),
                needed: isAdmin ? policy.admin : policy.spend, veto: veto)
        }
    }

    /// The guardians' own quorum withdraws what it has proposed without the account's consent.
    private static func veto(
        of account: Address, _ file: TransactionFile, _ known: KnownLedger
    ) -> Veto {
        guard file.transaction.operations.contains(.vetoRecovery(account)) else { return .none }
        guard let state = known.accounts[account] else { return .unknown }
        guard let guardians = state.guardiansAfterVeto else { return .none }
        let weight = guardians.members.reduce(UInt64(0)) { sum, member in
            file.accounts.contains(member.address) ? sum + UInt64(member.weight) : sum
        }
        return weight >= UInt64(guardians.threshold) ? .none : .again
    }

    /// - Throws: `CommandFault` for signatures that weigh too little, or that count for nobody.
    static func check(_ file: TransactionFile, _ parts: [Part]) throws(CommandFault) {
        for part in parts where !part.isEnough {
            throw CommandFault(
                """
                the signatures weigh \(part.weight) of the \(part.needed) that \
                \(part.account.text(in: file.prefix)) needs\(reason(part))\(missing(part, file)); \
                `offpeak tx sign` adds signatures
                """)
        }
        guard parts.allSatisfy({ $0.policy != nil }) else { return }
        for authorization in file.authorizations {
            try checkSigner(authorization.publicKey, parts, file.prefix)
        }
    }

    /// - Throws: `CommandFault` for a key that is in none of the policies.
    static func checkSigner(
        _ key: PublicKey, _ parts: [Part], _ prefix: NetworkPrefix
    ) throws(CommandFault) {
        guard parts.allSatisfy({ $0.policy != nil }) else { return }
        guard parts.contains(where: { $0.policy?.weight(of: key) != nil }) else {
            let accounts = parts.map { $0.account.text(in: prefix) }
            throw CommandFault(
                """
                the key \(key.text(in: prefix)) may not sign for \
                \(accounts.joined(separator: " or ")): the network would refuse the transaction
                """)
        }
    }

    private static func weight(_ authorizations: [Authorization], _ policy: Policy) -> UInt32 {
        authorizations.reduce(0) { $0 + UInt32(policy.weight(of: $1.publicKey) ?? 0) }
    }

    private static func reason(_ part: Part) -> String {
        part.note.map { " (\($0))" } ?? ""
    }

    /// The keys that could still sign.
    private static func missing(_ part: Part, _ file: TransactionFile) -> String {
        let signed = Set(file.authorizations.map(\.publicKey))
        let keys = part.policy?.signers.filter { !signed.contains($0.publicKey) } ?? []
        guard !keys.isEmpty else { return "" }
        let names = keys.map { "\($0.publicKey.text(in: file.prefix)) (\($0.weight))" }
        return "; not signed yet: " + names.joined(separator: ", ")
    }
}
