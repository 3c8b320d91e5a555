internal import Consensus
package import Execution
internal import Glibc
internal import NodeCore
internal import Primitives

/// What is known of a home's store without opening it, and how a damaged one is put aside.
extension Home {
    /// What a home without a store means.
    package enum MissingStore: Hashable, Sendable {
        /// There is one, or the node never ran.
        case no
        /// It is gone, and the others have everything that was in it.
        case fetchable
    }

    /// Tells a store that is gone from one that never was. RocksDB would begin an empty one without
    /// a word.
    /// - Parameter isAlone: nobody else could give the chain back.
    /// - Throws: `HomeFault` for a store of which only a part is there, and for one that is gone
    ///   and can't be fetched.
    package func checkStore(isAlone: Bool) throws(HomeFault) -> MissingStore {
        let names = (try? PosixFolder.names(in: data)) ?? []
        if names.contains("CURRENT") { return .no }
        guard !names.contains(where: Home.isContent) else {
            throw HomeFault(
                "\(data)/CURRENT is missing beside other files of the store: the store is damaged. "
                    + StoreAdvice.repair(home: path), exitCode: .storage)
        }
        guard hasFormerLife else { return .no }
        guard !isAlone else {
            throw HomeFault(
                """
                \(data): the store of this validator is gone, and no other validator of the \
                genesis could give the chain back: restore \(data) and \(journal) from a backup
                """, exitCode: .storage)
        }
        return .fetchable
    }

    private static func isContent(_ name: String) -> Bool {
        name.hasSuffix(".sst") || name.hasSuffix(".log") || name == StoreMark.name
    }

    /// Whether no node has run here yet.
    var isUnused: Bool { !hasFormerLife && hasNoStore }

    /// Whether nothing of a store is there, not even a part.
    var hasNoStore: Bool {
        let names = (try? PosixFolder.names(in: data)) ?? []
        return !names.contains { $0 == "CURRENT" || Home.isContent($0) }
    }

    /// Whether a node has run here before, as far as files beside the store tell.
    private var hasFormerLife: Bool {
        if PosixFolder.exists("\(keys)/validator.mark") { return true }
        return PosixFolder.byteCount(of: journal) > UInt64(JournalFormat.headerBytes)
    }

    /// Puts the store aside under a name of its own; keys, journal and signing record stay.
    /// The home must be locked.
    /// - Returns: where the store is now; nil if there was none.
    /// - Throws: `HomeFault` where nobody else could give the chain back, and for faults of the
    ///   disk. Nothing is changed then.
    package func putStoreAside(isAlone: Bool) throws(HomeFault) -> String? {
        guard !isAlone else {
            throw HomeFault(
                """
                \(data): this validator alone is a quorum of the genesis: nobody else could give \
                the chain back. Nothing was changed. Restore \(data) and \(journal) from a backup.
                """, exitCode: .failure)
        }
        guard PosixFolder.exists(data), !hasNoStore else { return nil }
        var number = 1
        while PosixFolder.exists("\(data).damaged-\(number)") { number += 1 }
        let other = "\(data).damaged-\(number)"
        do throws(PosixFault) {
            try PosixFolder.rename(data, to: other)
            try PosixFolder.create(data)
            try PosixFolder.sync(path)
        } catch {
            throw HomeFault(error, "Check the folder's permissions and free space (df).")
        }
        return other
    }

    /// Whether the home's voting key alone makes a quorum of the genesis.
    package func isAlone(in genesis: Genesis) throws(HomeFault) -> Bool {
        guard hasValidatorKey else { return false }
        let key = try loadKey(validatorKey, role: .voting).publicKey
        let committee = genesis.committee
        guard let index = committee.index(of: key) else { return false }
        return committee.weight(of: index) >= committee.quorum
    }
}
