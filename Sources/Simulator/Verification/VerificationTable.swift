internal import Mempool
internal import Primitives

/// What spreading saves: signatures that engines check, counted while they certify one batch.
package struct VerificationTable: Sendable {
    /// One line: a committee and a size of batches.
    package struct Row: Sendable {
        package let validators: Int
        /// Verifiers without a vote, with a third of all bonds together.
        package let edges: Int
        /// Transactions in the batch, of one signature each, planted faults included.
        package let batch: Int
        /// Users' signatures that all nodes checked together.
        package let checks: UInt64
        /// Those that validators checked.
        package let validatorChecks: UInt64
        /// Signatures of acks, headers and certificates that all nodes checked.
        package let certificateChecks: UInt64
        /// Entries of the certificate.
        package let entries: Int
    }

    package let rows: [Row]

    package static let committees = [4, 10, 31, 100]
    package static let batches = [64, 512, 4096]

    /// Runs every committee with every size; the rows in order.
    package init(
        committees: [Int] = VerificationTable.committees,
        batches: [Int] = VerificationTable.batches
    ) {
        rows = committees.flatMap { count in
            [0, max(2, count / 8)].flatMap { edges in
                batches.map { size in
                    var network = CountingNetwork(validators: count, edges: edges)
                    return network.certify(size)
                }
            }
        }
    }
}

extension VerificationTable.Row {
    /// All nodes' checks of users' signatures for each transaction, in thousandths.
    package var checksPerTransaction: UInt64 { checks * 1000 / UInt64(batch) }

    /// What one validator checks of users' signatures for each transaction, on average.
    package var checksPerValidator: UInt64 {
        validatorChecks * 1000 / UInt64(batch * validators)
    }

    /// Signatures of acks, headers and certificates for each transaction.
    package var certificateChecksPerTransaction: UInt64 {
        certificateChecks * 1000 / UInt64(batch)
    }

    /// How many times as many signatures all nodes check where every validator checks every one.
    package var factor: UInt64 { UInt64(validators) * 1000 * UInt64(batch) / max(checks, 1) }

    /// The same with everything that certificates cost on the side of spreading.
    package var factorNet: UInt64 {
        UInt64(validators) * 1000 * UInt64(batch) / max(checks + certificateChecks, 1)
    }

    /// The same for the users' signatures that a validator has left.
    package var factorOfValidators: UInt64 {
        UInt64(validators) * 1000 * UInt64(batch) / max(validatorChecks, 1)
    }
}

/// Engines joined by a network that delivers everything in order and at once.
private struct CountingNetwork {
    private let layout: ShardLayout
    private let peers: [PeerID]
    private let users: [SecretKey]
    private var engines: [MempoolEngine]
    private var runner = CheckRunner(Traffic.shared)
    private var pending: [(from: Int, to: Int, MempoolMessage)] = []
    private var certificateChecks: UInt64 = 0
    private var certificate: BatchCertificate?
    private let validators: Int
    private static let moment = Moment(now: Instant(milliseconds: 1000), wall: 1000)

    init(validators count: Int, edges: Int) {
        validators = count
        let keys = (0..<count + edges).map { CountingNetwork.key(5, $0) }
        let members = keys.prefix(count).map {
            Validator(
                votingKey: $0.publicKey, peerID: PeerID($0.publicKey), weight: 12,
                rewardAddress: .zero)
        }
        guard let committee = try? Committee(chainID: .zero, epoch: 0, validators: members) else {
            preconditionFailure("a committee of \(count)")
        }
        // Half of the validators' bonds is a third of all.
        let bond = edges > 0 ? UInt64(6 * count / edges + 1) : 0
        let set = VerifierSet(
            period: 0, committee: committee,
            others: keys.dropFirst(count).map {
                BondedVerifier(
                    key: $0.publicKey, peerID: PeerID($0.publicKey), bond: bond,
                    rewardAddress: .zero)
            })
        layout = ShardLayout(committee: committee, verifierSets: [0: set])
        peers = keys.map { PeerID($0.publicKey) }
        let layout = layout
        engines = keys.enumerated().map { place, key in
            MempoolEngine(
                layout: layout, ownIndex: place < count ? ValidatorIndex(UInt16(place)) : nil,
                signer: key, table: LaneTable(), height: 0)
        }
        users = CountingNetwork.users(of: layout)
        for node in engines.indices {
            for other in engines.indices where other != node {
                feed(.connected(peers[other]), to: node)
            }
        }
    }

