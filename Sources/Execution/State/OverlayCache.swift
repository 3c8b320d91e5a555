/// Values in memory in front of the store: those that were changed since the store was last up to
/// date, which must not be lost, and a bounded number of others.
///
/// Two generations keep what is used: when the young one is full it becomes the old one, and what
/// the old one held is forgotten. Memory: at most twice `countMax` values, and what is pending.
struct OverlayCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let countMax: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private var pending: [Key: Value?] = [:]
    private var pendingKeys: [Key] = []

    /// What is known of a key.
    enum Knowledge {
        case value(Value)
        /// Deleted since the store was up to date.
        case deleted
        /// The store must be asked.
        case unknown
    }

    init(countMax: Int) { self.countMax = countMax }

    /// What is known of `key`.
    func knowledge(of key: Key) -> Knowledge {
        if let change = pending[key] {
            guard let value = change else { return .deleted }
            return .value(value)
        }
        guard let value = young[key] ?? old[key] else { return .unknown }
        return .value(value)
    }

    /// As `knowledge(of:)`; what is asked for stays young.
    mutating func recall(_ key: Key) -> Knowledge {
        let known = knowledge(of: key)
        if let value = old[key], young[key] == nil, pending[key] == nil {
            keep(value, for: key)
        }
        return known
    }

    /// Keeps a value that was read from the store.
    mutating func keep(_ value: Value, for key: Key) {
        if young.count >= countMax {
            old = young
            young = Dictionary(minimumCapacity: countMax)
        }
        young[key] = value
    }

    /// Notes a change that the store doesn't have yet; nil deletes.
    mutating func write(_ value: Value?, for key: Key) {
        if pending.updateValue(value, forKey: key) == nil { pendingKeys.append(key) }
    }

    /// The store has every change that was noted.
    mutating func writesApplied() {
        for key in pendingKeys {
            guard let change = pending[key] else { continue }
            if let value = change {
                keep(value, for: key)
            } else {
                young[key] = nil
            }
            // A change makes what the old generation says of the key wrong.
            old[key] = nil
        }
        pending.removeAll(keepingCapacity: true)
        pendingKeys.removeAll(keepingCapacity: true)
    }
}
