internal import Execution
internal import Primitives

/// Whether a store keeps the history of accounts, as its owner wants it.
enum PostingSwitch {
    /// Makes the store keep every change of every balance from now on, or none any more. A history
    /// that was switched off isn't continued later: it would have a hole. What is there of it goes.
    static func set(
        _ isOn: Bool, in store: RocksStore, of genesis: Genesis
    ) throws(StorageFault) {
        let isKept = try PostingIndex.start(in: store) != nil
        guard isOn != isKept else { return }
        let writes = isOn ? try PostingIndex.begin(in: store, genesis) : PostingIndex.end
        try store.apply(writes, clearing: .postings)
        try store.syncLog()
    }
}
