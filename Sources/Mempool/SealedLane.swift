internal import Primitives

/// A lane that this node owns: the batches it sealed and that no block has included yet.
///
/// Invariants: positions rise; at most one batch was ever sealed at a position; each batch's
/// parent is the one before it that isn't void, or the lane's included head.
struct SealedLane: Sendable {
    struct Sealed: Sendable {
        let batch: Batch
        /// Entries of distinct signers, in order of arrival.
        var entries: [AckEntry] = []
        /// The signatures of the header and of the entries.
        var proven = ProvenClaims()
        var certificate: Verified<BatchCertificate>?
        var sentAt: Instant
        var attempts = 0
    }

    /// In order of position.
    private(set) var sealed: [Sealed] = []
    private var lastPosition: UInt64 = 0
    /// When a batch was last sealed here, and how many transactions it had.
    private(set) var lastSealed: (at: Instant, count: Int)?

    var uncertifiedCount: Int { sealed.filter { $0.certificate == nil }.count }

    /// Position and parent of the next batch, given the chain's head of the lane.
    func next(after head: LaneTable.Head?) -> (position: UInt64, parent: Digest)? {
        let (position, overflow) = max(lastPosition, head?.position ?? 0)
            .addingReportingOverflow(1)
        guard !overflow else { return nil }
        return (position, sealed.last?.batch.digest ?? head?.digest ?? .zero)
    }

    mutating func append(_ batch: Batch, at now: Instant) {
        precondition(batch.position > lastPosition, "position \(batch.position) sealed twice")
        lastPosition = batch.position
        lastSealed = (now, batch.transactions.count)
        sealed.append(Sealed(batch: batch, sentAt: now))
    }

    /// Keeps positions rising over a restart, also behind batches that are void by now.
    mutating func raiseLastPosition(to position: UInt64) {
        lastPosition = max(lastPosition, position)
    }

    func batch(_ digest: Digest) -> Sealed? { sealed.first { $0.batch.digest == digest } }

    /// Keeps what is known to be signed rightly about a batch.
    mutating func prove(_ digest: Digest, with update: (inout ProvenClaims) -> Void) {
        guard let place = sealed.firstIndex(where: { $0.batch.digest == digest }) else { return }
        update(&sealed[place].proven)
    }

    /// Counts an ack; returns the certificate when it completes one.
    mutating func add(
        _ entry: AckEntry, to digest: Digest, in layout: ShardLayout
    ) -> Verified<BatchCertificate>? {
        guard let place = sealed.firstIndex(where: { $0.batch.digest == digest }),
            sealed[place].certificate == nil,
            !sealed[place].entries.contains(where: { $0.signer == entry.signer })
        else { return nil }
        sealed[place].entries.append(entry)
        sealed[place].certificate = SealedLane.certificate(sealed[place], in: layout)
        return sealed[place].certificate
    }

    /// The certificate that the entries make with the verdict of the first of them that reaches
    /// both thresholds.
    private static func certificate(
        _ sealed: Sealed, in layout: ShardLayout
    ) -> Verified<BatchCertificate>? {
        let entries = sealed.entries.sorted { $0.signer < $1.signer }
        for candidate in entries {
            let certificate = BatchCertificate(
                header: sealed.batch.header, entries: entries,
                invalid: candidate.verdicts.flatMap(\.invalid).sorted())
            if certificate.meetsThresholds(layout.committee) {
                return Verified.check(certificate, in: layout, given: sealed.proven)
            }
        }
        return nil
    }

    mutating func markSent(_ digest: Digest, at now: Instant) {
        guard let place = sealed.firstIndex(where: { $0.batch.digest == digest }) else { return }
        sealed[place].sentAt = now
        sealed[place].attempts += 1
    }

    /// Follows the chain: forgets what was included and returns what became void by it or by its
    /// expiry below `height`, together with everything that was sealed on top of a void batch.
    mutating func settle(head: LaneTable.Head?, at height: Height) -> [Batch] {
        if let head {
            let isOurs = sealed.contains { $0.batch.digest == head.digest }
            if isOurs {
                let void = sealed.filter {
                    $0.batch.position < head.position && !isAncestor($0.batch, of: head.digest)
                }
                sealed.removeAll { $0.batch.position <= head.position }
                return void.map(\.batch) + takeVoid(at: height)
            }
        }
        return takeDetached(from: head) + takeVoid(at: height)
    }

    /// What doesn't continue the lane's head can never be included.
    private mutating func takeDetached(from head: LaneTable.Head?) -> [Batch] {
        guard let first = sealed.first,
            first.batch.header.content.parent != head?.digest ?? .zero
        else { return [] }
        defer { sealed = [] }
        return sealed.map(\.batch)
    }

    private func isAncestor(_ batch: Batch, of digest: Digest) -> Bool {
        var cursor = digest
        while let current = sealed.first(where: { $0.batch.digest == cursor }) {
            if current.batch.digest == batch.digest { return true }
            cursor = current.batch.header.content.parent
        }
        return false
    }

    private mutating func takeVoid(at height: Height) -> [Batch] {
        guard
            let first = sealed.firstIndex(where: {
                $0.batch.header.content.expiryHeight <= height
            })
        else { return [] }
        defer { sealed.removeSubrange(first...) }
        return sealed[first...].map(\.batch)
    }
}
