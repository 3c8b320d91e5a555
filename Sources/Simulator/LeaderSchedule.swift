internal import Consensus
internal import Primitives

/// Who leads follows from the chain id, so a wanted order of leaders is found by trying chain ids.
struct LeaderSchedule: Sendable {
    /// What the chain id is made of.
    let chain: UInt64
    /// The leaders of the views from 1 on.
    let leaders: [Int]

    init(validators: Int, chain: UInt64, views: Int) {
        self.chain = chain
        let committee = LeaderSchedule.committee(validators: validators, chain: chain)
        leaders = (1...views).map { Int(committee.leader(of: View(UInt64($0))).rawValue) }
    }

    /// A committee of equal weights on the chain that `chain` numbers.
    static func committee(validators: Int, chain: UInt64) -> Committee {
        let members = (0..<validators).map { index in
            let key = SimulatedSigner(index: index).publicKey
            return Validator(
                votingKey: key, peerID: PeerID(key), weight: 1, rewardAddress: .zero)
        }
        let digest = Digest.hash(.random, chain.bcsLittleEndian)
        do {
            return try Committee(
                chainID: ChainID(digest.bytes32), epoch: 0, validators: members)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// One schedule for each order of leaders among 4 validators, taking those as equal that differ
    /// only in the names of all but the last validator. Sorted by the first chains that have them.
    ///
    /// - Parameter views: 1...4: the number of tries grows as its fourth power.
    static func all(views: Int) -> [LeaderSchedule] {
        precondition((1...4).contains(views), "\(views) views")
        let tries = UInt64(64) << UInt64(2 * views)
        var found: [[Int]: LeaderSchedule] = [:]
        for chain in 0..<tries {
            let schedule = LeaderSchedule(validators: 4, chain: chain, views: views)
            if found[schedule.pattern] == nil { found[schedule.pattern] = schedule }
        }
        return found.values.sorted { $0.chain < $1.chain }
    }

    /// Equal for orders that differ by the names of validators 0 to 2 only.
    var pattern: [Int] {
        var names: [Int: Int] = [3: 3]
        return leaders.map { leader in
            let name = names[leader] ?? names.count - 1
            names[leader] = name
            return name
        }
    }
}
