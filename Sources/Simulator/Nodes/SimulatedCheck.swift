internal import Consensus
internal import Mempool
internal import NodeCore
@_spi(Simulation) internal import Primitives

/// Carries out a core's checking jobs with made-up signatures: the claims that a value makes, its
/// thresholds, owners and proofs are the real ones, only the curve arithmetic is left out.
enum SimulatedCheck {
    static func run(_ job: NodeCheckJob, in layout: ShardLayout) -> NodeCheckResult {
        switch job {
        case .mempool(let id, let job): .mempool(id, run(job, in: layout))
        case .consensus(let peer, let message, let context):
            .consensus(peer, check(message, in: context))
        case .payload(let block, let payload, let layout):
            .payload(
                block: block,
                CheckedPayload(
                    certificates: payload.certificates.map { check($0, in: layout) },
                    direct: payload.direct.map { check($0, in: ()) },
                    complaintsHold: payload.complaints.allSatisfy {
                        check($0, in: layout) != nil
                    }))
        }
    }

    private static func run(_ job: CheckJob, in layout: ShardLayout) -> CheckResult {
        switch job {
        case .transactions(let transactions):
            .transactions(transactions.map { check($0, in: ()) })
        case .work(let work): run(work, in: layout)
        case .acks(let acks): .acks(acks.map { check($0, in: layout) })
        case .certificate(let certificate): .certificate(check(certificate, in: layout))
        case .complaint(let complaint): .complaint(check(complaint, in: layout))
        }
    }

    private static func run(_ work: SignatureWork, in layout: ShardLayout) -> CheckResult {
        let header = work.header.claim(in: layout)
        guard !work.checksHeader || header.map({ SimulatedSigner.holds([$0]) }) ?? false,
            work.piece?.isProven(by: work.header) ?? true
        else { return .work(isGenuine: false, invalid: []) }
        let invalid = work.transactions.enumerated().filter { check($0.element, in: ()) == nil }
        return .work(
            isGenuine: true, invalid: invalid.map { work.firstIndex + UInt32($0.offset) })
    }

    static func check<Value: SignedValue>(
        _ value: Value, in context: Value.Context
    ) -> Verified<Value>? {
        SimulatedSigner.holds(value.signatureClaims(in: context)) ? .simulated(value) : nil
    }
}
