internal import Primitives

/// An account's policy as a file, so that the account can be paid and used before its first
/// transaction reveals the policy to the network.
///
/// JSON: `format` (`offpeak-policy-1`), `address` (`acc` text, whose prefix names the network),
/// `signers` (`publicKey` as `pub` text, `weight`), `spend`, `admin`.
struct PolicyFile: Hashable, Sendable {
    static let format = "offpeak-policy-1"
    /// Bytes: 32 signers and room to spare.
    static let bytesMax = 16 * 1024

    let policy: Policy
    let prefix: NetworkPrefix

    init(policy: Policy, prefix: NetworkPrefix) {
        self.policy = policy
        self.prefix = prefix
    }

    static func read(_ path: String) throws(CommandFault) -> PolicyFile {
        try PolicyFile(bytes: try TextFile.read(path, maximum: bytesMax), file: path)
    }

    /// - Throws: `CommandFault` for anything that `text` doesn't write, also if the address isn't
    ///   that of the policy.
    init(bytes: [UInt8], file: String) throws(CommandFault) {
        let fields = try JSONFields(
            bytes: bytes, file: file, known: ["format", "address", "signers", "spend", "admin"])
        let format = try fields.text("format")
        guard format == PolicyFile.format else {
            throw CommandFault(
                "\(file): format \"\(format)\", \"\(PolicyFile.format)\" is wanted")
        }
        let address = try fields.text("address")
        guard let prefix = IDText.prefix(of: address) else {
            throw CommandFault("\(file): address: \"\(address)\" isn't an address")
        }
        self.prefix = prefix
        policy = try PolicyFile.policy(fields, prefix)
        let wanted: Address = try IDText.parse(address, in: prefix)
        guard policy.address == wanted else {
            throw CommandFault(
                """
                \(file): altered: the policy opens \(policy.address.text(in: prefix)), not \
                \(address)
                """)
        }
    }

    private static func policy(
        _ fields: JSONFields, _ prefix: NetworkPrefix
    ) throws(CommandFault) -> Policy {
        var signers: [Policy.Signer] = []
        let list = try fields.list("signers", maximum: TransactionLimits.policySignersMax)
        for (index, element) in list.enumerated() {
            let signer = try JSONFields(
                element, place: "\(fields.place): signers[\(index)]",
                known: ["publicKey", "weight"])
            signers.append(
                Policy.Signer(
                    publicKey: try IDText.parse(try signer.text("publicKey"), in: prefix),
                    weight: try signer.number("weight")))
        }
        let spend: UInt32 = try fields.number("spend")
        let admin: UInt32 = try fields.number("admin")
        do throws(Policy.Fault) {
            return try Policy(signers: signers, spend: spend, admin: admin)
        } catch {
            throw CommandFault("\(fields.place): \(error.text(in: prefix))")
        }
    }

    /// What the file holds.
    var content: Content {
        Content(
            format: PolicyFile.format, address: policy.address.text(in: prefix),
            signers: policy.signers.map {
                Content.Signer(publicKey: $0.publicKey.text(in: prefix), weight: $0.weight)
            },
            spend: policy.spend, admin: policy.admin)
    }

    /// The file's text.
    var text: String { OutputFormat.json(content) + "\n" }

    /// The file's members.
    struct Content: Encodable, Sendable {
        struct Signer: Encodable, Sendable {
            let publicKey: String
            let weight: UInt16
        }

        let format: String
        let address: String
        let signers: [Signer]
        let spend: UInt32
        let admin: UInt32
    }
}

extension Policy.Fault {
    /// The fault with keys as people write them.
    func text(in prefix: NetworkPrefix) -> String {
        switch self {
        case .zeroWeight(let key):
            "signer \(key.text(in: prefix)) has weight 0, at least 1 is needed"
        case .duplicateSigner(let key):
            "signer \(key.text(in: prefix)) is named twice; name it once with its whole weight"
        default: description
        }
    }
}
