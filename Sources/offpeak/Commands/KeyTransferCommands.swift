internal import ArgumentParser
internal import Primitives

/// `offpeak key import`
struct KeyImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a key file from words or from a keystore.",
        discussion: """
            The words come from a prompt or from stdin, never from the command line, which other \
            users of the machine can see.

              offpeak key import alice.key < words
              offpeak key import alice.key --keystore alice.keystore
            """)

    @Argument(help: "Where to write the key file (mode 0600).")
    var file: String

    @Option(help: ArgumentHelp("A keystore from `offpeak key export`.", valueName: "file"))
    var keystore: String?

    @Option(help: ArgumentHelp("File with the keystore's password.", valueName: "file"))
    var passphraseFile: String?

    @Option(help: "Which of the words' accounts, m/44'/9009'/N'.")
    var account: UInt16 = 0

    @OptionGroup var network: PrefixOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let prefix = try await network.resolved(node)
        let key = try imported()
        try KeyStoreFile.create(file, key)
        let summary = KeySummary(key, file: file, prefix: prefix)
        let format = output.format
        format.show(summary) { summary.text(format.palette) }
    }

    private func imported() throws(CommandFault) -> StoredKey {
        if let keystore {
            return try KeyStoreFile.read(keystore, passwordFile: passphraseFile)
        }
        let words = try Terminal.readSecret("Words: ")
        do throws(Mnemonic.Fault) {
            let mnemonic = try Mnemonic(words: words)
            return StoredKey(role: .wallet, material: .mnemonic(mnemonic, account: account))
        } catch {
            throw CommandFault("these aren't the words of a key: \(error)")
        }
    }
}

/// `offpeak key export`
struct KeyExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a key as a keystore under a password, or show its words.",
        discussion: """
            The password comes from --passphrase-file, a prompt, or stdin. Commands take a \
            keystore where they take a key file.
            """)

    @Argument(help: "The key file.")
    var file: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write the keystore (mode 0600).", valueName: "file"))
    var out: String?

    @Option(help: ArgumentHelp("File with the new password.", valueName: "file"))
    var passphraseFile: String?

    @Flag(help: "Show the words of the key instead, on a terminal or in a pipe.")
    var mnemonic = false

    @OptionGroup var network: PrefixOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        guard mnemonic != (out != nil) else {
            throw ValidationError("either --out FILE for a keystore or --mnemonic is wanted")
        }
    }

    func run() async throws {
        let key = try KeyStoreFile.read(file, as: nil)
        let prefix = try await network.resolved(node)
        guard let out else { return try showWords(of: key, prefix) }
        let password = try KeyStoreFile.password(from: passphraseFile, isNew: true)
        try KeyStoreFile.createKeystore(out, key, password: password)
        let summary = KeySummary(key, file: out, prefix: prefix)
        let format = output.format
        format.show(summary) { summary.text(format.palette) }
    }

    private func showWords(of key: StoredKey, _ prefix: NetworkPrefix) throws(CommandFault) {
        guard case .mnemonic(let mnemonic, _) = key.material else {
            throw CommandFault(
                "\(file) wasn't made from words: export a keystore with --out FILE instead")
        }
        MnemonicText.show(
            mnemonic, KeySummary(key, file: file, prefix: prefix), output.format)
    }
}
