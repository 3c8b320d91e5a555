internal import Mempool
internal import Primitives

/// One way to break the rules.
///
/// A liar runs the real engine. Its misbehaviours change what the engine hears, what it is told of
/// the checks that it asked for, and what leaves it; and now and then they act of their own accord.
protocol Misbehaviour: Sendable {
    /// What the engine hears in place of a message; nil for nothing.
    func hear(
        _ message: MempoolMessage, from node: Int, by liar: Int, _ ring: inout Ring
    ) -> MempoolMessage?

    /// What the engine is told that a check found.
    func result(
        _ result: CheckResult, of job: CheckJob, by liar: Int, _ ring: inout Ring
    ) -> CheckResult

    /// What leaves in place of a message.
    func send(
        _ message: MempoolMessage, to node: Int, by liar: Int, _ ring: inout Ring
    ) -> [MempoolMessage]

    /// Puts messages into the ring's outbox.
    func act(by liar: Int, _ ring: inout Ring)

    /// What the liar says that it can do, or nil if it says nothing special.
    func hint(_ ring: inout Ring) -> Capacity?
}

extension Misbehaviour {
    func hear(
        _ message: MempoolMessage, from node: Int, by liar: Int, _ ring: inout Ring
    ) -> MempoolMessage? { message }

    func result(
        _ result: CheckResult, of job: CheckJob, by liar: Int, _ ring: inout Ring
    ) -> CheckResult { result }

    func send(
        _ message: MempoolMessage, to node: Int, by liar: Int, _ ring: inout Ring
    ) -> [MempoolMessage] { [message] }

    func act(by liar: Int, _ ring: inout Ring) {}

    func hint(_ ring: inout Ring) -> Capacity? { nil }
}

/// All liars as one adversary that shares keys and knowledge.
struct Ring: Sendable {
    struct Sent: Sendable {
        let from: Int
        let to: Int
        let message: MempoolMessage
        /// Milliseconds on top of the network's.
        let delay: UInt64
    }

    let traffic: Traffic
    let members: Set<Int>
    let peers: [PeerID]
    let validatorCount: Int
    /// Whose transactions are kept out.
    let victim: Address
    var layout: ShardLayout
    var table = LaneTable()
    var height: Height = 0
    /// The victim's next sequence.
    var victimNext: SequenceNumber = 0
    var random: SeededRandom
    var outbox: [Sent] = []
    /// Batches that liars sealed or got, newest last, and the acks that liars heard of them.
    private(set) var batches: [Batch] = []
    private(set) var acks: [Digest: [AckEntry]] = [:]
    /// Certificates that somebody would have to be fooled with.
    var forged: [BatchCertificate] = []
    /// Transactions that nobody signed, by their bytes.
    private var junk: Set<Digest> = []

    private static let batchesMax = 24

    init(
        traffic: Traffic, members: Set<Int>, peers: [PeerID], validatorCount: Int,
        layout: ShardLayout, seed: UInt64
    ) {
        self.traffic = traffic
        self.members = members
        self.peers = peers
        self.validatorCount = validatorCount
        self.layout = layout
        victim = traffic.address(Traffic.victim)
        random = SeededRandom(seed: seed ^ 0xA5A5_1234)
    }

    var memberList: [Int] { members.sorted() }
    var honest: [Int] { peers.indices.filter { !members.contains($0) } }
    var validators: Range<Int> { 0..<validatorCount }

    func key(_ node: Int) -> SecretKey { traffic.nodeKeys[node] }

    func node(_ index: VerifierIndex, in set: VerifierSet) -> Int? {
        set[index].flatMap { peers.firstIndex(of: $0.peerID) }
    }

    mutating func post(_ message: MempoolMessage, from: Int, to: Int, delay: UInt64 = 0) {
        outbox.append(Sent(from: from, to: to, message: message, delay: delay))
    }

    mutating func learn(_ message: MempoolMessage) {
        switch message {
        case .batch(let batch, _), .body(let batch): learn(batch)
        case .ack(let ack): learn(ack)
        case .certificate(let certificate):
            for entry in certificate.entries {
                learn(Ack(header: certificate.header, entry: entry))
            }
        default: break
        }
    }

    private mutating func learn(_ batch: Batch) {
        guard !batches.contains(where: { $0.digest == batch.digest }) else { return }
        batches.append(batch)
        if batches.count > Ring.batchesMax { acks[batches.removeFirst().digest] = nil }
    }

    mutating func learn(_ ack: Ack) {
        let known = acks[ack.header.digest] ?? []
        guard known.count < 64, !known.contains(ack.entry) else { return }
        acks[ack.header.digest, default: []].append(ack.entry)
    }

    // MARK: Junk

    /// A payment out of the victim's account that it never signed.
    mutating func makeJunk() -> SignedTransaction {
        let policy = Policy.single(traffic.users[Traffic.victim].publicKey)
        let body = Transaction(
            chainID: traffic.chainID, sender: policy.address, sequence: victimNext,
            validUntil: Timestamp(.max), maxFee: 2,
            operations: [.transfer(Transfer(to: .zero, amount: Amount(random.number(in: 2...90))))])
        let place = Int(random.next() % UInt64(Traffic.payments))
        let transaction = SignedTransaction(
            transaction: body, policies: [policy],
            authorizations: traffic.payments[Traffic.victim][place].authorizations)
        junk.insert(Ring.name(transaction))
        return transaction
    }

    func isJunk(_ transaction: SignedTransaction) -> Bool {
        transaction.transaction.sender == victim && junk.contains(Ring.name(transaction))
    }

    private static func name(_ transaction: SignedTransaction) -> Digest {
        Digest.hash(.random, transaction.bcsBytes)
    }

    /// Signs an entry in a liar's name.
    func entry(
        _ header: BatchHeader, by node: Int, signer: VerifierIndex, stored: Bool, chunks: UInt32,
        verdicts: [ChunkVerdict]
    ) -> AckEntry {
        let blank = AckEntry(
            signer: signer, stored: stored, chunks: chunks, verdicts: verdicts,
            signature: Signature(r: .zero, s: .zero))
        return AckEntry(
            signer: signer, stored: stored, chunks: chunks, verdicts: verdicts,
            signature: key(node).signature(over: blank.digest(of: header)))
    }
}
