internal import Primitives

/// A node's store in memory: what it was told, and how much of that is still there after a crash.
///
/// Writes are numbered. Those up to `flushed` were handed to the system and survive the end of the
/// process; those up to `synced` survive a loss of power. Damaged keys are found when they are
/// read, as checksums find them.
// SAFETY: only a SimulatedHost and the core in it hold the store. The host isn't Sendable, so the
// compiler keeps it, and with it every call of the core and of the store, on the run's one thread.
final class SimulatedStore: KeyValueSource, @unchecked Sendable {
    fileprivate struct Contents {
        var values: [[UInt8]: [UInt8]] = [:]
        /// The keys in rising order; nil after one was added or taken away.
        var sortedKeys: [[UInt8]]?
    }

    /// What a write replaced.
    fileprivate struct Undo {
        let column: Column
        let key: [UInt8]
        let before: [UInt8]?
    }

    fileprivate struct State {
        var columns: [Column: Contents] = [:]
        /// For each write behind `synced`, oldest first.
        var undo: [[Undo]] = []
        /// Writes of `undo` that the system has.
        var flushed = 0
        var damaged: Set<DamagedKey> = []
    }

    fileprivate struct DamagedKey: Hashable {
        let column: Column
        let key: [UInt8]
    }

    private var state = State()

    // MARK: Writing

    /// Carries out the changes together; a later crash may lose them.
    func apply(_ writes: WriteSet) {
        guard !writes.isEmpty else { return }
        state.undo.append(
            writes.changes.map { change in
                let before = SimulatedStore.set(change.value, change.column, change.key, &state)
                return Undo(column: change.column, key: change.key, before: before)
            })
    }

    private static func set(
        _ value: [UInt8]?, _ column: Column, _ key: [UInt8], _ state: inout State
    ) -> [UInt8]? {
        if !state.damaged.isEmpty { state.damaged.remove(DamagedKey(column: column, key: key)) }
        var before: [UInt8]?
        if let value {
            before = state.columns[column, default: Contents()].values.updateValue(
                value, forKey: key)
        } else {
            before = state.columns[column, default: Contents()].values.removeValue(forKey: key)
        }
        if (before == nil) != (value == nil) { state.columns[column]?.sortedKeys = nil }
        return before
    }

    func flush() { state.flushed = state.undo.count }

    func sync() {
        state.undo.removeAll()
        state.flushed = 0
    }

    /// Writes that a loss of power may take.
    var unsyncedCount: Int { state.undo.count }

    /// How many of them survive the end of the process.
    var flushedCount: Int { state.flushed }

    /// Loses an arbitrary number of the last writes that nothing protects.
    /// - Parameter losesPower: whether what the system had is lost too.
    func crash(losesPower: Bool, _ random: inout SeededRandom) {
        let least = losesPower ? 0 : state.flushed
        crash(keeping: Int(random.number(in: UInt64(least)...UInt64(state.undo.count))))
    }

    /// - Parameter kept: how many of the writes that weren't synced stay, the oldest.
    func crash(keeping kept: Int) {
        while state.undo.count > kept, let writes = state.undo.popLast() {
            for undo in writes.reversed() {
                _ = SimulatedStore.set(undo.before, undo.column, undo.key, &state)
            }
        }
        // What is there after the start was read from the disk.
        sync()
    }

    /// Damages one key, chosen by `random`; false for an empty store.
    func damage(_ random: inout SeededRandom) -> Bool {
        let columns = Column.allCases.filter { state.columns[$0]?.values.isEmpty == false }
        guard let column = random.element(of: columns) else { return false }
        let keys = SimulatedStore.sortedKeys(column, &state)
        guard let key = random.element(of: keys) else { return false }
        state.damaged.insert(DamagedKey(column: column, key: key))
        return true
    }

    // MARK: Coming back

    /// Everything that the store holds at some time.
    struct Saved { fileprivate let state: State }

    func save() -> Saved { Saved(state: state) }

    func restore(_ saved: Saved) { state = saved.state }

    // MARK: Reading

    func value(in column: Column, for key: [UInt8]) throws(StorageFault) -> [UInt8]? {
        try SimulatedStore.check([key], column, state)
        return state.columns[column]?.values[key]
    }

    func pairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        let keys = SimulatedStore.sortedKeys(column, &state)
        let first = SimulatedStore.place(of: start, in: keys)
        let found = keys[first...].prefix { key in
            end.map { SimulatedStore.isBefore(key, $0) } ?? true
        }.prefix(limit)
        try SimulatedStore.check(found, column, state)
        let values = state.columns[column]?.values ?? [:]
        return found.map { KeyValue(key: $0, value: values[$0] ?? []) }
    }

    private static func check(
        _ keys: some Sequence<[UInt8]>, _ column: Column, _ state: State
    ) throws(StorageFault) {
        if state.damaged.isEmpty { return }
        for key in keys where state.damaged.contains(DamagedKey(column: column, key: key)) {
            throw StorageFault("checksum mismatch in \(column) at \(Hex.encode(key))")
        }
    }

    private static func sortedKeys(_ column: Column, _ state: inout State) -> [[UInt8]] {
        guard let contents = state.columns[column] else { return [] }
        if let keys = contents.sortedKeys { return keys }
        let keys = contents.values.keys.sorted(by: isBefore)
        state.columns[column]?.sortedKeys = keys
        return keys
    }

    private static func isBefore(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.lexicographicallyPrecedes(right)
    }

    private static func place(of key: [UInt8], in keys: [[UInt8]]) -> Int {
        var lower = 0
        var upper = keys.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if isBefore(keys[middle], key) { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}
