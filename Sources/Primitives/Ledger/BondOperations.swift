/// Moves native asset of the sender to the bond of a verifier.
///
/// The first one makes the verifier: the sender owns it from then on, and receives its rewards.
/// Only the owner can add to it; a later one may name another node.
///
/// Both signatures are over `digest(chainID:sender:)`: without them somebody could bond a key that
/// isn't his, or take another node's place in the verifier set by naming its peer id with a higher
/// bond.
///
/// Wire: key, peer id, amount, proof, peer proof.
public struct Bond: Hashable, Sendable, BCSCodable {
    /// The key that signs acks.
    public let key: PublicKey
    /// The node that checks.
    public let peerID: PeerID
    /// Above zero, or the operation fails.
    public let amount: Amount
    /// By `key`.
    public let proof: Signature
    /// By the peer id's key.
    public let peerProof: Signature

    public init(
        key: PublicKey, peerID: PeerID, amount: Amount, proof: Signature, peerProof: Signature
    ) {
        self.key = key
        self.peerID = peerID
        self.amount = amount
        self.proof = proof
        self.peerProof = peerProof
    }

    /// A bond that `sender` makes for the owner of both keys.
    public init(
        amount: Amount, chainID: ChainID, sender: Address, key: any Signing, peerKey: any Signing
    ) {
        let peerID = PeerID(peerKey.publicKey)
        let digest = Bond.digest(
            chainID: chainID, sender: sender, key: key.publicKey, peerID: peerID)
        self.init(
            key: key.publicKey, peerID: peerID, amount: amount,
            proof: key.signature(over: digest), peerProof: peerKey.signature(over: digest))
    }

    /// What both keys sign: `H(bond, chain id ‖ sender ‖ key ‖ peer id)`.
    public static func digest(
        chainID: ChainID, sender: Address, key: PublicKey, peerID: PeerID
    ) -> Digest {
        .hash(.bond, chainID.bytes + sender.bytes + key.bytes + peerID.bytes)
    }

    /// Whether both keys agree that `sender` bonds them. Two signature checks.
    public func isProven(chainID: ChainID, sender: Address) -> Bool {
        let digest = Bond.digest(chainID: chainID, sender: sender, key: key, peerID: peerID)
        let claims = [
            SignatureClaim(publicKey: key, digest: digest, signature: proof),
            SignatureClaim(publicKey: peerID.publicKey, digest: digest, signature: peerProof),
        ]
        return claims.allSatisfy(\.isValid)
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(key)
        writer.append(peerID)
        writer.append(amount)
        writer.append(proof)
        writer.append(peerProof)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        key = try reader.read()
        peerID = try reader.read()
        amount = try reader.read()
        proof = try reader.read()
        peerProof = try reader.read()
    }
}

/// Starts the release of part of a verifier's bond, or of all of it. Until it is withdrawn it can
/// still be slashed.
///
/// Wire: key, amount.
public struct Unbond: Hashable, Sendable, BCSCodable {
    public let key: PublicKey
    /// Above zero, at most what is bonded; the rest is 0 or at least the minimum bond.
    public let amount: Amount

    public init(key: PublicKey, amount: Amount) {
        self.key = key
        self.amount = amount
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(key)
        writer.append(amount)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        key = try reader.read()
        amount = try reader.read()
    }
}

extension Operation {
    /// Bytes of evidence that the fee counts as one signature: whoever judges it checks fewer.
    public static let evidenceBytesPerSignature = 128

    /// The signatures within the operation, which the fee counts like those of the transaction, and
    /// the keys of a new policy: to find out whether somebody can sign by a key takes about as long
    /// as the check of a signature.
    public var signatureCount: Int {
        switch self {
        case .bond: 2
        case .setPolicy(let policy): policy.signers.count
        case .proposeRecovery(let proposal): proposal.policy.signers.count
        case .reportEvidence(let evidence):
            (evidence.count + Operation.evidenceBytesPerSignature - 1)
                / Operation.evidenceBytesPerSignature
        default: 0
        }
    }
}

extension SignedTransaction {
    /// The signatures that the fee counts: the authorizations, and what `signatureCount` says of
    /// each operation.
    public var chargedSignatures: Int {
        transaction.operations.reduce(authorizations.count) { $0 + $1.signatureCount }
    }
}
