internal import Execution
internal import Mempool
internal import NodeCore
internal import Primitives

/// A node of the verification simulation: its engine while it runs, and what it has on disk.
final class VerificationNode {
    let number: Int
    let peerID: PeerID
    let key: SecretKey
    /// Nil for a verifier without a vote.
    let ownIndex: ValidatorIndex?
    /// Nil while the node is down.
    var engine: MempoolEngine?
    /// Raised by each start and end: what was under way for an earlier life is void.
    var life = 0
    var restarts = 0
    /// Finalized and executed heights.
    var height: Height = 0
    var executed: Height = 0
    var accounts: SimulatedAccounts
    /// How its lies are told; none for an honest node.
    let misbehaviours: [any Misbehaviour]

    private(set) var store = MemoryStore()
    /// Writes that a loss of power takes.
    private var unsynced = WriteSet()
    private var synced: (height: Height, executed: Height) = (0, 0)

    init(
        number: Int, key: SecretKey, ownIndex: ValidatorIndex?, accounts: SimulatedAccounts,
        misbehaviours: [any Misbehaviour]
    ) {
        self.number = number
        self.key = key
        peerID = PeerID(key.publicKey)
        self.ownIndex = ownIndex
        self.accounts = accounts
        self.misbehaviours = misbehaviours
    }

    var isUp: Bool { engine != nil }
    var isLiar: Bool { !misbehaviours.isEmpty }

    /// Everything up to these writes is on disk.
    func sync(_ writes: WriteSet) {
        store.apply(unsynced)
        unsynced = WriteSet()
        store.apply(writes)
        synced = (height, executed)
    }

    func write(_ writes: WriteSet) { unsynced.append(writes) }

    /// Ends the life; a loss of power takes what wasn't synced.
    func stop(losingPower: Bool) {
        engine = nil
        life += 1
        restarts += 1
        if losingPower {
            (height, executed) = synced
        } else {
            store.apply(unsynced)
        }
        unsynced = WriteSet()
    }

    func batch(_ digest: Digest) -> Batch? {
        if let batch = engine?.body(digest) { return batch }
        return (try? ChainStore(store).batch(digest)) ?? nil
    }

    /// What a start finds of the own acks.
    func acks() throws(StorageFault) -> [RecoveredAck] { try ChainStore(store).acks() }
}
