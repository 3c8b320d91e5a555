internal import ArgumentParser
internal import FoundationEssentials
internal import Primitives
internal import RPC

/// `offpeak inbox`
struct InboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inbox", abstract: "What waits for your signature, and what to type.",
        discussion: """
            Escrows about which others of your quorum have decided, disputes that you arbitrate, \
            recoveries against you or of accounts that you guard, and with --folder transaction \
            files that lack your signature. The commands name the files of --key; what isn't known \
            here stands in capitals. Where your keys aren't enough, a command writes a file for \
            the others to sign.

              offpeak inbox --key alice.key --account opkacc1... --folder shared/
            """)

    @Option(help: ArgumentHelp("An account of yours; several times.", valueName: "address"))
    var account: [String] = []

    @Option(
        help: ArgumentHelp(
            "A key of yours: for the account of this key alone, and for transaction files; "
                + "several times.", valueName: "file"))
    var key: [String] = []

    @Option(help: ArgumentHelp("File with the password of keystores.", valueName: "file"))
    var passphraseFile: String?

    @Option(help: ArgumentHelp("Folder with transaction files.", valueName: "folder"))
    var folder: String?

    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if account.isEmpty && key.isEmpty {
            throw ValidationError("whose inbox? name --account or --key")
        }
    }

    func run() async throws {
        let client = try node.client()
        let network = try await client.context()
        var keys = InboxKeys(passphraseFile: passphraseFile, node: node.node)
        for path in key {
            let stored = try KeyStoreFile.read(path, passwordFile: passphraseFile)
            keys.keys.append(InboxKeys.Key(path: path, publicKey: stored.secretKey.publicKey))
        }
        var accounts = Set(keys.publicKeys.map { Policy.single($0).address })
        for text in account { accounts.insert(try network.parse(text)) }
        let reader = InboxReader(client: client, network: network, keys: keys, accounts: accounts)
        var inbox = Inbox()
        for address in accounts.sorted() { try await reader.read(address, into: &inbox) }
        if let folder { try await reader.read(folder: folder, into: &inbox) }
        let format = output.format
        format.show(inbox) { inbox.text(format.palette) }
    }
}

/// Asks a node, and reads a folder, for what waits.
struct InboxReader: Sendable {
    /// Pages of a list that are asked for: 10,000 escrows or guarded accounts.
    private static let pagesMax = 100
    /// Files of a folder that are read.
    private static let filesMax = 1000
    /// Faults in a row after which a node isn't asked about further files.
    private static let faultsMax = 3

    let client: NodeClient
    let network: NetworkContext
    let keys: InboxKeys
    let accounts: Set<Address>

    /// What a node knows of an account.
    func read(_ address: Address, into inbox: inout Inbox) async throws(CommandFault) {
        let text = network.text(address)
        let own = try await client.find { rpc throws(RPCClientFault) in
            try await rpc.account(text)
        }
        let policy = try own?.policy.map { (info) throws(CommandFault) in
            try Policy(info, in: network.prefix)
        }
        let signer = InboxSigner(text, account: address, known: policy, keys)
        inbox.add([own.flatMap { Inbox.item($0, for: signer) }].compactMap { $0 })
        try await readEscrows(of: signer, into: &inbox)
        try await readGuarded(by: signer, into: &inbox)
    }

    private func readEscrows(
        of signer: InboxSigner, into inbox: inout Inbox
    ) async throws(CommandFault) {
        let account = signer.address
        var next: String?
        for _ in 0..<InboxReader.pagesMax {
            let after = next
            let page = try await client.call { rpc throws(RPCClientFault) in
                try await rpc.escrows(of: account, after: after, limit: RPCLimits.pageMax)
            }
            inbox.add(page.escrows, for: signer, in: network.prefix)
            next = page.next
            if next == nil { return }
        }
        inbox.noteCut("\(account) takes part in more escrows than were looked at")
    }

    private func readGuarded(
        by signer: InboxSigner, into inbox: inout Inbox
    ) async throws(CommandFault) {
        let account = signer.address
        var next: String?
        for _ in 0..<InboxReader.pagesMax {
            let after = next
            let page = try await client.call { rpc throws(RPCClientFault) in
                try await rpc.guarded(by: account, after: after, limit: RPCLimits.pageMax)
            }
            inbox.add(page.accounts, for: signer, at: page.time, in: network.prefix)
            next = page.next
            if next == nil { return }
        }
        inbox.noteCut("\(account) guards more accounts than were looked at")
    }

    private func ledger(of file: TransactionFile) async throws(CommandFault) -> KnownLedger {
        var known = try await KnownLedger(of: file, client)
        if Inbox.isOwn(file, keys.publicKeys, accounts, known) {
            try await known.addEscrows(of: file, client)
        }
        return known
    }

    /// Transaction files of this network that can still execute; other files are passed over.
    /// Others may write to the folder: no file is waited for, and none whose name hides something
    /// gets a command.
    func read(
        folder: String, into inbox: inout Inbox
    ) async throws(CommandFault) {
        guard let found = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw CommandFault("\(folder) is no folder that can be read")
        }
        var faults = 0
        let names = found.filter { !$0.hasPrefix(".") }.sorted()
        for name in names.prefix(InboxReader.filesMax) {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            if InputFile.isSpecial(path) {
                inbox.noteCut("\(path) is no regular file and wasn't read")
                continue
            }
            guard let file = try? TransactionFile.read(path), file.prefix == network.prefix,
                file.transaction.chainID == network.chainID,
                file.transaction.validUntil >= network.now
            else { continue }
            guard path.isVisible else {
                inbox.noteCut(
                    "\(path.visible) has invisible characters in its name: rename it first")
                continue
            }
            let known: KnownLedger
            do throws(CommandFault) {
                known = try await ledger(of: file)
                faults = 0
            } catch {
                inbox.noteCut("\(path): \(error)")
                faults += 1
                guard faults < InboxReader.faultsMax else {
                    return inbox.noteCut("\(folder): the node wasn't asked about the rest")
                }
                continue
            }
            let item = Inbox.item(
                file, at: path, keys: keys, accounts: accounts, known: known, at: network.now)
            inbox.add([item].compactMap { $0 })
        }
        if names.count > InboxReader.filesMax {
            inbox.noteCut("\(folder) has \(names.count) files, the first were looked at")
        }
    }
}
