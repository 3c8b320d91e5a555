internal import Primitives

/// A comparison of all records with one peer, page by page.
struct SyncPass: Sendable {
    let peer: PeerID
    let endpoint: Endpoint?
    /// The page that was sent last.
    var page: ClosedRange<UInt64>
    var pagesLeft: Int
    /// When it is taken for broken off.
    var endsAt: Instant
}

extension GossipEngine {
    /// Pages of one pass, those asked for again included.
    private static let pagesMax = 64

    /// Begins a comparison when one is due, or when the last was broken off.
    mutating func compare(using generator: inout some RandomNumberGenerator) {
        let isBroken = pass.map { $0.endsAt <= moment.now } ?? false
        if isBroken { pass = nil }
        let isDue = syncAt <= moment.now
        guard isDue || isBroken else { return }
        if isDue {
            syncAt = moment.now.advanced(byMilliseconds: times.syncPeriod)
            forgetDead()
            pingDead(using: &generator)
        }
        let up = memberIDs.filter { members[$0]?.state.isUp == true }
        if let peer = generator.pick(1, of: up).first {
            beginPass(with: peer, at: nil, using: &generator)
        }
    }

    /// One of the dead may be back, or on the other side of a partition that has ended: it hears
    /// that it is taken for dead, and its answer brings it back.
    private mutating func pingDead(using generator: inout some RandomNumberGenerator) {
        let dead = memberIDs.filter { members[$0]?.state == .dead }
        guard let peer = generator.pick(1, of: dead).first, let member = members[peer] else {
            return
        }
        members[peer]?.turnAddress()
        let claim = News.suspicion(
            of: peer, sequence: member.record.sequence, accuser: peerID)
        ping(peer, generator.next(), with: [claim], using: &generator)
    }

    mutating func beginPass(
        with peer: PeerID, at endpoint: Endpoint?, using generator: inout some RandomNumberGenerator
    ) {
        pass = SyncPass(
            peer: peer, endpoint: endpoint, page: 0...UInt64.max,
            pagesLeft: GossipEngine.pagesMax, endsAt: moment.now)
        sendPage(from: 0, using: &generator)
    }

    private mutating func sendPage(
        from first: UInt64, using generator: inout some RandomNumberGenerator
    ) {
        guard var pass else { return }
        let digest = digest(from: first)
        pass.page = digest.range
        pass.pagesLeft -= 1
        pass.endsAt = moment.now.advanced(byMilliseconds: times.probePeriod)
        self.pass = pass
        let isKnown = members[pass.peer]?.state.isUp ?? false
        let message = GossipMessage(.digest(digest), news: isKnown ? [] : [.record(own)])
        send(message, to: pass.peer, at: pass.endpoint, using: &generator)
    }

    /// The peer answered the page: on to the next, or once more if there was more than fitted and
    /// something of it was new.
    mutating func turnPage(
        with peer: PeerID, hasMore: Bool, hadNew: Bool,
        using generator: inout some RandomNumberGenerator
    ) {
        guard let pass, pass.peer == peer else { return }
        guard pass.pagesLeft > 0 else { return self.pass = nil }
        if hasMore, hadNew {
            sendPage(from: pass.page.lowerBound, using: &generator)
        } else if pass.page.upperBound < .max {
            sendPage(from: pass.page.upperBound + 1, using: &generator)
        } else {
            self.pass = nil
        }
    }

    /// What this node has from a prefix on, as far as a datagram goes.
    private func digest(from first: UInt64) -> RecordDigest {
        var entries = ownEntries().filter { $0.prefix >= first }
        let isWhole = entries.count <= GossipLimits.digestEntriesMax
        entries = Array(entries.prefix(GossipLimits.digestEntriesMax))
        let last = isWhole ? UInt64.max : entries.last?.prefix ?? .max
        return RecordDigest(range: first...last, entries: entries)
    }

    /// An entry for this node and each member, by rising prefix; of several with one prefix, which
    /// nobody finds by chance, the first.
    private func ownEntries() -> [RecordDigest.Entry] {
        var entries = memberIDs.compactMap { members[$0] }.map { member in
            RecordDigest.Entry(
                prefix: member.record.prefix, sequence: member.record.sequence,
                isDown: !member.state.isUp)
        }
        entries.append(.init(prefix: own.prefix, sequence: own.sequence, isDown: false))
        entries.sort { ($0.prefix, $1.sequence) < ($1.prefix, $0.sequence) }
        var last: UInt64?
        return entries.filter { entry in
            defer { last = entry.prefix }
            return entry.prefix != last
        }
    }

    // MARK: Answers

