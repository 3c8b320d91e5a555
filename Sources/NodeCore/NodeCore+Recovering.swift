internal import Consensus
internal import Execution
internal import Mempool
internal import Primitives

/// What a lost signing record, or one that wasn't compared yet, means for the mempool.
extension NodeCore {
    /// Whoever signs again after a loss seals in terms that begin after it knows, by a finalized
    /// block above the floor, all that it can have known before.
    mutating func updateSilence() {
        guard configuration.signing != .observer, consensus.signsAtAll else { return }
        guard let floor = consensus.floor, consensus.abstinence != nil else {
            return mempool.silence = .complete
        }
        guard floor > 0 else {
            // An old copy of a home doesn't know which places of its lanes it has used: those that
            // the others knew at its start are in the blocks until then.
            let isOld = consensus.place.view < consensus.resumedView
            return mempool.silence = isOld ? .sealing : .none
        }
        if heightAboveFloor == nil, consensus.place.view > floor {
            heightAboveFloor = consensus.finalizedHeight
        }
        mempool.silence = heightAboveFloor.map { .sealingThrough($0) } ?? .sealing
    }

    /// The first stored block above the floor, found again after a restart. O(log height).
    mutating func findHeightAboveFloor(upTo tip: Height) throws(StorageFault) {
        guard let floor = consensus.floor, floor > 0, consensus.place.view > floor else {
            return
        }
        let first = configuration.genesis.epochs.first(of: consensus.epoch)
        var (low, high) = (first.rawValue, tip.rawValue)
        while low < high {
            let middle = low + (high - low) / 2
            let isAbove = try store.block(at: Height(middle)).map { $0.view > floor } ?? false
            if isAbove { high = middle } else { low = middle + 1 }
        }
        heightAboveFloor = Height(high)
    }
}
