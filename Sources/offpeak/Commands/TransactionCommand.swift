internal import ArgumentParser
internal import Primitives

/// `offpeak tx`
struct TransactionCommand: AsyncParsableCommand {
    static let configuration = group(
        "tx", "Sign a transaction file, merge files, send one.",
        [SignCommand.self, MergeCommand.self, SubmitCommand.self, ShowCommand.self],
        discussion: """
            `offpeak pay` and its like write such a file with --unsigned or --out. Several people \
            sign it in any order, on machines without a network if they like; whoever has enough \
            signatures submits it.
            """)

    /// `offpeak tx sign`
    struct SignCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign", abstract: "Add signatures to a transaction file.",
            discussion: "Shows what is signed. Needs no node.")

        @Argument(help: "The transaction file; it is rewritten unless --out is given.")
        var file: String

        @Option(help: ArgumentHelp("Key file or keystore; several times.", valueName: "file"))
        var key: [String]

        @Option(help: ArgumentHelp("File with the password of keystores.", valueName: "file"))
        var passphraseFile: String?

        @Option(
            name: .shortAndLong,
            help: ArgumentHelp("Where to write (- for stdout).", valueName: "file"))
        var out: String?

        @OptionGroup var output: OutputOptions

        func run() throws {
            let unsigned = try TransactionFile.read(file)
            var signers: [SecretKey] = []
            for path in key {
                let stored = try KeyStoreFile.read(path, passwordFile: passphraseFile)
                signers.append(stored.secretKey)
            }
            let parts = WeightCheck.parts(of: unsigned)
            for signer in signers {
                try WeightCheck.checkSigner(signer.publicKey, parts, unsigned.prefix)
            }
            let path = out ?? file
            try Delivery.write(
                try unsigned.signed(by: signers), to: path, replacing: path == file,
                output.format)
        }
    }

    /// `offpeak tx merge`
    struct MergeCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "merge",
            abstract: "Gather the signatures of several files of one transaction.")

        @Argument(help: "Files of the same transaction.")
        var files: [String]

        @Option(
            name: .shortAndLong,
            help: ArgumentHelp("Where to write (- for stdout).", valueName: "file"))
        var out: String

        @OptionGroup var output: OutputOptions

        mutating func validate() throws {
            if files.count < 2 { throw ValidationError("two files or more are wanted") }
        }

        func run() throws {
            var merged: TransactionFile?
            for path in files {
                let file = try TransactionFile.read(path)
                merged = try merged?.merged(with: file, named: path) ?? file
            }
            guard let merged else { return }
            try Delivery.write(
                merged, to: out, replacing: files.contains(out), output.format)
        }
    }

    /// `offpeak tx submit`
    struct SubmitCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "submit", abstract: "Send a signed transaction file.",
            discussion: "Sending the same file twice is safe: it executes once.")

        @Argument(help: "The transaction file (- for stdin).")
        var file: String

        @Flag(help: "Answer when the node has taken it, without waiting until it is final.")
        var noWait = false

        @OptionGroup(title: "Node")
        var node: NodeOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let signed = try TransactionFile.read(file)
            try await Submission(client: try node.client(), format: output.format)
                .submit(signed, isWaiting: !noWait)
        }
    }

    /// `offpeak tx show`
    struct ShowCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show what a transaction file does.",
            discussion: """
                Needs no node; with --node it also tells the weight of signatures for accounts \
                whose policy only the network knows, what a second veto takes, and whether a \
                refund is a payee's that gives all back at once.
                """)

        @Argument(help: "The transaction file (- for stdin).")
        var file: String

        @OptionGroup(title: "Node")
        var node: NodeOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let transaction = try TransactionFile.read(file)
            let format = output.format
            var known = KnownLedger()
            if NodeAddress.named(node.node) != nil {
                let client = try node.client()
                known = try await KnownLedger(of: transaction, client)
                try await known.addEscrows(of: transaction, client)
            }
            let summary = TransactionSummary(transaction, known: known)
            format.show(summary) { summary.text(format.palette) }
        }
    }
}