    mutating func answer(
        _ digest: RecordDigest, to peer: PeerID, at source: Endpoint,
        using generator: inout some RandomNumberGenerator
    ) {
        guard contacts[peer]?.digests.take(at: moment.now) ?? false else {
            return figures.refuse(.tooManyDigests)
        }
        let theirs = Dictionary(digest.entries.map { ($0.prefix, $0) }, uniquingKeysWith: { $1 })
        sendRecords(lackedBy: peer, digest.range, theirs, at: source, using: &generator)
        let mine = Dictionary(ownEntries().map { ($0.prefix, $0) }, uniquingKeysWith: { $1 })
        let wanted = digest.entries.filter { entry in
            guard let known = mine[entry.prefix] else { return !entry.isDown }
            return known.sequence < entry.sequence
        }
        if !wanted.isEmpty {
            send(
                GossipMessage(.wanted(wanted.map(\.prefix))), to: peer, at: source,
                using: &generator)
        }
        hearOfDead(theirs, from: peer, using: &generator)
    }

    private mutating func sendRecords(
        lackedBy peer: PeerID, _ range: ClosedRange<UInt64>, _ theirs: [UInt64: RecordDigest.Entry],
        at source: Endpoint, using generator: inout some RandomNumberGenerator
    ) {
        var records = memberIDs.compactMap { members[$0] }.filter { member in
            guard range.contains(member.record.prefix), member.record.peerID != peer else {
                return false
            }
            guard let entry = theirs[member.record.prefix] else { return member.state.isUp }
            return entry.sequence < member.record.sequence && member.state != .dead
        }.map(\.record)
        let known = theirs[own.prefix]?.sequence ?? 0
        if range.contains(own.prefix), known < own.sequence { records.insert(own, at: 0) }
        sendRecords(records, to: peer, at: source, isAnswer: true, using: &generator)
    }

    mutating func sendRecords(
        wanted prefixes: [UInt64], to peer: PeerID, at source: Endpoint,
        using generator: inout some RandomNumberGenerator
    ) {
        guard contacts[peer]?.digests.take(at: moment.now) ?? false else {
            return figures.refuse(.tooManyDigests)
        }
        let wanted = Set(prefixes)
        var records = memberIDs.compactMap { members[$0]?.record }
            .filter { wanted.contains($0.prefix) && $0.peerID != peer }
        if wanted.contains(own.prefix) { records.insert(own, at: 0) }
        sendRecords(records, to: peer, at: source, isAnswer: false, using: &generator)
    }

    /// Sends records in as many datagrams as an answer may have; the last says whether that was
    /// all of them.
    private mutating func sendRecords(
        _ records: [PeerRecord], to peer: PeerID, at source: Endpoint, isAnswer: Bool,
        using generator: inout some RandomNumberGenerator
    ) {
        var rest = records[...]
        for number in 1...GossipLimits.answerDatagramsMax {
            let packed = GossipEngine.pack(&rest)
            let isLast = rest.isEmpty || number == GossipLimits.answerDatagramsMax
            if packed.isEmpty, !isAnswer { return }
            let body: GossipMessage.Body =
                isLast && isAnswer ? .records(hasMore: !rest.isEmpty) : .news
            send(GossipMessage(body, news: packed), to: peer, at: source, using: &generator)
            if isLast { return }
        }
    }

    /// Takes as many records as fit a datagram beside its body.
    private static func pack(_ rest: inout ArraySlice<PeerRecord>) -> [News] {
        var room = Datagram.plaintextBytesMax - 16
        var packed: [News] = []
        while let record = rest.first, packed.count < GossipLimits.newsMax {
            let news = News.record(record)
            room -= news.bcsBytes.count
            guard room >= 0 else { break }
            packed.append(news)
            rest.removeFirst()
        }
        return packed
    }

    /// The peer takes nodes for dead that are alive here: they are told, and answer for themselves.
    private mutating func hearOfDead(
        _ theirs: [UInt64: RecordDigest.Entry], from peer: PeerID,
        using generator: inout some RandomNumberGenerator
    ) {
        let doubted = memberIDs.compactMap { members[$0] }.filter { member in
            let entry = theirs[member.record.prefix]
            return member.state == .alive && member.record.peerID != peer
                && entry?.isDown ?? false && entry?.sequence == member.record.sequence
        }.map(\.record)
        for record in generator.pick(GossipLimits.doubtsOfDigestMax, of: doubted) {
            let claim = News.suspicion(
                of: record.peerID, sequence: record.sequence, accuser: peer)
            ping(record.peerID, generator.next(), with: [claim], using: &generator)
        }
        if let entry = theirs[own.prefix], entry.isDown {
            suspect(peerID, at: entry.sequence, by: peer)
        }
    }
}
