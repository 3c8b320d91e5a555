/// What a sender wants done: signed as a whole, executed as a whole or not at all.
///
/// Wire: chainID, sender, stream, sequence, validUntil, maxFee, tip, cosigners, memo, operations.
public struct Transaction: Hashable, Sendable, BCSCodable {
    public let chainID: ChainID
    public let sender: Address
    /// Which of the account's independent orders; 0 is the default.
    public let stream: UInt16
    /// The place in the stream: exactly the next one, or the transaction waits.
    public let sequence: SequenceNumber
    /// The last block time at which the transaction may execute.
    public let validUntil: Timestamp
    /// The most that the sender pays, fee and tip together.
    public let maxFee: Amount
    /// Paid on top of the fee.
    public let tip: Amount
    /// Further accounts that the authorizations speak for; sorted, unique, without the sender.
    public let cosigners: [Address]
    /// At most 256 bytes, not interpreted.
    public let memo: [UInt8]
    /// 1...16, carried out in order, all or none.
    public let operations: [Operation]

    public init(
        chainID: ChainID, sender: Address, stream: UInt16 = 0, sequence: SequenceNumber,
        validUntil: Timestamp, maxFee: Amount, tip: Amount = 0, cosigners: [Address] = [],
        memo: [UInt8] = [], operations: [Operation]
    ) {
        self.chainID = chainID
        self.sender = sender
        self.stream = stream
        self.sequence = sequence
        self.validUntil = validUntil
        self.maxFee = maxFee
        self.tip = tip
        self.cosigners = cosigners.sorted()
        self.memo = memo
        self.operations = operations
    }

    /// The hash of the canonical bytes: names the transaction, and is what its signers sign.
    public var id: TransactionID {
        TransactionID(Digest.hash(.transaction, of: self).bytes32)
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(chainID)
        writer.append(sender)
        writer.append(stream)
        writer.append(sequence)
        writer.append(validUntil)
        writer.append(maxFee)
        writer.append(tip)
        writer.append(list: cosigners)
        writer.appendBytes(memo)
        writer.append(list: operations)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        chainID = try reader.read()
        let start = reader.offset
        let sender: Address = try reader.read()
        self.sender = sender
        stream = try reader.readUInt16()
        sequence = try reader.read()
        validUntil = try reader.read()
        maxFee = try reader.read()
        tip = try reader.read()
        cosigners = try reader.readSortedList(
            maximum: TransactionLimits.cosignersMax, elementBytes: 32
        ) { (address: Address) in address }
        guard !cosigners.contains(sender) else {
            throw BCSError(.invalidValue("the sender among the cosigners"), at: start)
        }
        memo = try reader.readBytes(maximum: TransactionLimits.memoBytesMax)
        operations = try reader.readList(
            minimum: 1, maximum: TransactionLimits.operationsMax,
            elementBytes: Operation.bytesMin)
    }
}

/// A key's signature over a transaction's id. Wire: key, signature.
public struct Authorization: Hashable, Sendable, BCSCodable {
    public let publicKey: PublicKey
    public let signature: Signature

    public init(publicKey: PublicKey, signature: Signature) {
        self.publicKey = publicKey
        self.signature = signature
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(publicKey)
        writer.append(signature)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        publicKey = try reader.read()
        signature = try reader.read()
    }
}

/// A transaction with what authorizes it.
///
/// Wire: transaction, policies (those that their accounts haven't revealed yet; 0...9),
/// authorizations (sorted by key, unique; 1...64). At most 32 KiB.
public struct SignedTransaction: Hashable, Sendable {
    public let transaction: Transaction
    public let policies: [Policy]
    public let authorizations: [Authorization]
    /// The transaction's id, computed once.
    public let id: TransactionID
    /// The length of the canonical bytes.
    public let byteCount: Int

    /// A signed transaction of authorizations in any order.
    public init(
        transaction: Transaction, policies: [Policy] = [], authorizations: [Authorization]
    ) {
        self.transaction = transaction
        self.policies = policies
        self.authorizations = authorizations.sorted { $0.publicKey < $1.publicKey }
        id = transaction.id
        var writer = BCSWriter()
        writer.append(transaction)
        writer.append(list: policies)
        writer.append(list: authorizations)
        byteCount = writer.bytes.count
    }

    /// A transaction signed by `signers`.
    public init(
        signing transaction: Transaction, policies: [Policy] = [], by signers: [any Signing]
    ) {
        let digest = transaction.id.digest
        self.init(
            transaction: transaction, policies: policies,
            authorizations: signers.map {
                Authorization(
                    publicKey: $0.publicKey, signature: $0.signature(over: digest))
            })
    }
}

extension SignedTransaction {
    /// Whether it carries signatures by all keys that have signed `other`.
    package func isSigned(likeOrMoreThan other: SignedTransaction) -> Bool {
        other.authorizations.allSatisfy { signed in
            authorizations.contains { $0.publicKey == signed.publicKey }
        }
    }
}

extension SignedTransaction: BCSCodable {
    /// The fewest bytes that a signed transaction takes.
    package static let bytesMin = 200

    public func encode(to writer: inout BCSWriter) {
        writer.append(transaction)
        writer.append(list: policies)
        writer.append(list: authorizations)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        transaction = try reader.read()
        id = TransactionID(Digest.hash(.transaction, reader.slice(from: start)).bytes32)
        policies = try reader.readList(
            maximum: TransactionLimits.policiesMax, elementBytes: 43)
        authorizations = try reader.readSortedList(
            minimum: 1, maximum: TransactionLimits.authorizationsMax, elementBytes: 96
        ) { (authorization: Authorization) in authorization.publicKey }
        byteCount = reader.offset - start
        guard byteCount <= TransactionLimits.bytesMax else {
            throw BCSError(
                .tooLong(count: byteCount, maximum: TransactionLimits.bytesMax), at: start)
        }
    }
}

extension SignedTransaction: SignedValue {
    /// One claim for each authorization.
    public func signatureClaims(in context: Void) -> [SignatureClaim]? {
        authorizations.map {
            SignatureClaim(publicKey: $0.publicKey, digest: id.digest, signature: $0.signature)
        }
    }
}
