import Primitives
import TestSupport

@testable import Mempool

/// Four mempools of validators, and of verifiers without a vote, joined by a network that delivers
/// in order, at once, and checks signatures for real; the test decides who is up and what is
/// included.
struct MempoolNetwork {
    /// The validators' keys, then those of verifiers without a vote.
    let keys: [SecretKey]
    private(set) var committee: Committee
    private(set) var layout: ShardLayout
    var engines: [MempoolEngine]
    var view = FixedView()
    var isUp: [Bool]
    var now = Instant(milliseconds: 1000)
    var replies: [(request: RequestID, id: TransactionID, outcome: SubmitOutcome)] = []
    var stored: [WriteSet] = []
    var penalties: [String] = []
    var evidence: [Evidence] = []
    var penalised: [Int] = []
    /// Lets a test change what a node is told of a check.
    var lie: (_ node: Int, CheckJob, CheckResult) -> CheckResult = { $2 }
    /// Lets a test change or swallow (nil) a message on its way.
    var tamper: (_ from: Int, _ to: Int, MempoolMessage) -> MempoolMessage? = { $2 }
    private var pending: [(from: Int, to: Int, message: MempoolMessage)] = []

    /// - Parameters:
    ///   - bonds: of verifiers without a vote; each validator has 1.
    ///   - epochs: nil for one that never ends.
    init(
        seed: UInt64, settings: BatchSettings = BatchSettings(), bonds: [UInt64] = [],
        epochs: EpochSchedule? = nil
    ) throws {
        keys = (0..<4 + bonds.count).map { TestKeys.key(seed: seed, index: $0) }
        committee = try MempoolNetwork.committeeWithShardsForAll(Array(keys.prefix(4)))
        let others = zip(keys.dropFirst(4), bonds).map { key, bond in
            BondedVerifier(
                key: key.publicKey, peerID: PeerID(key.publicKey), bond: bond,
                rewardAddress: .zero)
        }
        let set = VerifierSet(period: 0, committee: committee, others: others)
        let layout = ShardLayout(
            committee: committee, settings: settings, epochs: epochs, verifierSets: [0: set])
        self.layout = layout
        engines = keys.enumerated().map { place, key in
            MempoolEngine(
                layout: layout, ownIndex: place < 4 ? ValidatorIndex(UInt16(place)) : nil,
                signer: key, table: LaneTable(), height: 0)
        }
        isUp = keys.map { _ in true }
        for node in engines.indices {
            for other in engines.indices where other != node {
                try event(.connected(peer(other)), at: node)
            }
        }
        try run()
    }

    func peer(_ node: Int) -> PeerID { PeerID(keys[node].publicKey) }

    func node(_ peer: PeerID) -> Int? { keys.firstIndex { PeerID($0.publicKey) == peer } }

    /// A committee of a chain in which every member owns a shard: small committees can leave one
    /// out.
    private static func committeeWithShardsForAll(_ keys: [SecretKey]) throws -> Committee {
        let validators = keys.map {
            Validator(
                votingKey: $0.publicKey, peerID: PeerID($0.publicKey), weight: 1,
                rewardAddress: Policy.single($0.publicKey).address)
        }
        var chain: UInt64 = 0
        while true {
            let committee = try Committee(
                chainID: ChainID(Digest.hash(.random, chain.bcsLittleEndian).bytes32), epoch: 0,
                validators: validators)
            let layout = ShardLayout(committee: committee)
            let owners = (0..<8).compactMap { layout.owner(of: Lane(shard: $0, term: 0, rank: 0)) }
            if Set(owners).count == keys.count { return committee }
            chain += 1
        }
    }

    /// All nodes go on with the same validators in the next epoch.
    mutating func enterNextEpoch() throws {
        committee = try Committee(
            chainID: committee.chainID, epoch: committee.epoch.clampedAdvance(by: 1),
            validators: committee.validators)
        layout = ShardLayout(
            committee: committee, settings: layout.settings, epochs: layout.epochs)
        for node in engines.indices {
            engines[node].enter(
                layout, ownIndex: node < committee.count ? ValidatorIndex(UInt16(node)) : nil,
                at: now)
            // As once the committee is on the disk, so that nothing signed in it is forgotten.
            engines[node].silence = .none
        }
        try run()
    }

    mutating func event(_ event: MempoolEvent, at node: Int) throws {
        try engines[node].handle(event, at: moment, view: view)
    }

    var moment: Moment { Moment(now: now, wall: Timestamp(now.milliseconds)) }

    mutating func submit(_ transaction: SignedTransaction, to node: Int, request: UInt64 = 1) throws
    {
        try event(.submitted(RequestID(request), transaction), at: node)
        try run()
    }

    mutating func advance(milliseconds: UInt64) throws {
        for _ in 0..<max(1, milliseconds / 50) {
            now = now.advanced(byMilliseconds: 50)
            for node in engines.indices where isUp[node] { try event(.tick, at: node) }
            try run()
        }
    }

    mutating func stop(_ node: Int) throws {
        isUp[node] = false
        for other in engines.indices where other != node && isUp[other] {
            try event(.disconnected(peer(node)), at: other)
        }
        try run()
    }

