internal import Primitives
internal import RPC

/// A transaction on its way to enough signatures: several people sign one file, in any order and
/// on machines without a network.
///
/// JSON: `format` (`offpeak-transaction-1`), `id` (hexadecimal: what is signed), `prefix` (the
/// network's), `transaction` and `policies` (hexadecimal digits of canonical bytes) and
/// `authorizations` (`publicKey` and `signature` as hexadecimal digits, sorted by key). Policies
/// stand in the order of their accounts: the sender's, then the cosigners'.
struct TransactionFile: Hashable, Sendable {
    static let format = "offpeak-transaction-1"
    /// Bytes: twice the largest signed transaction in hexadecimal digits, and room to spare.
    static let bytesMax = 4 * TransactionLimits.bytesMax

    let transaction: Transaction
    let prefix: NetworkPrefix
    /// Of accounts that haven't revealed theirs.
    let policies: [Policy]
    /// Sorted by key, each with a valid signature.
    let authorizations: [Authorization]

    /// A file without signatures.
    /// - Throws: `CommandFault` for a policy of none of the transaction's accounts.
    init(
        transaction: Transaction, prefix: NetworkPrefix, policies: [Policy]
    ) throws(CommandFault) {
        try self.init(transaction, prefix, policies, [], place: "this transaction")
    }

    private init(
        _ transaction: Transaction, _ prefix: NetworkPrefix, _ policies: [Policy],
        _ authorizations: [Authorization], place: String
    ) throws(CommandFault) {
        self.transaction = transaction
        self.prefix = prefix
        self.policies = try TransactionFile.sorted(policies, transaction, prefix, place)
        self.authorizations = try TransactionFile.checked(
            authorizations, transaction, prefix, place)
    }

    /// All accounts that it speaks for, the sender first.
    var accounts: [Address] { [transaction.sender] + transaction.cosigners }

    /// The policy that the file reveals for an account.
    func policy(of account: Address) -> Policy? { policies.first { $0.address == account } }

    /// The same with a signature by each of `signers`.
    func signed(by signers: [any Signing]) throws(CommandFault) -> TransactionFile {
        let digest = transaction.id.digest
        let added = signers.map {
            Authorization(publicKey: $0.publicKey, signature: $0.signature(over: digest))
        }
        return try TransactionFile(
            transaction, prefix, policies, authorizations + added, place: "this transaction")
    }

    /// The same with what another file of the same transaction has.
    /// - Throws: `CommandFault` for a file of another transaction.
    func merged(
        with other: TransactionFile, named name: String
    ) throws(CommandFault) -> TransactionFile {
        guard transaction == other.transaction else {
            throw CommandFault(
                """
                \(name) holds another transaction (\(other.transaction.id.text(in: other.prefix))) \
                than the files before it (\(transaction.id.text(in: prefix)))
                """)
        }
        return try TransactionFile(
            transaction, prefix, policies + other.policies,
            authorizations + other.authorizations, place: name)
    }

    /// What goes to a node.
    /// - Throws: `CommandFault` for a file without a signature, or one above the limits.
    func signedTransaction() throws(CommandFault) -> SignedTransaction {
        guard !authorizations.isEmpty else {
            throw CommandFault(
                "the transaction has no signature; `offpeak tx sign FILE --key KEY` adds one")
        }
        let signed = SignedTransaction(
            transaction: transaction, policies: policies, authorizations: authorizations)
        guard signed.byteCount <= TransactionLimits.bytesMax else {
            throw CommandFault(
                """
                the signed transaction has \(signed.byteCount) bytes, at most \
                \(TransactionLimits.bytesMax) are allowed
                """)
        }
        return signed
    }
}

// Checks.
extension TransactionFile {
    /// In the order of the accounts, each once.
    private static func sorted(
        _ policies: [Policy], _ transaction: Transaction, _ prefix: NetworkPrefix, _ place: String
    ) throws(CommandFault) -> [Policy] {
        let accounts = [transaction.sender] + transaction.cosigners
        for policy in policies where !accounts.contains(policy.address) {
            throw CommandFault(
                """
                \(place): the policy of \(policy.address.text(in: prefix)) is of none of the \
                transaction's accounts: \
                \(accounts.map { $0.text(in: prefix) }.joined(separator: ", "))
                """)
        }
        return accounts.compactMap { account in policies.first { $0.address == account } }
    }

