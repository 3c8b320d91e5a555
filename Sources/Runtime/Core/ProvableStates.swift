package import Consensus
internal import NodeCore
internal import Primitives
internal import Synchronization

/// A state that a finalized block names: whoever trusts the validators can be shown its values.
package struct ProvableState: Sendable {
    /// The finalized block whose header names the state's root.
    package let header: BlockHeader
    package let finalization: Certificate
    /// The store right after the height that the header names.
    package let snapshot: StoreSnapshot
}

/// The newest states of the store, until blocks name them: execution runs ahead of what headers say
/// of it, and the store itself has only the newest state.
final class ProvableStates: Sendable {
    private let snapshots = Mutex<[Height: StoreSnapshot]>([:])
    /// Heights before the newest that a header may still name.
    private let reach: UInt64

    /// - Parameter executionLagMax: heights that a header may be ahead of the state that it names.
    init(executionLagMax: UInt64) { reach = executionLagMax + 1 }

    /// Keeps the state after `height`, the newest.
    func keep(_ snapshot: StoreSnapshot, at height: Height) {
        let oldest = height.clampedRetreat(by: reach)
        snapshots.withLock { snapshots in
            snapshots[height] = snapshot
            for passed in snapshots.keys.filter({ $0 < oldest }) { snapshots[passed] = nil }
        }
    }

    /// Gives all of them back: they keep the store's files open.
    func forget() { snapshots.withLock { $0 = [:] } }

    /// The newest kept state that a finalized block of `store` names; nil after a start, until a
    /// block names the state that the node opened with or a later one.
    func newest(in store: StoreSnapshot) throws(StorageFault) -> ProvableState? {
        let chain = ChainStore(store)
        let newest = try chain.finalizedHeight()
        let oldest = newest.clampedRetreat(by: reach)
        var count = newest.rawValue - oldest.rawValue + 1
        // The newest header may name a state that this node hasn't reached yet.
        while count > 0,
            let (height, certificate) = try chain.lastFinalization(from: oldest, count: count),
            let block = try chain.block(at: height)
        {
            if let snapshot = snapshots.withLock({ $0[block.executed.height] }) {
                return ProvableState(
                    header: block.header, finalization: certificate, snapshot: snapshot)
            }
            count = height.rawValue - oldest.rawValue
        }
        return nil
    }
}
