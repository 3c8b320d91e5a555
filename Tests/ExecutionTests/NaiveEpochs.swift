import Primitives

@testable import Execution

/// A validator as the naive model has it.
struct NaiveSeat: Hashable {
    let key: PublicKey
    let peer: PeerID
    let weight: UInt64
    let reward: Address
}

/// Candidacy and elections as the naive model has them: every election looks at all stakes, and no
/// committee is ever forgotten.
extension NaiveLedger {
    /// Of the block that is being executed, or was last.
    var committee: [NaiveSeat] { committees[Int((max(height, 1) - 1) / epochBlocks)] }

    mutating func declare(_ key: PublicKey, _ sender: Address) throws {
        var stake = try own(key, sender)
        if stake.isCandidate { throw Failed(code: .alreadyCandidate) }
        if stake.free == nil { throw Failed(code: .jailedForGood) }
        if !stake.isFree(at: height) { throw Failed(code: .stillJailed) }
        if stake.bonded < stakeMinimum { throw Failed(code: .stakeTooSmall) }
        stake.isCandidate = true
        stakes[key] = stake
    }

    mutating func stopStanding(_ key: PublicKey, _ sender: Address) throws {
        var stake = try own(key, sender)
        if !stake.isCandidate { throw Failed(code: .notCandidate) }
        stake.isCandidate = false
        stakes[key] = stake
    }

    /// A lag before the end of an epoch, the next one's committee.
    mutating func elect() {
        guard (height + lag + 1) / epochBlocks == committees.count else { return }
        let ranked = stakes.filter {
            $0.value.isCandidate && $0.value.isFree(at: height) && $0.value.bonded >= stakeMinimum
        }.sorted { ($1.value.bonded, $0.key) < ($0.value.bonded, $1.key) }
        var elected: [NaiveSeat] = []
        for (key, stake) in ranked where !elected.contains(where: { $0.peer == stake.peer }) {
            elected.append(
                NaiveSeat(
                    key: key, peer: stake.peer, weight: stake.bonded / stakeUnit,
                    reward: stake.owner))
        }
        committees.append(elected.isEmpty ? committees.last ?? [] : Array(elected.prefix(seats)))
    }

    /// Where the ledger's committees differ from the model's.
    func epochDifferences(_ ledger: Ledger) -> [String] {
        let oldest = (height - min(height - 1, verification.unbondBlocks) - 1) / epochBlocks
        let wanted = oldest...UInt64(committees.count - 1)
        var differences: [String] = []
        if ledger.epochs.epochs.map(\.rawValue) != Array(wanted) {
            differences.append("epochs \(ledger.epochs.epochs), model \(wanted)")
        }
        for epoch in wanted {
            let record = ledger.epochs.record(of: Epoch(epoch))
            let found = record?.validators.map {
                NaiveSeat(
                    key: $0.votingKey, peer: $0.peerID, weight: $0.weight,
                    reward: $0.rewardAddress)
            }
            if found != committees[Int(epoch)] {
                let model = committees[Int(epoch)]
                differences.append("epoch \(epoch): \(found as Any), model \(model)")
            }
            let boundary =
                epoch < 2 ? Digest.zero : World.digest(Height((epoch - 1) * epochBlocks))
            if record?.boundary != boundary {
                differences.append("epoch \(epoch) begins from \(record?.boundary as Any)")
            }
        }
        return differences
    }
}
