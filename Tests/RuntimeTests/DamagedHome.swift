import Execution
import Foundation
import NodeCore
import Primitives
import TestSupport

@testable import Runtime

/// A home with a store of several table files and a log, written by the store's own interface: a
/// genesis with many accounts, and rows of every column.
final class DamagedHome {
    let genesis: Genesis
    let home: Home
    private let folder: TemporaryFolder

    var data: String { home.data }

    /// - Parameter accounts: how many the genesis has.
    init(seed: UInt64, accounts: Int) throws {
        folder = try TemporaryFolder()
        home = Home("\(folder.path)/home")
        genesis = try DamagedHome.genesis(accounts: accounts)
        try home.create()
        try RocksStore(folder: home.data).close()
        try fill(seed)
    }

    private init(copying other: DamagedHome) throws {
        folder = try TemporaryFolder()
        home = Home("\(folder.path)/home")
        genesis = other.genesis
        try FileManager.default.copyItem(atPath: other.home.path, toPath: home.path)
    }

    /// A home of its own with the same files.
    func copy() throws -> DamagedHome { try DamagedHome(copying: self) }

    private static func genesis(accounts: Int) throws -> Genesis {
        let keys = (0..<4).map { TestKeys.key(seed: 500, index: $0) }
        let treasury = Policy.single(TestKeys.key(seed: 901, index: 0).publicKey).address
        return try Genesis(
            network: "damage", prefix: "tst", time: 1000,
            accounts: (0..<accounts).map { number in
                let id = Digest.hash(.address, UInt64(number).bcsLittleEndian).bytes32
                return GenesisAccount(owner: .address(Address(id)), balance: 1_000)
            },
            validators: keys.map {
                GenesisValidator(
                    votingKey: $0.publicKey, peerID: PeerID($0.publicKey),
                    rewardAddress: Policy.single($0.publicKey).address, stake: 1_000_000)
            },
            parameters: LedgerParameters(fees: FeeParameters(treasury: treasury)))
    }

    /// Lives of a store: each leaves a log that the next one makes table files of.
    private func fill(_ seed: UInt64) throws {
        do {
            let store = try RocksStore(folder: home.data)
            try store.apply(NodeCore.genesisWrites(genesis))
            try store.close()
        }
        let store = try RocksStore(folder: home.data)
        var generator = SeededGenerator(seed: seed)
        for number in 0..<40 {
            var writes = WriteSet()
            let value = (0..<200).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            writes.put(value, in: .meta, for: Array("test/\(number)".utf8))
            try store.apply(writes)
            if number % 8 == 7 { try store.syncLog() }
        }
        try store.close()
    }

    // MARK: Files

    /// The names in the store's folder, sorted.
    func files() throws -> [String] { try folder.names(in: home.data) }

    func bytes(_ file: String) throws -> [UInt8] { try folder.bytes(of: "\(home.data)/\(file)") }

    func flip(_ file: String, at place: Int, bit: UInt8) throws {
        // In place: an open store reads from the same file.
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: "\(home.data)/\(file)"))
        defer { try? handle.close() }
        let byte = try bytes(file)[place]
        try handle.seek(toOffset: UInt64(place))
        try handle.write(contentsOf: [byte ^ (1 << bit)])
    }

    func shorten(_ file: String, to count: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: "\(home.data)/\(file)"))
        defer { try? handle.close() }
        try handle.truncate(atOffset: UInt64(count))
    }

    func remove(_ file: String) throws {
        try FileManager.default.removeItem(atPath: "\(home.data)/\(file)")
    }

    // MARK: Contents

    /// Everything in the store, as a node opens it.
    func contents() throws -> [String: [UInt8]] {
        let store = try RocksStore(folder: home.data)
        var all: [String: [UInt8]] = [:]
        for column in Column.allCases {
            for pair in try store.pairs(in: column, from: [], before: nil, limit: .max) {
                all["\(column.rawValue)/\(Hex.encode(pair.key))"] = pair.value
            }
        }
        return all
    }
}