    /// Sorted by key, each key once, each signature valid.
    private static func checked(
        _ authorizations: [Authorization], _ transaction: Transaction, _ prefix: NetworkPrefix,
        _ place: String
    ) throws(CommandFault) -> [Authorization] {
        let digest = transaction.id.digest
        var byKey: [PublicKey: Authorization] = [:]
        for authorization in authorizations {
            let claim = SignatureClaim(
                publicKey: authorization.publicKey, digest: digest,
                signature: authorization.signature)
            guard claim.isValid else {
                throw CommandFault(
                    """
                    \(place): the signature by \(authorization.publicKey.text(in: prefix)) isn't \
                    of this transaction: one of them was altered
                    """)
            }
            // A key may have several valid signatures; the order of files must not matter.
            if let other = byKey[authorization.publicKey],
                other.bcsBytes.lexicographicallyPrecedes(authorization.bcsBytes)
            {
                continue
            }
            byKey[authorization.publicKey] = authorization
        }
        guard byKey.count <= TransactionLimits.authorizationsMax else {
            throw CommandFault(
                """
                \(place): \(byKey.count) signatures, at most \
                \(TransactionLimits.authorizationsMax) are allowed
                """)
        }
        return byKey.values.sorted { $0.publicKey < $1.publicKey }
    }
}

// The file.
extension TransactionFile {
    static func read(_ path: String) throws(CommandFault) -> TransactionFile {
        try TransactionFile(bytes: try TextFile.read(path, maximum: bytesMax), file: path)
    }

    /// - Throws: `CommandFault` for anything that `text` doesn't write, and for every alteration.
    init(bytes: [UInt8], file: String) throws(CommandFault) {
        let fields = try JSONFields(
            bytes: bytes, file: file,
            known: ["format", "id", "prefix", "transaction", "policies", "authorizations"])
        let format = try fields.text("format")
        guard format == TransactionFile.format else {
            throw CommandFault(
                "\(file): format \"\(format)\", \"\(TransactionFile.format)\" is wanted")
        }
        let transaction: Transaction = try fields.decoded("transaction")
        let id = try fields.text("id")
        guard id == transaction.id.description else {
            throw CommandFault(
                """
                \(file): altered: the transaction's id is \(transaction.id), the file says \(id); \
                ask for the file again and sign nothing
                """)
        }
        try self.init(
            transaction, try TransactionFile.prefix(fields), try TransactionFile.policies(fields),
            try TransactionFile.authorizations(fields), place: file)
    }

    private static func prefix(_ fields: JSONFields) throws(CommandFault) -> NetworkPrefix {
        let text = try fields.text("prefix")
        do throws(NetworkPrefix.Fault) {
            return try NetworkPrefix(text)
        } catch {
            throw CommandFault("\(fields.place): prefix: \(error)")
        }
    }

    private static func policies(_ fields: JSONFields) throws(CommandFault) -> [Policy] {
        let list = try fields.list("policies", maximum: TransactionLimits.policiesMax)
        var policies: [Policy] = []
        for (index, element) in list.enumerated() {
            let place = "\(fields.place): policies[\(index)]"
            policies.append(try JSONFields.decode(element.text ?? "?", place))
        }
        return policies
    }

    private static func authorizations(
        _ fields: JSONFields
    ) throws(CommandFault) -> [Authorization] {
        let list = try fields.list(
            "authorizations", maximum: TransactionLimits.authorizationsMax)
        var authorizations: [Authorization] = []
        for (index, element) in list.enumerated() {
            let part = try JSONFields(
                element, place: "\(fields.place): authorizations[\(index)]",
                known: ["publicKey", "signature"])
            authorizations.append(
                Authorization(
                    publicKey: try part.decoded("publicKey"),
                    signature: try part.decoded("signature")))
        }
        return authorizations
    }

    /// What the file holds.
    var content: Content {
        Content(
            format: TransactionFile.format, id: transaction.id.description, prefix: prefix.text,
            transaction: Hex.encode(transaction.bcsBytes),
            policies: policies.map { Hex.encode($0.bcsBytes) },
            authorizations: authorizations.map {
                Content.Part(
                    publicKey: $0.publicKey.description, signature: $0.signature.description)
            })
    }

    /// The file's text: equal for equal values.
    var text: String { OutputFormat.json(content) + "\n" }

    /// The file's members.
    struct Content: Encodable, Sendable {
        struct Part: Encodable, Sendable {
            let publicKey: String
            let signature: String
        }

        let format: String
        let id: String
        let prefix: String
        let transaction: String
        let policies: [String]
        let authorizations: [Part]
    }
}