    /// Lets everything happen that follows, until nothing does.
    mutating func run() throws {
        var isBusy = true
        while isBusy {
            isBusy = false
            for node in engines.indices where isUp[node] {
                let effects = engines[node].flush(at: moment)
                isBusy = isBusy || !effects.isEmpty
                for effect in effects { try carryOut(effect, of: node) }
            }
            let messages = pending
            pending = []
            for item in messages where isUp[item.to] && isUp[item.from] {
                isBusy = true
                let bytes = item.message.bcsBytes
                try event(
                    .received(peer(item.from), try MempoolMessage(bcs: bytes)), at: item.to)
            }
        }
    }

    private mutating func carryOut(_ effect: MempoolEffect, of node: Int) throws {
        switch effect {
        case .reply(let request, let id, let outcome): replies.append((request, id, outcome))
        case .send(let peer, let message):
            if let to = self.node(peer) { post(message, node, to) }
        case .broadcast(let message):
            for other in engines.indices where other != node { post(message, node, other) }
        case .multicast(let peers, let message):
            for to in peers.compactMap({ self.node($0) }) { post(message, node, to) }
        case .evidence(let item): evidence.append(item)
        case .check(let id, let job, _):
            try event(.checked(id, lie(node, job, job.run(in: layout))), at: node)
        case .store(let writes): stored.append(writes)
        case .penalise(let peer, let reason):
            penalties.append(reason)
            penalised += [self.node(peer)].compactMap(\.self)
        case .forget, .workAvailable, .bodyArrived, .gone: break
        }
    }

    private mutating func post(_ message: MempoolMessage, _ from: Int, _ to: Int) {
        if let message = tamper(from, to, message) { pending.append((from, to, message)) }
    }

    /// Lets all nodes that are up include what `node` would propose, and execute it.
    mutating func include(proposedBy node: Int) throws -> [SignedTransaction] {
        let height = engines[node].height.next ?? 0
        let certificates = engines[node].includable(after: engines[node].table, at: height)
        var transactions: [SignedTransaction] = []
        for certificate in certificates {
            let batch = engines.compactMap { $0.body(certificate.digest) }.first
            let invalid = Set(certificate.invalid)
            for (index, transaction) in (batch?.transactions ?? []).enumerated()
            where !invalid.contains(UInt32(index)) { transactions.append(transaction) }
        }
        var executed: [ExecutedTransaction] = []
        for transaction in transactions {
            let skipped = view.execute(transaction)
            executed.append(ExecutedTransaction(transaction, skipped: skipped))
        }
        for other in engines.indices where isUp[other] {
            try event(.included(height, certificates, passedOver: []), at: other)
            try event(.executed(Timestamp(now.milliseconds), executed), at: other)
        }
        try run()
        return transactions
    }

    /// A transfer of `sender`'s key with a made-up receiver.
    func transfer(_ sender: SecretKey, sequence: UInt64, amount: UInt64 = 1) -> SignedTransaction {
        let policy = Policy.single(sender.publicKey)
        let transaction = Transaction(
            chainID: committee.chainID, sender: policy.address,
            sequence: SequenceNumber(sequence), validUntil: 10_000_000, maxFee: 10,
            operations: [.transfer(Transfer(to: policy.address, amount: Amount(amount)))])
        return SignedTransaction(signing: transaction, policies: [policy], by: [sender])
    }

    /// A sender of a shard.
    func sender(inShard shard: UInt16, salt: Int = 0) -> SecretKey {
        var place = salt * 1000
        while true {
            let key = TestKeys.key(seed: 77, index: place)
            if layout.shard(of: Policy.single(key.publicKey).address) == shard { return key }
            place += 1
        }
    }

    /// A sender whose shard has `owner` at `rank`.
    func sender(ownedBy owner: Int, rank: UInt16 = 0, salt: Int = 0) -> SecretKey {
        var place = salt * 1000
        while true {
            let key = TestKeys.key(seed: 77, index: place)
            let shard = layout.shard(of: Policy.single(key.publicKey).address)
            if layout.owner(of: Lane(shard: shard, term: 0, rank: rank))?.rawValue == UInt16(owner)
            {
                return key
            }
            place += 1
        }
    }
}

/// A state in which everybody is rich and only sequences move.
struct FixedView: AdmissionView {
    var next: [Address: SequenceNumber] = [:]
    var spendable: Amount = 1_000_000
    /// So many signatures a sender's spending limit takes; the admission doesn't know.
    var signatures: [Address: Int] = [:]

    func admission(of transaction: SignedTransaction) throws(StorageFault) -> Admission {
        let body = transaction.transaction
        let next = next[body.sender] ?? 0
        guard body.sequence >= next else { return .refused(.sequenceUsed) }
        var cost = body.maxFee
        for case .transfer(let transfer) in body.operations {
            cost = (try? cost.adding(transfer.amount)) ?? Amount(.max)
        }
        return .admissible(nextSequence: next, spendable: spendable, cost: cost, tip: body.tip)
    }

    mutating func execute(_ transaction: SignedTransaction) -> SkipReason? {
        let body = transaction.transaction
        let expected = next[body.sender] ?? 0
        if body.sequence < expected { return .sequenceUsed }
        if body.sequence > expected { return .sequenceAhead }
        if transaction.authorizations.count < signatures[body.sender] ?? 0 { return .limitReached }
        next[body.sender] = expected.next
        return nil
    }
}
