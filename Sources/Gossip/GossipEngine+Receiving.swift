internal import Primitives

extension GossipEngine {
    /// Looks at a datagram, the cheap and the forgeable first. Nothing is believed before it opens.
    mutating func receive(
        _ bytes: [UInt8], from source: Endpoint, using generator: inout some RandomNumberGenerator
    ) {
        figures.datagramsReceived += 1
        figures.bytesReceived += UInt64(bytes.count)
        guard gate.takeDatagram(source, at: moment.now) else { return figures.refuse(.tooMany) }
        let datagram: Datagram
        do throws(BCSError) {
            datagram = try Datagram(bytes)
        } catch {
            return figures.refuse(.malformed)
        }
        switch datagram {
        case .hello(let salt, let chain):
            if chain == settings.chainID { challenge(source, salt) }
        case .challenge(let challenge): meet(challenge, using: &generator)
        case .sealed(let envelope): open(envelope, from: source, using: &generator)
        }
    }

    /// Asks an address to prove itself: smaller than any datagram that leads here.
    private mutating func challenge(_ source: Endpoint, _ salt: UInt64) {
        guard gate.takeChallenge(at: moment.now) else { return figures.refuse(.tooMany) }
        figures.challengesSent += 1
        let cookie = cookies.cookie(for: source, at: moment.now)
        send(.challenge(.init(salt: salt, peerID: peerID, cookie: cookie)), to: source)
    }

    private mutating func open(
        _ envelope: Datagram.Envelope, from source: Endpoint,
        using generator: inout some RandomNumberGenerator
    ) {
        if let reason = refusal(of: envelope, from: source) { return figures.refuse(reason) }
        guard cookies.isValid(envelope.cookie, from: source, at: moment.now) else {
            figures.refuse(.unproven)
            return challenge(source, envelope.salt)
        }
        guard var contact = contact(for: envelope.sender, from: source) else {
            return figures.refuse(.noKey)
        }
        guard let plaintext = contact.key.open(envelope.box, envelope.nonce) else {
            return figures.refuse(.forged)
        }
        contact.window.note(envelope.counter)
        contact.usedAt = moment.now
        contact.prove(source)
        keep(contact, for: envelope.sender)
        read(plaintext, from: envelope.sender, at: source, using: &generator)
    }

    /// Why an envelope isn't opened, by what stands outside.
    private func refusal(
        of envelope: Datagram.Envelope, from source: Endpoint
    ) -> GossipRefusal? {
        guard envelope.sender != peerID, envelope.isDirected(to: peerID) else { return .turned }
        let wall = moment.wall.rawValue
        let sent = envelope.timestamp.rawValue
        let distance = max(wall, sent) - min(wall, sent)
        guard distance <= GossipLimits.clockToleranceMilliseconds else { return .clock }
        guard let contact = contacts[envelope.sender] else { return nil }
        guard contact.blockedUntil <= moment.now else { return .blocked }
        return contact.window.allows(envelope.counter) ? nil : .replayed
    }

    /// The contact of a sender; a new one within the rates.
    private mutating func contact(for sender: PeerID, from source: Endpoint) -> Contact? {
        if let contact = contacts[sender] { return contact }
        guard gate.takeAgreement(source, at: moment.now) else { return nil }
        figures.agreements += 1
        return identity.sharedKey(with: sender.publicKey).map { Contact($0, at: moment) }
    }

    /// Keeps a contact whose datagram opened: a forged one leaves no trace.
    private mutating func keep(_ contact: Contact, for sender: PeerID) {
        if contacts[sender] == nil {
            add(contact, for: sender)
        } else {
            contacts[sender] = contact
        }
    }

    private mutating func read(
        _ plaintext: [UInt8], from sender: PeerID, at source: Endpoint,
        using generator: inout some RandomNumberGenerator
    ) {
        do throws(BCSError) {
            var reader = BCSReader(plaintext)
            let cookie = try reader.readUInt64()
            let message = try reader.read(GossipMessage.self)
            try reader.finish()
            if cookie != 0 { contacts[sender]?.cookie = cookie }
            take(message, from: sender, at: source, using: &generator)
        } catch {
            figures.refuse(.malformed)
            block(sender)
        }
    }

    /// Doesn't hear a peer for a while that broke the protocol under its own key.
    mutating func block(_ peer: PeerID) {
        let until = moment.now.advanced(byMilliseconds: GossipLimits.blockMilliseconds)
        contacts[peer]?.blockedUntil = until
    }

    /// A peer's answer to a datagram without the right cookie: sends it again with the right one.
    private mutating func meet(
        _ challenge: Datagram.Challenge, using generator: inout some RandomNumberGenerator
    ) {
        guard let sent = unanswered.take(challenge.salt, at: moment.now) else {
            return figures.refuse(.unasked)
        }
        switch sent.what {
        case .hello(let seed): met(challenge, bySeed: seed, using: &generator)
        case .message(let message, let peer):
            guard peer == challenge.peerID else { return figures.refuse(.unasked) }
            contacts[peer]?.cookie = challenge.cookie
            contacts[peer]?.prove(sent.endpoint)
            sendAgain(message, to: peer, at: sent.endpoint, using: &generator)
        }
    }

    // MARK: What it says

    private mutating func take(
        _ message: GossipMessage, from sender: PeerID, at source: Endpoint,
        using generator: inout some RandomNumberGenerator
    ) {
        let hadNew = take(message.news, from: sender)
        if contacts[sender]?.blockedUntil ?? moment.now > moment.now { return }
        switch message.body {
        case .ping(let number, let sequence):
            answer(number, sequence, to: sender, at: source, using: &generator)
        case .ack(let number): acked(number, by: sender, using: &generator)
        case .nack(let number): prober.nacked(number, by: sender)
        case .pingRequest(let number, let target):
            relay(number, target, for: sender, at: source, using: &generator)
        case .news: break
        case .digest(let digest): answer(digest, to: sender, at: source, using: &generator)
        case .records(let hasMore):
            turnPage(with: sender, hasMore: hasMore, hadNew: hadNew, using: &generator)
        case .wanted(let prefixes):
            sendRecords(wanted: prefixes, to: sender, at: source, using: &generator)
        }
        askForRecord(of: sender, at: source, using: &generator)
    }

    /// A peer that talks and isn't a member is asked for its record, now and then.
    private mutating func askForRecord(
        of sender: PeerID, at source: Endpoint, using generator: inout some RandomNumberGenerator
    ) {
        guard members[sender] == nil, let contact = contacts[sender] else { return }
        if let askedAt = contact.askedAt, moment.now.millisecondsSince(askedAt) < 1000 { return }
        contacts[sender]?.askedAt = moment.now
        let prefix = sender.bytes32.leadingWord
        send(GossipMessage(.wanted([prefix])), to: sender, at: source, using: &generator)
    }

    private mutating func take(_ news: [News], from sender: PeerID) -> Bool {
        var hadNew = false
        for piece in news {
            if contacts[sender]?.blockedUntil ?? moment.now > moment.now { break }
            switch piece {
            case .record(let record):
                if take(record, from: sender) { hadNew = true }
            case .suspicion(let peer, let sequence, let accuser):
                suspect(peer, at: sequence, by: accuser)
            }
        }
        return hadNew
    }
}
