internal import Primitives

extension GossipEngine {
    /// Seals a message for a peer and sends it to `endpoint`, or to where its record says.
    ///
    /// An endpoint that has answered before gets news along; another gets the message alone.
    mutating func send(
        _ message: GossipMessage, to peer: PeerID, at endpoint: Endpoint? = nil,
        using generator: inout some RandomNumberGenerator
    ) {
        guard let endpoint = endpoint ?? members[peer]?.endpoint, let contact = contact(peer)
        else { return }
        var message = message
        if contact.isProven(endpoint) { ride(along: &message, to: peer) }
        seal(message, for: peer, contact, at: endpoint, using: &generator)
    }

    /// The key and the rest for a peer, agreed on now if it isn't there.
    mutating func contact(_ peer: PeerID) -> Contact? {
        if let contact = contacts[peer] { return contact }
        guard let key = identity.sharedKey(with: peer.publicKey) else { return nil }
        let contact = Contact(key, at: moment)
        add(contact, for: peer)
        return contact
    }

    /// Keeps a contact; strangers' give way to newer ones.
    mutating func add(_ contact: Contact, for peer: PeerID) {
        if members[peer] == nil {
            let strangers = contacts.filter { members[$0.key] == nil }
            let oldest = strangers.min { ($0.value.usedAt, $0.key) < ($1.value.usedAt, $1.key) }
            if strangers.count >= GossipLimits.strangerContactsMax, let oldest {
                contacts[oldest.key] = nil
            }
        }
        contacts[peer] = contact
    }

    /// Adds what fits: the receiver's own suspicion first, then the news.
    private mutating func ride(along message: inout GossipMessage, to peer: PeerID) {
        if let claim = claim(against: peer), !message.news.contains(claim) {
            message.news.insert(claim, at: 0)
        }
        let room = Datagram.plaintextBytesMax - 8 - message.bcsBytes.count
        let count = GossipLimits.newsMax - message.news.count
        guard room > 0, count > 0 else { return }
        let fresh = news.take(bytes: room, count: count, for: peer)
        message.news += fresh.filter { !message.news.contains($0) }
    }

    /// That a peer is a suspect or taken for dead here, for itself to hear.
    private func claim(against peer: PeerID) -> News? {
        guard let member = members[peer], member.state == .suspect || member.state == .dead else {
            return nil
        }
        return .suspicion(of: peer, sequence: member.record.sequence, accuser: peerID)
    }

    private mutating func seal(
        _ message: GossipMessage, for peer: PeerID, _ contact: Contact, at endpoint: Endpoint,
        using generator: inout some RandomNumberGenerator
    ) {
        var writer = BCSWriter(capacity: GossipLimits.datagramBytesMax)
        writer.append(cookies.cookie(for: endpoint, at: moment.now))
        writer.append(message)
        guard writer.bytes.count <= Datagram.plaintextBytesMax else { return }
        let salt = generator.next() & ~1 | Datagram.direction(from: peerID, to: peer)
        let counter = contact.sent &+ 1
        let nonce = BoxNonce(moment.wall.rawValue, counter, salt)
        let envelope = Datagram.Envelope(
            sender: peerID, timestamp: moment.wall, counter: counter, salt: salt,
            cookie: contact.cookie, box: contact.key.seal(writer.bytes, nonce))
        contacts[peer]?.sent = counter
        contacts[peer]?.usedAt = moment.now
        unanswered.add(.message(message, to: peer), salt, to: endpoint, at: moment.now)
        send(.sealed(envelope), to: endpoint)
    }

    /// Sends again what a challenge asks for, as it was.
    mutating func sendAgain(
        _ message: GossipMessage, to peer: PeerID, at endpoint: Endpoint,
        using generator: inout some RandomNumberGenerator
    ) {
        guard let contact = contact(peer) else { return }
        seal(message, for: peer, contact, at: endpoint, using: &generator)
    }

    mutating func send(_ datagram: Datagram, to endpoint: Endpoint) {
        let bytes = datagram.bytes
        figures.datagramsSent += 1
        figures.bytesSent += UInt64(bytes.count)
        effects.append(.send(bytes, to: endpoint))
    }
}
