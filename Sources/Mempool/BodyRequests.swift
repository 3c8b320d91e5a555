internal import Primitives

/// Which missing body is asked of whom, and when again.
///
/// The lines may be narrow: a node that asks for all at once, and again after a fixed time, fills
/// them with copies of what is under way already and never gets on. So only so many bytes are under
/// way as came in time before (as TCP does it), and what is waited for before a body is asked for
/// again grows while it doesn't suffice. A peer that was silent and speaks again is asked anew at
/// once: then it wasn't the line's width.
struct BodyRequests: Sendable {
    fileprivate struct Wanted {
        let bytes: Int
        let holders: [PeerID]
        var next = 0
        /// How often somebody who isn't named as a holder was asked.
        var substitutes = 0
        var asked: (peer: PeerID, at: Instant)?
        /// How often it was asked for.
        var tries = 0
        /// Holders in turn that hadn't got it.
        var misses = 0
    }

    /// Bytes under way; one body always is, however large.
    static let windowBytes = 32 << 10...4 << 20
    /// Milliseconds after which a peer is called silent.
    static let silence: UInt64 = 1_000
    /// Bytes that a line is taken to carry in a millisecond at first, and half as many each time.
    static let bytesInMillisecond = 1_000

    private var wanted: [Digest: Wanted] = [:]
    /// Those wanted, and some that aren't any more, in the order in which execution needs them.
    private var order: [Digest] = []
    private var underWay = 0
    private(set) var window = 128 << 10
    /// When each holder that was asked spoke last.
    private var heard: [PeerID: Instant] = [:]
    /// Milliseconds until a body is asked for again, beside the time for its length.
    private(set) var patience = MempoolTimes.bodyRetry

    var count: Int { wanted.count }

    func isWanted(_ digest: Digest) -> Bool { wanted[digest] != nil }

    mutating func want(_ digest: Digest, bytes: Int, from holders: [PeerID]) {
        guard wanted[digest] == nil else { return }
        // The digest itself spreads the load over the holders.
        let offset =
            holders.isEmpty ? 0 : Int(digest.bytes32.remainder(dividingBy: UInt64(holders.count)))
        wanted[digest] = Wanted(
            bytes: bytes, holders: Array(holders[offset...] + holders[..<offset]))
        order.append(digest)
    }

    mutating func take(_ digest: Digest) -> Bool {
        guard let entry = wanted.removeValue(forKey: digest) else { return false }
        if entry.asked != nil { underWay -= entry.bytes }
        if entry.tries == 1 {
            window = min(window + entry.bytes, BodyRequests.windowBytes.upperBound)
            patience = max(patience - patience / 4, MempoolTimes.bodyRetry)
        }
        if wanted.isEmpty { heard = [:] }
        if order.count > 2 * wanted.count + 16 { order.removeAll { wanted[$0] == nil } }
        return true
    }

    /// The next holder is asked at once, but for a pause when none has it.
    mutating func markMissing(_ digest: Digest, at peer: PeerID) {
        guard var entry = wanted[digest], entry.asked?.peer == peer else { return }
        entry.misses += 1
        if entry.misses % max(entry.holders.count, 1) != 0 {
            entry.asked = nil
            underWay -= entry.bytes
        }
        wanted[digest] = entry
    }

    /// `peer` said something, whatever it was. O(1), but for a peer that was silent.
    mutating func hear(_ peer: PeerID, at now: Instant) {
        guard !wanted.isEmpty, let last = heard.updateValue(now, forKey: peer),
            now.millisecondsSince(last) >= BodyRequests.silence
        else { return }
        patience = MempoolTimes.bodyRetry
        for digest in order {
            guard let entry = wanted[digest], entry.asked?.peer == peer else { continue }
            wanted[digest]?.asked = nil
            wanted[digest]?.tries = 0
            underWay -= entry.bytes
        }
    }

    /// O(wanted).
    mutating func take(at now: Instant, connected: Set<PeerID>) -> [(PeerID, [Digest])] {
        var requests: [PeerID: [Digest]] = [:]
        var isLate = false
        for digest in order {
            guard var entry = wanted[digest], isDue(entry, at: now) else { continue }
            let isAgain = entry.asked != nil
            guard isAgain || underWay == 0 || underWay + entry.bytes <= window,
                let peer = entry.nextHolder(among: connected)
            else { continue }
            if !isAgain { underWay += entry.bytes }
            isLate = isLate || isAgain
            entry.asked = (peer, now)
            heard[peer] = heard[peer] ?? now
            entry.tries += 1
            wanted[digest] = entry
            requests[peer, default: []].append(digest)
        }
        if isLate { slowDown() }
        return requests.keys.sorted().map { ($0, requests[$0] ?? []) }
    }

    private func isDue(_ entry: Wanted, at now: Instant) -> Bool {
        guard let asked = entry.asked else { return true }
        // A line would have carried a small body long ago, but not a large one.
        let carrying = UInt64(entry.bytes / BodyRequests.bytesInMillisecond)
        let more = min(carrying << UInt64(min(entry.tries, 8) - 1), MempoolTimes.bodyCarryingMax)
        return now.millisecondsSince(asked.at) >= patience + more
    }

    private mutating func slowDown() {
        window = max(window / 2, BodyRequests.windowBytes.lowerBound)
        patience = min(2 * patience, MempoolTimes.bodyRetryMax)
    }
}

extension BodyRequests.Wanted {
    /// Whom to ask: each holder in turn, and after all of them somebody else. After epochs with
    /// other committees no holder may be connected, or none may have it any more; whoever has
    /// executed the batch has it too.
    fileprivate mutating func nextHolder(among connected: Set<PeerID>) -> PeerID? {
        for _ in 0...holders.count {
            let place = next % (holders.count + 1)
            next += 1
            let peer = place < holders.count ? holders[place] : substitute(among: connected)
            if let peer, connected.contains(peer) { return peer }
        }
        return nil
    }

    private mutating func substitute(among connected: Set<PeerID>) -> PeerID? {
        let others = connected.subtracting(holders).sorted()
        guard !others.isEmpty else { return nil }
        substitutes += 1
        return others[substitutes % others.count]
    }
}
