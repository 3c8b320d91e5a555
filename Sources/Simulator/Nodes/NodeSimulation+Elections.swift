internal import Consensus
internal import Execution
internal import NodeCore
internal import Primitives

// Committees that change. Owners of bonds declare candidacies and withdraw them, one at a time in
// the whole network, so that what stands is known but for one of them: no committee may come to
// weigh so little that those who lie or lost their data are more than its F.
extension NodeSimulation {
    /// Standbys come forward and members go, soon; the way back takes longer.
    mutating func beginCandidacy(of node: Int, by user: SimulatedUser) {
        guard !users.contains(where: { $0.errand == .candidacy }) else { return }
        let stands = standing.contains(node)
        let isBack = stands == scenario.standbys.contains(node)
        guard random.chance(isBack ? 30 : 300), !stands || mayWithdraw(node) else { return }
        let key = NodeWorld.key(node).publicKey
        let transaction = user.transaction(
            [stands ? .withdrawCandidacy(key) : .declareCandidate(key)],
            chainID: genesis.chainID, validUntil: wall + 3_000_000)
        begin(.candidacy, [user.signed(transaction)], user)
    }

    private func mayWithdraw(_ node: Int) -> Bool {
        let rest = standing.filter { $0 != node }.reduce(0) { $0 + scenario.weight(of: $1) }
        return rest >= scenario.committeeWeightMin
    }

    /// What an owner asked for is final.
    mutating func noteCandidacy(_ user: SimulatedUser) {
        guard let node = user.node else { return }
        if standing.remove(node) == nil { standing.insert(node) }
    }

    // MARK: Epochs

    mutating func noteChange(to committee: Committee) {
        let previous = committee.epoch.clampedRetreat(by: 1)
        guard previous < committee.epoch, let before = votes[previous]?.committee else { return }
        let (old, new) = (peers(of: before), peers(of: committee))
        if old != new { marks.reach(.committeeChanged) }
        if !old.isSubset(of: new) { marks.reach(.memberLeft) }
        let earlier = votes.filter { $0.key < previous }.values.map { peers(of: $0.committee) }
        let came = new.subtracting(old)
        if earlier.contains(where: { !$0.isDisjoint(with: came) }) { marks.reach(.memberReturned) }
    }

    private func peers(of committee: Committee) -> Set<PeerID> {
        Set(committee.validators.map(\.peerID))
    }

    /// Nobody signs in an epoch before the one before it can be over, nor before those who answered
    /// its question weigh a quorum with itself.
    mutating func checkEntry(_ epoch: Epoch, of host: SimulatedHost) {
        guard let committee = votes[epoch]?.committee else { return }
        let known = (host.heard[epoch] ?? []).union([host.peerID])
        let weight = committee.validators.filter { known.contains($0.peerID) }
            .reduce(0) { $0 + $1.weight }
        oracle.expect(
            weight >= committee.quorum,
            "node \(host.index) signs in epoch \(epoch) unasked, having heard \(weight)")
        guard epoch > 0 else { return }
        let before = epoch.clampedRetreat(by: 1)
        let last = genesis.epochs.last(of: before)
        oracle.expect(
            votes[before].map { $0.finalizableHeight >= last } ?? false,
            "node \(host.index) signs in epoch \(epoch), and block \(last) can't be final")
    }

    // MARK: At the end

    /// Elects anew by the receipts of candidacies: the committees must be those of the state.
    mutating func checkElections(
        of host: SimulatedHost, _ reader: LedgerReader
    ) throws(StorageFault) {
        guard let epochs = host.core?.value.ledger.epochs, epochs.newest > 0 else { return }
        let changes = try candidacies(reader)
        for number in 1...epochs.newest.rawValue {
            guard let committee = epochs[Epoch(number)] else { continue }
            let decision = genesis.epochs.decision(of: committee.epoch)
            var candidates = Set(scenario.weights.indices)
            for change in changes where change.height <= decision {
                if candidates.remove(change.node) == nil { candidates.insert(change.node) }
            }
            let peers = Set(candidates.map { NodeWorld.key($0).publicKey }.map(PeerID.init))
            oracle.expect(
                committee.count == peers.count && self.peers(of: committee) == peers,
                "node \(host.index): candidates \(candidates.sorted()) aren't the committee of "
                    + "epoch \(number)")
        }
    }

    /// Every change of a candidacy, in the order of the chain.
    private func candidacies(
        _ reader: LedgerReader
    ) throws(StorageFault) -> [(height: Height, node: Int)] {
        var changes: [(height: Height, sequence: SequenceNumber, node: Int)] = []
        let owners = users.dropFirst(payers)
        for (id, transaction) in history.submitted {
            let body = transaction.transaction
            guard let node = owners.first(where: { $0.address == body.sender })?.node,
                let receipt = try reader.receipt(id), receipt.outcome == .success
            else { continue }
            changes.append((receipt.height, body.sequence, node))
        }
        changes.sort { ($0.height, $0.sequence) < ($1.height, $1.sequence) }
        return changes.map { ($0.height, $0.node) }
    }
}
