internal import Primitives

/// A lane that this node owns: the batches it sealed and that no block has included yet.
///
/// Invariants: positions rise; at most one batch was ever sealed at a position; each batch's
/// parent is the one before it that isn't void, or the lane's included head.
struct SealedLane: Sendable {
    /// Chunks that a verifier was asked to check.
    struct Request: Sendable {
        var chunks: UInt32
        var signatures: UInt64
        let at: Instant
        /// Whether nothing depends on the answer any more.
        var isReleased = false
    }

    struct Sealed: Sendable {
        let batch: Batch
        let tree: BatchTree
        /// What this owner knows to be invalid in its own batch: the faults that it planted.
        let planted: [UInt32]
        /// Entries of distinct signers, in order of arrival.
        var entries: [AckEntry] = []
        /// The signatures of the header and of the entries.
        var proven = ProvenClaims()
        var certificate: Verified<BatchCertificate>?
        var sentAt: Instant
        var attempts = 0
        /// Who was asked for which chunks, and when, and hasn't answered.
        var open: [VerifierIndex: Request] = [:]
        /// Who was ever asked for a chunk, by chunk.
        var asked: [[VerifierIndex]] = []
        /// When others are asked for what is missing.
        var hedgeAt: Instant
        var hedges = 0

        /// The bonds that gave the right verdict on a chunk.
        func bond(onChunk chunk: Int, of verifiers: VerifierSet) -> UInt64 {
            let verdict = planted(in: chunk)
            return verifiers.bond(
                of: entries.filter { $0.invalid(in: chunk) == verdict }.map(\.signer))
        }

        func planted(in chunk: Int) -> [UInt32] {
            let range = batch.header.range(ofChunk: chunk)
            return planted.filter { range.contains(Int($0)) }
        }
    }

    /// In order of position.
    private(set) var sealed: [Sealed] = []
    private var lastPosition: UInt64 = 0
    /// When a batch was last sealed here, and how many transactions it had.
    private(set) var lastSealed: (at: Instant, count: Int)?

    /// What the next header tells of the faults planted in the last batch.
    var lastReveal: CanaryReveal?

    var uncertifiedCount: Int { sealed.filter { $0.certificate == nil }.count }

    /// Position and parent of the next batch, given the chain's head of the lane.
    func next(after head: LaneTable.Head?) -> (position: UInt64, parent: Digest)? {
        let (position, overflow) = max(lastPosition, head?.position ?? 0)
            .addingReportingOverflow(1)
        guard !overflow else { return nil }
        return (position, sealed.last?.batch.digest ?? head?.digest ?? .zero)
    }

    mutating func append(_ batch: Batch, tree: BatchTree, planted: [UInt32], at now: Instant) {
        precondition(batch.position > lastPosition, "position \(batch.position) sealed twice")
        lastPosition = batch.position
        lastSealed = (now, batch.transactions.count)
        sealed.append(
            Sealed(batch: batch, tree: tree, planted: planted, sentAt: now, hedgeAt: now))
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

    /// Counts an ack; returns the certificate when it completes one. A later ack of a signer takes
    /// the place of an earlier one if it says more.
    mutating func add(
        _ entry: AckEntry, to digest: Digest, in layout: ShardLayout
    ) -> Verified<BatchCertificate>? {
        guard let place = sealed.firstIndex(where: { $0.batch.digest == digest }),
            sealed[place].certificate == nil
        else { return nil }
        if let old = sealed[place].entries.firstIndex(where: { $0.signer == entry.signer }) {
            guard entry.saysMore(than: sealed[place].entries[old]) else { return nil }
            sealed[place].entries.remove(at: old)
        }
        sealed[place].entries.append(entry)
        sealed[place].certificate = SealedLane.certificate(sealed[place], in: layout)
        return sealed[place].certificate
    }

    /// The certificate that the entries make with what this owner knows to be the verdict. Entries
    /// that say something else aren't in it.
    private static func certificate(
        _ sealed: Sealed, in layout: ShardLayout
    ) -> Verified<BatchCertificate>? {
        guard let verifiers = layout.verifiers(for: sealed.batch.header) else { return nil }
        let entries = sealed.entries.filter { entry in
            (0..<sealed.batch.header.chunkCount).allSatisfy { chunk in
                entry.invalid(in: chunk).map { $0 == sealed.planted(in: chunk) } ?? true
            }
        }
        let certificate = BatchCertificate(
            header: sealed.batch.header, entries: entries.sorted { $0.signer < $1.signer },
            invalid: sealed.planted)
        guard certificate.meetsThresholds(layout, verifiers) else { return nil }
        return Verified.check(certificate, in: layout, given: sealed.proven)
    }

    /// Changes what is kept of a batch.
    mutating func update(_ digest: Digest, with change: (inout Sealed) -> Void) {
        guard let place = sealed.firstIndex(where: { $0.batch.digest == digest }) else { return }
        change(&sealed[place])
    }

    mutating func markSent(_ digest: Digest, at now: Instant) {
        guard let place = sealed.firstIndex(where: { $0.batch.digest == digest }) else { return }
        sealed[place].sentAt = now
        sealed[place].attempts += 1
    }

    /// Follows the chain: forgets what was included and returns what became void by it or by its
    /// expiry below `height`, together with everything that was sealed on top of a void batch; and
    /// requests that nobody waits for any more.
    mutating func settle(
        head: LaneTable.Head?, at height: Height
    ) -> (void: [Batch], open: [(BatchHeader, VerifierIndex, Request)]) {
        let before = sealed.filter { !$0.open.isEmpty }
        let void = takePassed(head: head, at: height)
        let gone = before.filter { batch($0.batch.digest) == nil }
        return (
            void,
            gone.flatMap { item in
                item.open.map { (item.batch.header, $0.key, $0.value) }
            }
        )
    }

    private mutating func takePassed(head: LaneTable.Head?, at height: Height) -> [Batch] {
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
