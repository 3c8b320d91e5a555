internal import Mempool
internal import Primitives

/// What must hold whatever liars do; the first violation is kept.
struct VerificationOracle {
    private(set) var violation: String?
    /// Transactions that executed although nobody signed them.
    private(set) var badExecuted = 0
    /// Liars that evidence names.
    private(set) var offenders: Set<Int> = []
    /// With too many bonds that lie, wrong certificates are what is looked for.
    private let isOver: Bool
    private var executed: Set<ExecutedPlace> = []
    private var seenEvidence: Set<Digest> = []

    private struct ExecutedPlace: Hashable {
        let sender: Address
        let stream: UInt16
        let sequence: SequenceNumber
    }

    init(isOver: Bool) { self.isOver = isOver }

    mutating func fail(_ text: @autoclosure () -> String) {
        if violation == nil { violation = text() }
    }

    mutating func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
        if !condition { fail(text()) }
    }

    /// A certificate that an honest node takes for valid, with what is true of its batch.
    mutating func accepted(_ certificate: BatchCertificate, truth: [UInt32], by node: Int) {
        guard certificate.invalid != truth, !isOver else { return }
        fail(
            "node \(node) takes a certificate that calls \(certificate.invalid) invalid where "
                + "\(truth) are")
    }

    mutating func executed(_ signed: SignedTransaction, isSigned: Bool, skipped: SkipReason?) {
        if !isSigned {
            badExecuted += 1
            if !isOver { fail("transaction \(signed.id) executes and nobody signed it") }
        }
        guard skipped == nil else { return }
        let body = signed.transaction
        let place = ExecutedPlace(
            sender: body.sender, stream: body.stream, sequence: body.sequence)
        expect(executed.insert(place).inserted, "\(body.sender) \(body.sequence) executes twice")
    }

    /// Evidence that an honest node came by or a liar made up; nil findings prove nothing.
    mutating func evidence(
        _ evidence: Evidence, in layout: ShardLayout, offender: (PublicKey) -> Int?,
        isHonest: (Int) -> Bool
    ) {
        guard seenEvidence.insert(Digest.hash(.random, evidence.bcsBytes)).inserted,
            let finding = evidence.finding(in: layout), let node = offender(finding.offender)
        else { return }
        expect(!isHonest(node), "evidence \(evidence.name) against honest node \(node)")
        offenders.insert(node)
    }

    mutating func bounded(_ figures: MempoolFigures, shards: Int, validators: Int, node: Int) {
        let bounds: [(String, Int, Int)] = [
            ("following", figures.following, BatchLimits.followedMax),
            ("pooled", figures.pooled, BatchLimits.poolTransactionsMax),
            ("checkingBatches", figures.checkingBatches, BatchLimits.tasksMax),
            ("appeals", figures.appeals, BatchLimits.watchedMax),
            ("complaints", figures.complaints, shards * validators),
        ]
        for (name, value, most) in bounds {
            expect(value <= most, "node \(node) holds \(value) \(name), at most \(most)")
        }
    }
}
