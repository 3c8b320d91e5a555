import Primitives

@testable import Execution

/// Evidence that says what it proves, under a seal that stands for the signatures of real evidence.
struct FakeJudge: EvidenceJudge {
    /// Wire: kind (one byte), offender, id, height, then `H(random, all that)`.
    static func evidence(_ offence: Offence) -> [UInt8] {
        let body =
            [offence.kind.rawValue] + offence.offender.bytes + offence.id.bytes
            + offence.height.rawValue.bcsLittleEndian
        return body + Digest.hash(.random, body).bytes
    }

    func judge(
        _ evidence: [UInt8], at height: Height, sets: [UInt64: VerifierSet], epochs: EpochTable
    ) -> Offence? { FakeJudge.offence(evidence) }

    static func offence(_ evidence: [UInt8]) -> Offence? {
        guard evidence.count == 105 else { return nil }
        let body = evidence.prefix(73)
        guard Digest.hash(.random, body).bytes == Array(evidence.suffix(32)),
            let kind = OffenceKind(rawValue: evidence[0]),
            let offender = PublicKey(bytes: body[1..<33]), let id = Digest(bytes: body[33..<65])
        else { return nil }
        let act = body[65..<73].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Offence(offender: offender, kind: kind, id: id, height: Height(act))
    }
}

extension Offence {
    /// The `number`th act of `offender`.
    init(
        _ offender: PublicKey, _ kind: OffenceKind = .wrongVerdict, number: UInt8, at height: UInt64
    ) {
        self.init(
            offender: offender, kind: kind, id: .hash(.random, [number] + offender.bytes),
            height: Height(height))
    }
}
