import Execution
import Mempool
import NodeCore
import Primitives
import TestSupport

/// Everybody's keys, and the genesis that names them.
struct FuzzKeys: Sendable {
    /// The genesis' time.
    static let start: UInt64 = 1_790_000_000_000

    /// Four validators, then a verifier without a vote.
    let nodes: [SecretKey]
    let people: [SecretKey]
    let genesis: Genesis
    private let byKey: [PublicKey: SecretKey]
    private let byAddress: [Address: SecretKey]

    init() throws {
        nodes = (0..<5).map { TestKeys.key(seed: 70, index: $0) }
        people = (0..<8).map { TestKeys.key(seed: 71, index: $0) }
        genesis = try FuzzKeys.genesis(nodes, people)
        let all = nodes + people
        byKey = Dictionary(all.map { ($0.publicKey, $0) }) { first, _ in first }
        byAddress = Dictionary(all.map { (Policy.single($0.publicKey).address, $0) }) { first, _ in
            first
        }
    }

    private static func genesis(_ nodes: [SecretKey], _ people: [SecretKey]) throws -> Genesis {
        let treasury = Policy.single(TestKeys.key(seed: 72, index: 0).publicKey).address
        let verifier = nodes[4]
        return try Genesis(
            network: "fuzz", prefix: "opk", time: Timestamp(start),
            accounts: people.map {
                GenesisAccount(owner: .policy(.single($0.publicKey)), balance: 1_000_000_000)
            },
            validators: nodes.prefix(4).map {
                GenesisValidator(
                    votingKey: $0.publicKey, peerID: PeerID($0.publicKey),
                    rewardAddress: Policy.single($0.publicKey).address, stake: 1_000_000)
            },
            verifiers: [
                GenesisVerifier(
                    key: verifier.publicKey, peerID: PeerID(verifier.publicKey),
                    rewardAddress: Policy.single(people[0].publicKey).address, bond: 1_000_000)
            ],
            parameters: LedgerParameters(fees: FeeParameters(treasury: treasury)))
    }

    func peer(_ node: Int) -> PeerID { PeerID(nodes[node].publicKey) }
    func node(_ peer: PeerID) -> Int? { nodes.firstIndex { PeerID($0.publicKey) == peer } }
    func address(_ person: Int) -> Address { Policy.single(people[person].publicKey).address }

    /// The secret half of a key that somebody here has.
    func secret(of key: PublicKey) -> SecretKey? { byKey[key] }
    /// The key whose single policy opens an account.
    func secret(of address: Address) -> SecretKey? { byAddress[address] }

    /// The key of a committee member other than `node`, which never signs what it didn't make.
    func voter(_ index: ValidatorIndex, not node: Int) -> SecretKey? {
        let place = Int(index.rawValue)
        return place < 4 && place != node ? nodes[place] : nil
    }

    /// A transaction of one person.
    func signed(
        _ person: Int, _ sequence: UInt64, _ operations: [Operation], stream: UInt16 = 0,
        cosigners: [Int] = [], memo: [UInt8] = []
    ) -> SignedTransaction {
        let transaction = Transaction(
            chainID: genesis.chainID, sender: address(person), stream: stream,
            sequence: SequenceNumber(sequence),
            validUntil: Timestamp(FuzzKeys.start + 3_600_000), maxFee: 1_000_000,
            cosigners: cosigners.map(address), memo: memo, operations: operations)
        return SignedTransaction(
            signing: transaction, policies: [], by: ([person] + cosigners).map { people[$0] })
    }
}
