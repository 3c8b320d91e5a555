internal import Primitives

/// What an inbox was told of its owner's keys and node: what the commands that it prints need.
struct InboxKeys: Sendable {
    /// A key and the file that holds it.
    struct Key: Hashable, Sendable {
        let path: String
        let publicKey: PublicKey
    }

    /// Stands in a command for a file that the inbox doesn't know.
    static let placeholder = "KEY-FILE"

    var keys: [Key] = []
    /// Of keystores, if it was named.
    var passphraseFile: String?
    /// If it was named, and not by the environment.
    var node: String?

    var publicKeys: Set<PublicKey> { Set(keys.map(\.publicKey)) }

    /// The options to sign with keys; the placeholder for none.
    func signing(_ paths: [String]) -> [String] {
        guard !paths.isEmpty else { return ["--key", InboxKeys.placeholder] }
        let keys = paths.flatMap { ["--key", ShellText.path($0)] }
        return keys
            + (passphraseFile.map { ["--passphrase-file", ShellText.path($0)] } ?? [])
    }

    /// The options of commands that ask a node.
    var asking: [String] { node.map { ["--node", $0] } ?? [] }
}

/// An account of the inbox's owner, and how he acts for it.
struct InboxSigner: Sendable {
    /// Stands in a command for a policy file, where the network doesn't know the policy.
    static let policyPlaceholder = "POLICY-FILE"

    /// `acc` text.
    let address: String
    private let options: InboxKeys
    /// Nil where neither the network nor a key tells it.
    private let policy: Policy?

    /// - Parameter known: The policy in force, as the node tells.
    init(_ address: String, account: Address, known: Policy?, _ options: InboxKeys) {
        self.address = address
        self.options = options
        policy =
            known
            ?? options.keys.lazy.map { Policy.single($0.publicKey) }
            .first { $0.address == account }
    }

    /// The command that acts as this account. Where it takes others' signatures it writes a file,
    /// for them to sign with `offpeak tx sign`.
    ///
    /// - Parameters:
    ///   - cosigners: Addresses of others who must sign too.
    ///   - isAdmin: Whether it takes the account's admin threshold.
    func command(
        _ words: [String], cosigners: [String] = [], isAdmin: Bool = false, draft: String
    ) -> String {
        let isAlone = cosigners.isEmpty && reaches(isAdmin ? \.admin : \.spend)
        return ShellText.line(
            ["offpeak"] + words + ["--from", address]
                + (policy == nil ? ["--policy", InboxSigner.policyPlaceholder] : [])
                + cosigners.flatMap { ["--cosigner", $0] }
                + options.signing(paths) + options.asking
                + (isAlone ? [] : ["--out", draft]))
    }

    /// Of the keys that may sign for the account.
    private var paths: [String] { counting.map(\.path) }

    private var counting: [InboxKeys.Key] {
        options.keys.filter { policy?.weight(of: $0.publicKey) != nil }
    }

    /// Whether the keys that the command names are enough; one key where it names none.
    private func reaches(_ threshold: KeyPath<Policy, UInt32>) -> Bool {
        guard let policy else { return true }
        guard counting.isEmpty else {
            let weight = Set(counting.map(\.publicKey)).reduce(UInt32(0)) {
                $0 + UInt32(policy.weight(of: $1) ?? 0)
            }
            return weight >= policy[keyPath: threshold]
        }
        return policy.signers.contains { UInt32($0.weight) >= policy[keyPath: threshold] }
    }
}
