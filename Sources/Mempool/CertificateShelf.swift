internal import Primitives

/// Certified batches that no finalized block has included yet.
struct CertificateShelf: Sendable {
    private struct Held {
        let certificate: Verified<BatchCertificate>
        var sentAt: Instant
    }

    private var lanes: [Lane: [UInt64: Held]] = [:]
    private(set) var count = 0

    func holds(_ header: BatchHeader) -> Bool {
        lanes[header.content.lane]?[header.content.position]?.certificate.value.digest
            == header.digest
    }

    /// The certificate of a batch.
    func held(_ header: BatchHeader) -> Verified<BatchCertificate>? {
        holds(header)
            ? lanes[header.content.lane]?[header.content.position]?.certificate : nil
    }

    /// Certificates of a lane.
    func count(_ lane: Lane) -> Int { lanes[lane]?.count ?? 0 }

    mutating func insert(_ certificate: Verified<BatchCertificate>, at now: Instant) {
        let value = certificate.value
        guard !holds(value.header) else { return }
        let replaced = lanes[value.lane, default: [:]].updateValue(
            Held(certificate: certificate, sentAt: now), forKey: value.position)
        if replaced == nil { count += 1 }
    }

    /// Forgets what the chain has passed or what expired below `height`.
    mutating func settle(_ lane: Lane, head: LaneTable.Head?, at height: Height) {
        guard let held = lanes[lane] else { return }
        for (position, entry) in held
        where position <= head?.position ?? 0
            || entry.certificate.value.header.content.expiryHeight <= height
        {
            lanes[lane]?[position] = nil
            count -= 1
        }
        if lanes[lane]?.isEmpty ?? false { lanes[lane] = nil }
    }

    /// Forgets lanes that no block can include any more.
    mutating func drop(_ lane: Lane) {
        count -= lanes.removeValue(forKey: lane)?.count ?? 0
    }

    /// Lanes with certificates, in order.
    var laneOrder: [Lane] { lanes.keys.sorted() }

    /// The certificates that a block at `height` whose parent has `table` may include, in the
    /// order of the block: of each lane in turn the next, so that no owner's batches keep out those
    /// of others, as far as the limits allow.
    func includable(
        after table: LaneTable, at height: Height, in settings: BatchSettings
    ) -> [BatchCertificate] {
        var table = table
        var chosen: [BatchCertificate] = []
        var bytes = 8
        var transactions = 0
        var bodyBytes: UInt64 = 0
        var open = rotatedLanes(at: height)
        while !open.isEmpty {
            var left: [Lane] = []
            for lane in open {
                guard let next = following(table[lane], in: lane) else { continue }
                let size = next.bcsBytes.count
                let count = Int(next.header.content.transactionCount)
                let body = UInt64(next.header.content.byteLength)
                guard bytes + size <= BatchLimits.payloadBytesMax,
                    transactions + count <= BatchLimits.blockTransactionsMax,
                    bodyBytes + body <= BatchLimits.blockBodyBytesMax,
                    chosen.count < BatchLimits.blockCertificatesMax,
                    (try? table.include(next.header, at: height, in: settings)) != nil
                else { continue }
                bytes += size
                transactions += count
                bodyBytes += body
                chosen.append(next)
                left.append(lane)
            }
            open = left
        }
        return chosen
    }

    /// Lanes in order, each height beginning with another one: when blocks are full, no shard is
    /// always last.
    private func rotatedLanes(at height: Height) -> [Lane] {
        let lanes = laneOrder
        guard !lanes.isEmpty else { return [] }
        let start = Int(height.rawValue % UInt64(lanes.count))
        return Array(lanes[start...] + lanes[..<start])
    }

    /// Whether some certificate could be included after `table`.
    func hasIncludable(after table: LaneTable) -> Bool {
        lanes.keys.contains { following(table[$0], in: $0) != nil }
    }

    private func following(_ head: LaneTable.Head?, in lane: Lane) -> BatchCertificate? {
        guard let held = lanes[lane] else { return nil }
        let parent = head?.digest ?? .zero
        let candidates = held.filter {
            $0.key > head?.position ?? 0
                && $0.value.certificate.value.header.content.parent == parent
        }
        return candidates.min { $0.key < $1.key }?.value.certificate.value
    }

    /// Certificates that weren't included for `wait` milliseconds, in lane order; they count as
    /// sent now.
    mutating func takeStale(
        at now: Instant, wait: UInt64, limit: Int
    ) -> [BatchCertificate] {
        var stale: [BatchCertificate] = []
        for lane in laneOrder {
            for position in (lanes[lane] ?? [:]).keys.sorted() {
                guard stale.count < limit, let held = lanes[lane]?[position],
                    now.millisecondsSince(held.sentAt) >= wait
                else { continue }
                lanes[lane]?[position]?.sentAt = now
                stale.append(held.certificate.value)
            }
        }
        return stale
    }
}
