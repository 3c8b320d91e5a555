/// A value whose signatures hold. Only this module can make one, so that nothing unchecked is
/// executed or counted by mistake.
public struct Verified<Value: Sendable>: Sendable {
    public let value: Value

    private init(checked value: Value) { self.value = value }
}

/// A value that carries signatures. `Context` is what is needed to know by whom they must be:
/// a committee for votes, nothing for transactions.
public protocol SignedValue: Sendable {
    associatedtype Context = Void

    /// Every signature that must hold, or nil if the value can't be right in this context
    /// (a signer outside the committee, too little weight).
    func signatureClaims(in context: Context) -> [SignatureClaim]?
}

extension Verified where Value: SignedValue {
    /// The value with its proof, or nil if a signature or the context is wrong.
    /// O(signatures), about 40 µs each, half of that where they are many.
    public static func check(_ value: Value, in context: Value.Context) -> Verified? {
        guard let claims = value.signatureClaims(in: context) else { return nil }
        return SignatureCheck.allHold(claims) ? Verified(checked: value) : nil
    }

    /// The value with its proof, where the claims in `proven` need no second check.
    public static func check(
        _ value: Value, in context: Value.Context, given proven: ProvenClaims
    ) -> Verified? {
        guard let claims = value.signatureClaims(in: context) else { return nil }
        let unproven = claims.filter { !proven.contains($0) }
        return SignatureCheck.allHold(unproven) ? Verified(checked: value) : nil
    }

    /// What `check` gives for each value, at about half the cost: all signatures of all values are
    /// checked in one batch.
    public static func checkAll(
        _ values: [Value], in context: Value.Context
    ) -> [Verified?] {
        let claimsOfEach = values.map { $0.signatureClaims(in: context) }
        var wrong = SignatureCheck.invalid(among: claimsOfEach.flatMap { $0 ?? [] })[...]
        var end = 0
        return zip(values, claimsOfEach).map { value, claims in
            guard let claims else { return nil }
            end += claims.count
            // Wrong indexes rise: those of the values before are gone.
            let holds = wrong.first.map { $0 >= end } ?? true
            wrong = wrong.drop { $0 < end }
            return holds ? Verified(checked: value) : nil
        }
    }

    /// The value taken as signed without a look: for simulations with made-up signatures.
    @_spi(Simulation) public static func simulated(_ value: Value) -> Verified {
        Verified(checked: value)
    }
}

extension Verified where Value: SignedValue, Value.Context == Void {
    /// The value with its proof, or nil if a signature is wrong.
    public static func check(_ value: Value) -> Verified? { check(value, in: ()) }

    /// What `check` gives for each value, by one batch.
    public static func checkAll(_ values: [Value]) -> [Verified?] { checkAll(values, in: ()) }
}

extension Verified where Value == SignedTransaction {
    /// A transaction whose signatures enough others have checked.
    ///
    /// `verdict` proves that bonds above the validity threshold signed the digest of the batch
    /// that holds the transaction, at an index that they didn't list as invalid.
    public static func attested(
        _ transaction: SignedTransaction, by verdict: Verified<some VerdictProof>
    ) -> Verified {
        Verified(checked: transaction)
    }
}

/// A certificate whose signatures attest that transactions were checked.
public protocol VerdictProof: SignedValue {}

/// Claims that are known to hold: gathered from values that were checked one by one, so that what
/// is put together from them isn't checked again.
public struct ProvenClaims: Sendable {
    private var claims: Set<SignatureClaim> = []

    public init() {}

    func contains(_ claim: SignatureClaim) -> Bool { claims.contains(claim) }

    /// Adds the claims of a checked value.
    public mutating func insert<Value: SignedValue>(
        _ verified: Verified<Value>, in context: Value.Context
    ) {
        claims.formUnion(verified.value.signatureClaims(in: context) ?? [])
    }

    /// Adds a signature that `signer` made itself. Signing is deterministic, so making it once
    /// more (19 µs) proves it.
    public mutating func insert(ownSignatureOver digest: Digest, by signer: any Signing) {
        claims.insert(
            SignatureClaim(
                publicKey: signer.publicKey, digest: digest,
                signature: signer.signature(over: digest)))
    }
}
