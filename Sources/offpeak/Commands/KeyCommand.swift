internal import ArgumentParser
internal import Primitives

/// `offpeak key`
struct KeyCommand: AsyncParsableCommand {
    static let configuration = group(
        "key", "Keys that sign transactions.",
        [
            KeyNewCommand.self, KeyShowCommand.self, KeyImportCommand.self,
            KeyExportCommand.self,
        ])
}

/// What people may know of a key.
struct KeySummary: Encodable, Sendable {
    let file: String
    let role: String
    /// `pub` text.
    let publicKey: String
    /// Of the account that this key alone acts for; wallet keys only.
    let address: String?
    /// `nod` text; identity keys only.
    let peerID: String?

    init(_ key: StoredKey, file: String, prefix: NetworkPrefix) {
        let publicKey = key.secretKey.publicKey
        self.file = file
        role = key.role.rawValue
        self.publicKey = publicKey.text(in: prefix)
        address =
            key.role == .wallet ? Policy.single(publicKey).address.text(in: prefix) : nil
        peerID = key.role == .identity ? PeerID(publicKey).text(in: prefix) : nil
    }

    func text(_ palette: Palette) -> String {
        var sheet = Sheet(["file": file, "role": role, "public key": publicKey])
        sheet.add("address", optional: address)
        sheet.add("peer id", optional: peerID)
        return sheet.text(palette)
    }
}

/// `offpeak key new`
struct KeyNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a wallet key, and show its words once.",
        discussion: """
            The words (BIP-39) are the key: whoever has them can pay with it, and `offpeak key \
            import` makes the file again from them. Write them down; keep them off line.
            """)

    @Argument(help: "Where to write the key file (mode 0600).")
    var file: String

    @Option(help: "How many words: 12, 15, 18, 21 or 24.")
    var words = 24

    @Option(help: "Which of the words' accounts, m/44'/9009'/N'.")
    var account: UInt16 = 0

    @Flag(help: "Don't show the words.")
    var hideWords = false

    @OptionGroup var network: PrefixOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        guard Mnemonic.entropyCounts.contains(where: { $0 * 3 / 4 == words }) else {
            throw ValidationError("--words \(words): 12, 15, 18, 21 or 24 are wanted")
        }
    }

    func run() async throws {
        let prefix = try await network.resolved(node)
        let mnemonic = try Mnemonic(entropy: .random(count: words * 4 / 3))
        let key = StoredKey(role: .wallet, material: .mnemonic(mnemonic, account: account))
        try KeyStoreFile.create(file, key)
        let summary = KeySummary(key, file: file, prefix: prefix)
        guard !hideWords else {
            return output.format.show(summary) { summary.text(output.format.palette) }
        }
        MnemonicText.show(mnemonic, summary, output.format)
    }
}

/// `offpeak key show`
struct KeyShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Public key and address of a key file or keystore.")

    @Argument(help: "The key file, or a keystore.")
    var file: String

    @Option(help: ArgumentHelp("File with the password of a keystore.", valueName: "file"))
    var passphraseFile: String?

    @OptionGroup var network: PrefixOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let key = try KeyStoreFile.read(file, as: nil, passwordFile: passphraseFile)
        let prefix = try await network.resolved(node)
        let summary = KeySummary(key, file: file, prefix: prefix)
        let format = output.format
        format.show(summary) { summary.text(format.palette) }
    }
}

/// Words on their only way out: from locked memory straight to stdout.
enum MnemonicText {
    /// Shows a key with its words: JSON with a member `mnemonic`, or lines for people.
    static func show(_ mnemonic: Mnemonic, _ summary: KeySummary, _ format: OutputFormat) {
        if format.isJSON {
            let json = OutputFormat.json(summary)
            Terminal.output.write(json.dropLast(2) + ",\n  \"mnemonic\" : \"")
            mnemonic.withWords { Terminal.output.write($0) }
            Terminal.output.write("\"\n}\n")
        } else {
            Terminal.output.write(summary.text(format.palette) + "\n\n")
            mnemonic.withWords { Terminal.output.write($0) }
            Terminal.output.write("\n")
            format.remark("Write these words down and keep them secret: they are the key.")
        }
    }
}
