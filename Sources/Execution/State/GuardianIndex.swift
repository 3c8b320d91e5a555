internal import Primitives

/// Which accounts an address guards, over the guarded column: key (guardian ‖ account).
///
/// Nothing that is executed reads it: it answers questions.
enum GuardianIndex {
    /// Notes that an account's guardians changed.
    static func move(
        _ account: Address, from before: Account?, to after: Account?, _ writes: inout WriteSet
    ) {
        let old = guardians(of: before)
        let new = guardians(of: after)
        guard old != new else { return }
        for guardian in old where !new.contains(guardian) {
            writes.delete(key(guardian, account), in: .guarded)
        }
        for guardian in new where !old.contains(guardian) {
            writes.put([], in: .guarded, for: key(guardian, account))
        }
    }

    /// In rising order.
    static func guardians(of account: Account?) -> [Address] {
        account?.safeguards?.guardians?.quorum.members.map(\.address) ?? []
    }

    static func key(_ guardian: Address, _ account: Address) -> [UInt8] {
        guardian.bytes + account.bytes
    }

    static func entry(
        _ key: [UInt8]
    ) throws(StorageFault) -> (guardian: Address, account: Address) {
        guard key.count == 64, let guardian = Address(bytes: key.prefix(32)),
            let account = Address(bytes: key.dropFirst(32))
        else { throw StorageFault("\(Hex.encode(key)) isn't a key of the guarded column") }
        return (guardian, account)
    }
}
