internal import FoundationEssentials
internal import Runtime

/// The folder of a local network.
///
/// ```
/// testnet.json       what the network is made of: ports, keys, wallets
/// genesis.json       the same in every node's home
/// node0/ node1/ ...  the nodes' home folders
/// wallets/NAME.key   wallets of the first accounts, mode 0600
/// logs/nodeN.log     what the nodes wrote, appended over restarts
/// pids/nodeN.pid     process ids of running nodes
/// ```
struct TestnetFolder: Hashable, Sendable {
    /// Absolute, without a slash at the end.
    let path: String

    init(_ path: String) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    }

    var record: String { "\(path)/testnet.json" }
    var genesis: String { "\(path)/genesis.json" }
    var wallets: String { "\(path)/wallets" }
    var logs: String { "\(path)/logs" }
    var pids: String { "\(path)/pids" }

    func home(_ node: Int) -> Home { Home("\(path)/node\(node)") }
    func log(_ node: Int) -> String { "\(logs)/node\(node).log" }
    func pid(_ node: Int) -> String { "\(pids)/node\(node).pid" }
    func wallet(_ name: String) -> String { "\(wallets)/\(name).key" }

    /// Whether a network was made here.
    var exists: Bool { FileManager.default.fileExists(atPath: record) }

    /// Makes the folder and the subfolders that don't belong to a node, for their owner only.
    func create() throws {
        for folder in [path, wallets, logs, pids] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
    }

    /// Removes the network's files with everything in them.
    func purge() throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    /// The bytes of all files under a node's data and journal folders.
    func bytesOnDisk(_ node: Int) -> UInt64 {
        let home = home(node)
        return TestnetFolder.bytes(under: home.data) + TestnetFolder.bytes(under: home.journal)
    }

    private static func bytes(under folder: String) -> UInt64 {
        let manager = FileManager.default
        // Files come and go while a node runs: one that went takes no room.
        guard let names = try? manager.contentsOfDirectory(atPath: folder) else { return 0 }
        return names.reduce(0) { total, name in
            let path = "\(folder)/\(name)"
            guard let attributes = try? manager.attributesOfItem(atPath: path) else { return total }
            if attributes[.type] as? FileAttributeType == .typeDirectory {
                return total + bytes(under: path)
            }
            return total + ((attributes[.size] as? UInt64) ?? 0)
        }
    }
}

/// What a local network is made of, as `testnet.json` keeps it between commands.
struct TestnetRecord: Codable, Hashable, Sendable {
    let network: String
    /// What human-readable ids begin with.
    let prefix: String
    /// 64 hexadecimal digits.
    let chainID: String
    let nodes: [TestnetNode]
    let wallets: [TestnetWallet]

    /// The numbers of the nodes with a role, in order.
    func nodes(_ role: TestnetRole) -> [Int] {
        nodes.filter { $0.role == role }.map(\.index)
    }

    /// The record of the network in `folder`.
    /// - Throws: `CommandFault` if there is none or it can't be read.
    static func load(_ folder: TestnetFolder) throws(CommandFault) -> TestnetRecord {
        guard folder.exists else {
            throw CommandFault(
                "\(folder.path): no local network there; `offpeak testnet up` makes one")
        }
        do {
            let text = try Data(contentsOf: URL(fileURLWithPath: folder.record))
            return try JSONDecoder().decode(TestnetRecord.self, from: text)
        } catch {
            throw CommandFault(
                """
                \(folder.record) can't be read (\(error)); \
                `offpeak testnet down --purge` clears the way for a new network
                """)
        }
    }

    func save(_ folder: TestnetFolder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text = try encoder.encode(self)
        try text.write(to: URL(fileURLWithPath: folder.record), options: .atomic)
    }
}

/// What a node of a local network does.
enum TestnetRole: String, Codable, CaseIterable, Sendable {
    /// Votes.
    case validator
    /// Checks signatures for the validators with a bond of its own, and doesn't vote.
    case verifier
    /// Follows, forwards and screens, without bond and vote.
    case relay
}

/// A node of a local network.
struct TestnetNode: Codable, Hashable, Sendable {
    /// Its number: the validators come first, in the order of the committee.
    let index: Int
    /// `nod` text.
    let peerID: String
    /// Where other nodes connect, on 127.0.0.1.
    let linkPort: UInt16
    /// Where RPC is served, on 127.0.0.1.
    let rpcPort: UInt16
    var role = TestnetRole.validator

    var rpc: String { "http://127.0.0.1:\(rpcPort)" }
}

extension TestnetNode {
    /// Records of networks that had validators only name no role.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        index = try fields.decode(Int.self, forKey: .index)
        peerID = try fields.decode(String.self, forKey: .peerID)
        linkPort = try fields.decode(UInt16.self, forKey: .linkPort)
        rpcPort = try fields.decode(UInt16.self, forKey: .rpcPort)
        role = try fields.decodeIfPresent(TestnetRole.self, forKey: .role) ?? .validator
    }
}

/// A wallet of a local network, with funds from the start.
struct TestnetWallet: Codable, Hashable, Sendable {
    let name: String
    /// `acc` text.
    let address: String
    /// `pub` text.
    let publicKey: String
    /// The key file's path.
    let file: String
}
