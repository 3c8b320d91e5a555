/// Values in memory in front of the store: every one that was changed since the store was last up
/// to date, which must not be lost, and a bounded number of others.
///
/// Two generations keep what is used. Nothing is forgotten but when the store is up to date: then,
/// if the young generation is full, it becomes the old one, and what the old one held goes.
/// Memory: at most twice `countMax` values, and what is read and changed between two such moments.
struct OverlayCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let countMax: Int
    /// Nil for a key that was deleted.
    private var young: [Key: Value?] = [:]
    private var old: [Key: Value?] = [:]

    /// What is known of a key.
    enum Knowledge {
        case value(Value)
        /// The store doesn't have it, or won't.
        case deleted
        /// The store must be asked.
        case unknown
    }

    init(countMax: Int) { self.countMax = countMax }

    /// What is known of `key`.
    func knowledge(of key: Key) -> Knowledge {
        guard let found = young[key] ?? old[key] else { return .unknown }
        return found.map { .value($0) } ?? .deleted
    }

    /// As `knowledge(of:)`; what is asked for stays young.
    mutating func recall(_ key: Key) -> Knowledge {
        if let found = young[key] { return found.map { .value($0) } ?? .deleted }
        guard let found = old[key] else { return .unknown }
        young.updateValue(found, forKey: key)
        return found.map { .value($0) } ?? .deleted
    }

    /// Keeps a value that was read from the store, or a change that the store doesn't have yet; nil
    /// deletes.
    mutating func keep(_ value: Value?, for key: Key) { young.updateValue(value, forKey: key) }

    /// The store has every change.
    mutating func writesApplied() {
        guard young.count >= countMax else { return }
        old = young
        young = Dictionary(minimumCapacity: countMax)
    }
}