    private static func key(_ kind: UInt64, _ index: Int) -> SecretKey {
        let seed = Digest.hash(.random, kind.bcsLittleEndian + UInt64(index).bcsLittleEndian)
        return SecretKey(seed: SecureBytes(copying: seed.bytes))
    }

    /// As many users of shard 0 as fill the largest batch.
    private static func users(of layout: ShardLayout) -> [SecretKey] {
        let wanted = BatchLimits.transactionsMax / BatchLimits.senderTransactionsMax
        var users: [SecretKey] = []
        var index = 0
        while users.count < wanted {
            let key = key(6, index)
            if layout.shard(of: Policy.single(key.publicKey).address) == 0 { users.append(key) }
            index += 1
        }
        return users
    }

    private func payments(_ count: Int) -> [SignedTransaction] {
        (0..<count).map { place in
            let user = users[place / BatchLimits.senderTransactionsMax]
            let sequence = UInt64(place % BatchLimits.senderTransactionsMax)
            let body = Transaction(
                chainID: .zero, sender: Policy.single(user.publicKey).address,
                sequence: SequenceNumber(sequence), validUntil: Timestamp(.max), maxFee: 1,
                operations: [.transfer(Transfer(to: .zero, amount: 1))])
            return SignedTransaction(signing: body, by: [user])
        }
    }

    /// Lets the owner of shard 0 seal a batch of `count` and everybody certify it.
    mutating func certify(_ count: Int) -> VerificationTable.Row {
        let owner = Int(
            layout.owner(of: Lane(shard: 0, term: 0, rank: 0))?.rawValue ?? 0)
        for (place, payment) in payments(count).enumerated() {
            feed(.submitted(RequestID(UInt64(place)), payment), to: owner)
        }
        // All are admitted before anything is sealed.
        for case .check(let id, let job, _) in engines[owner].flush(at: CountingNetwork.moment) {
            feed(.checked(id, runner.run(job, in: layout)), to: owner)
        }
        run()
        let checks = engines.map(\.signaturesChecked)
        return VerificationTable.Row(
            validators: validators, edges: peers.count - validators,
            batch: Int(certificate?.header.content.transactionCount ?? 0),
            checks: checks.reduce(0, +), validatorChecks: checks.prefix(validators).reduce(0, +),
            certificateChecks: certificateChecks, entries: certificate?.entries.count ?? 0)
    }

    private mutating func feed(_ event: MempoolEvent, to node: Int) {
        do throws(StorageFault) {
            try engines[node].handle(
                event, at: CountingNetwork.moment, view: CountingView())
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Until nothing happens any more, or the first batch has its certificate everywhere.
    private mutating func run() {
        var isBusy = true
        while isBusy {
            isBusy = false
            for node in engines.indices {
                let effects = engines[node].flush(at: CountingNetwork.moment)
                isBusy = isBusy || !effects.isEmpty
                for effect in effects { carryOut(effect, of: node) }
            }
            let messages = pending
            pending = []
            for (from, to, message) in messages { feed(.received(peers[from], message), to: to) }
        }
    }

    private mutating func carryOut(_ effect: MempoolEffect, of node: Int) {
        switch effect {
        case .check(let id, let job, _):
            switch job {
            case .work(let work): certificateChecks += work.checksHeader ? 1 : 0
            case .acks, .certificate, .complaint:
                certificateChecks += UInt64(job.signatureCount)
            case .transactions: break
            }
            feed(.checked(id, runner.run(job, in: layout)), to: node)
        case .send(let peer, let message): post(message, node, [peer])
        case .multicast(let peers, let message): post(message, node, peers)
        case .broadcast(let message):
            if case .certificate(let made) = message, certificate == nil { certificate = made }
            post(message, node, peers.filter { $0 != peers[node] })
        default: break
        }
    }

    private mutating func post(_ message: MempoolMessage, _ from: Int, _ to: [PeerID]) {
        var message = message
        if case .task = message, let copy = try? MempoolMessage(bcs: message.bcsBytes) {
            message = copy
        }
        // One batch is counted: its originals of planted faults would make another.
        if case .batch(let batch, _) = message, batch.position > 1 { return }
        if case .task(let task) = message, task.header.content.position > 1 { return }
        for peer in to {
            if let place = peers.firstIndex(of: peer) { pending.append((from, place, message)) }
        }
    }
}

/// A state in which everybody is rich.
private struct CountingView: AdmissionView {
    func admission(of transaction: SignedTransaction) throws(StorageFault) -> Admission {
        .admissible(nextSequence: 0, spendable: 1_000_000, cost: 1, tip: 0)
    }
}
