internal import Mempool
internal import Primitives

/// Carries out checking jobs by the real rules, and remembers each signature's verdict, so that the
/// ten nodes of a run don't pay ten times for the same curve arithmetic.
///
/// What is real: every claim's first check (Ed25519), the claims that a value makes, the thresholds
/// and owners of certificates, the proofs of chunks. What is saved: the same claim again.
struct CheckRunner {
    private var proven: ProvenClaims
    private var right: Set<SignatureClaim> = []
    private var wrong: Set<SignatureClaim> = []
    /// Jobs that were also run whole, and whose results were compared.
    private(set) var compared = 0
    private(set) var differing = 0
    private var jobs: UInt64 = 0

    /// Jobs of which one is run whole too.
    private static let comparedEvery: UInt64 = 32

    init(_ traffic: Traffic) { proven = traffic.proven }

    mutating func check<Value: SignedValue>(
        _ value: Value, in context: Value.Context
    ) -> Verified<Value>? {
        guard let claims = value.signatureClaims(in: context), wrong.isDisjoint(with: claims)
        else { return nil }
        if let verified = Verified.check(value, in: context, given: proven) {
            proven.insert(verified, in: context)
            return verified
        }
        for claim in claims where !claim.isValid { wrong.insert(claim) }
        return nil
    }

    private mutating func holds(_ claim: SignatureClaim?) -> Bool {
        guard let claim, !wrong.contains(claim) else { return false }
        if right.contains(claim) { return true }
        if claim.isValid { right.insert(claim) } else { wrong.insert(claim) }
        return right.contains(claim)
    }

    mutating func run(_ job: CheckJob, in layout: ShardLayout) -> CheckResult {
        let result: CheckResult
        switch job {
        case .transactions(let transactions):
            result = .transactions(transactions.map { check($0, in: ()) })
        case .work(let work): result = run(work, in: layout)
        case .acks(let acks): result = .acks(acks.map { check($0, in: layout) })
        case .certificate(let certificate):
            result = .certificate(check(certificate, in: layout))
        case .complaint(let complaint): result = .complaint(check(complaint, in: layout))
        }
        compare(result, with: job, in: layout)
        return result
    }

    private mutating func run(_ work: SignatureWork, in layout: ShardLayout) -> CheckResult {
        guard !work.checksHeader || holds(work.header.claim(in: layout)),
            work.piece?.isProven(by: work.header) ?? true
        else { return .work(isGenuine: false, invalid: []) }
        var invalid: [UInt32] = []
        for (place, transaction) in work.transactions.enumerated()
        where check(transaction, in: ()) == nil {
            invalid.append(work.firstIndex + UInt32(place))
        }
        return .work(isGenuine: true, invalid: invalid)
    }

    private mutating func compare(
        _ result: CheckResult, with job: CheckJob, in layout: ShardLayout
    ) {
        jobs += 1
        guard jobs.isMultiple(of: CheckRunner.comparedEvery), job.signatureCount <= 8 else {
            return
        }
        compared += 1
        if CheckRunner.words(job.run(in: layout)) != CheckRunner.words(result) { differing += 1 }
    }

    /// A result as numbers.
    private static func words(_ result: CheckResult) -> [UInt32] {
        switch result {
        case .transactions(let found): found.map { $0 == nil ? 0 : 1 }
        case .work(let isGenuine, let invalid): [isGenuine ? 1 : 0] + invalid
        case .acks(let found): found.map { $0 == nil ? 0 : 1 }
        case .certificate(let found): [found == nil ? 0 : 1]
        case .complaint(let found): [found == nil ? 0 : 1]
        case .declined: []
        }
    }
}
