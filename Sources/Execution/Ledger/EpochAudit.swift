internal import Primitives

/// Checks what the state says of epochs: the committees of exactly those that can still matter,
/// and the block that ended the newest one.
struct EpochAudit {
    private let source: any KeyValueSource
    private let head: StoredState.Head
    private let parameters: LedgerParameters

    init(of source: any KeyValueSource, _ head: StoredState.Head) throws(StorageFault) {
        guard let parameters = try LedgerReader(source).parameters() else {
            throw StorageFault("the state has no parameters")
        }
        self.source = source
        self.head = head
        self.parameters = parameters
    }

    /// Checks that everything is there that must be.
    func run() throws(StorageFault) {
        _ = try EpochTable(opening: source, parameters, head.chainID, at: head.height)
        guard let boundary = try boundary() else { return }
        try check(boundary)
    }

    /// Checks a value of the system; those that aren't about epochs pass.
    func check(_ row: StateRow) throws(StorageFault) {
        let name = String(decoding: row.key.id, as: UTF8.self)
        if name == EpochBoundary.name {
            guard let boundary = try boundary(), boundary.bcsBytes == row.value else {
                throw StorageFault("the state names the end of an epoch that hasn't ended")
            }
            try check(boundary)
        } else if name.hasPrefix(EpochTable.namePrefix) {
            try check(try StoredState.decode(row.value, "the value of \(row.key)"), name)
        }
    }

    private func boundary() throws(StorageFault) -> EpochBoundary? {
        try EpochBoundary.stored(in: source, parameters.epochs, at: head.height)
    }

    private func check(_ boundary: EpochBoundary) throws(StorageFault) {
        let last = parameters.epochs.last(of: boundary.epoch)
        let entry = try HistoryLog.entry(last.rawValue - min(last.rawValue, 1), in: source)
        guard let entry, entry.height == last, entry.block == boundary.block else {
            throw StorageFault("the block that ended epoch \(boundary.epoch) isn't the history's")
        }
    }

    private func check(_ record: EpochRecord, _ name: String) throws(StorageFault) {
        guard name == EpochTable.name(of: record.epoch),
            EpochTable.isKept(record.epoch, at: head.height, parameters)
        else { throw StorageFault("\(name): epoch \(record.epoch) isn't one that is kept there") }
        do throws(Committee.Fault) {
            _ = try record.committee(chainID: head.chainID)
        } catch {
            throw StorageFault("\(name): a committee that can't vote: \(error)")
        }
    }
}
