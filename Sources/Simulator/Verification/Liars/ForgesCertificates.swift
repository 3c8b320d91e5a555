internal import Mempool
internal import Primitives

/// Puts certificates together from any acks it heard, and from what liars sign for it, in every way
/// that may fool somebody; gives them to others and into its own blocks.
struct ForgesCertificates: Misbehaviour {
    func act(by liar: Int, _ ring: inout Ring) {
        guard let batch = ring.random.element(of: ring.batches),
            let set = ring.layout.verifiers(for: batch.header)
        else { return }
        let entries = collect(batch, set, &ring)
        guard let certificate = assemble(batch, entries, &ring) else { return }
        ring.forged.append(certificate)
        if ring.forged.count > 8 { ring.forged.removeFirst() }
        for node in ring.honest where ring.random.chance(400) {
            ring.post(.certificate(certificate), from: liar, to: node)
        }
    }

    /// What was heard, and what the liars say about it for this purpose.
    private func collect(
        _ batch: Batch, _ set: VerifierSet, _ ring: inout Ring
    ) -> [AckEntry] {
        var entries = ring.acks[batch.digest] ?? []
        let junk = batch.transactions.indices.filter { ring.isJunk(batch.transactions[$0]) }
        let verdicts = ring.random.chance(700) ? [] : verdicts(junk, of: batch.header)
        for member in ring.memberList {
            guard let index = set.index(of: ring.peers[member]) else { continue }
            entries.append(
                ring.entry(
                    batch.header, by: member, signer: index, stored: set.isValidator(index),
                    chunks: batch.header.allChunks, verdicts: verdicts))
        }
        return entries
    }

    private func verdicts(_ invalid: [Int], of header: BatchHeader) -> [ChunkVerdict] {
        let size = max(1, Int(header.content.chunkSize))
        let grouped = Dictionary(grouping: invalid) { $0 / size }
        return grouped.keys.sorted().map { chunk in
            ChunkVerdict(
                chunk: UInt8(chunk), invalid: (grouped[chunk] ?? []).map { UInt32($0) }.sorted())
        }
    }

    private func assemble(
        _ batch: Batch, _ entries: [AckEntry], _ ring: inout Ring
    ) -> BatchCertificate? {
        var entries = entries.shuffled(using: &ring.random)
        if ring.random.chance(500) {
            entries = Array(entries.prefix(Int(ring.random.number(in: 1...16))))
        }
        var invalid: Set<UInt32> = []
        switch ring.random.next() % 6 {
        case 0: return doubled(batch, entries)
        case 1: entries = entries.map { altered($0, &ring) }
        case 2:
            // The verdict that honest ones gave.
            if let said = ring.random.element(of: entries) {
                invalid = Set(said.verdicts.flatMap(\.invalid))
            }
        case 3: invalid = [UInt32(ring.random.next() % 8)]
        default: break
        }
        return certificate(batch, distinct(entries), invalid.sorted())
    }

    /// One entry for each signer; of several the one that says more of the chunks.
    private func distinct(_ entries: [AckEntry]) -> [AckEntry] {
        var best: [VerifierIndex: AckEntry] = [:]
        for entry in entries {
            let known = best[entry.signer]
            if known.map({ $0.chunks.nonzeroBitCount < entry.chunks.nonzeroBitCount }) ?? true {
                best[entry.signer] = entry
            }
        }
        return best.keys.sorted().compactMap { best[$0] }
    }

    /// A signer twice: as bytes, since no decoder should take it.
    private func doubled(_ batch: Batch, _ entries: [AckEntry]) -> BatchCertificate? {
        let sorted = entries.sorted { $0.signer < $1.signer }
        return certificate(batch, sorted + sorted, [])
    }

    /// The same signature under another index or over another list.
    private func altered(_ entry: AckEntry, _ ring: inout Ring) -> AckEntry {
        let signer =
            ring.random.chance(500)
            ? VerifierIndex(UInt16(ring.random.next() % UInt64(ring.peers.count))) : entry.signer
        return AckEntry(
            signer: signer, stored: true, chunks: ring.random.chance(500) ? .max : entry.chunks,
            verdicts: ring.random.chance(500) ? [] : entry.verdicts, signature: entry.signature)
    }

    /// What its own bytes say: a certificate travels in no other form.
    private func certificate(
        _ batch: Batch, _ entries: [AckEntry], _ invalid: [UInt32]
    ) -> BatchCertificate? {
        let made = BatchCertificate(header: batch.header, entries: entries, invalid: invalid)
        return try? BatchCertificate(bcs: made.bcsBytes)
    }
}
