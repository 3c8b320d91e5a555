internal import Execution
internal import Primitives
internal import RPC
internal import Runtime

extension NodeBackend {
    func history(
        of address: Address, _ query: HistoryQuery
    ) async throws(RPCFault) -> AccountHistory {
        let history = try read { snapshot throws(StorageFault) in
            try views.ledger.history(of: address, query, in: snapshot)
        }
        guard let history else {
            throw .unavailable([
                "this node keeps no history of accounts: history.accounts is false in its"
                    + " configuration"
            ])
        }
        return history
    }

    /// Which transaction used a sequence of stream 0; nil also where no history tells.
    func firstStream(
        _ sender: Address, _ sequence: SequenceNumber, in source: any KeyValueSource
    ) throws(StorageFault) -> TransactionID? {
        var search = try SequenceSearch(of: sender, in: source)
        return try search?.transaction(with: sequence)
    }

    /// What proves that the history only grew; nil for heights that it doesn't have.
    func consistency(
        from: Height?, to: Height?, in reader: LedgerReader
    ) throws(StorageFault) -> ConsistencyProof? {
        let newest = try reader.historyCount()
        let last = to ?? Height(newest)
        return try reader.consistencyProof(from: from ?? last, to: last)
    }
}
