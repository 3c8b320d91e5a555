internal import ArgumentParser
internal import Execution
internal import Primitives
internal import Runtime

/// `offpeak init`
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a node's home folder: keys and configuration.",
        discussion: """
            Shows what `offpeak genesis new --validator` needs. A home that is there isn't \
            overwritten.
            """)

    @Argument(help: "The home folder.")
    var home: String

    @Option(help: ArgumentHelp("Genesis file to check and put into the home.", valueName: "file"))
    var genesis: String?

    @Option(help: "What the node is to be: validator, verifier (bonded, no vote) or relay.")
    var role: NodeRole?

    @Flag(help: "No key to vote with: the same as --role relay.")
    var observer = false

    @Option(help: "The network's prefix (default: that of --genesis, else opk).")
    var prefix: String?

    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if observer, let role, role != .relay {
            throw ValidationError("--observer is for relays, --role says \(role.rawValue)")
        }
    }

    private var hasKey: Bool { !observer && role != .relay }

    func run() async throws {
        let genesis = try genesis.map { path throws(CommandFault) in
            try GenesisText.read(path)
        }
        let prefix = try NetworkContext.prefix(
            prefix ?? genesis?.prefix ?? PrefixOptions.standard)
        let home = Home(home)
        try home.create()
        let identity = StoredKey(role: .identity, material: .secretKey(.random()))
        try KeyStoreFile.create(home.identityKey, identity)
        let voting = StoredKey(role: .voting, material: .secretKey(.random()))
        if hasKey { try KeyStoreFile.create(home.validatorKey, voting) }
        if let genesis { try TextFile.write(GenesisText.text(of: genesis), to: home.genesis) }
        try TextFile.write(settings.template, to: home.configuration)
        let summary = HomeSummary(
            home: home.path, peerID: PeerID(identity.secretKey.publicKey).text(in: prefix),
            votingKey: hasKey ? voting.secretKey.publicKey.text(in: prefix) : nil,
            configuration: home.configuration, genesis: genesis == nil ? nil : home.genesis,
            chainID: genesis?.chainID.description)
        let format = output.format
        format.show(summary) { summary.text(format.palette) }
    }

    /// What a new home is configured with.
    private var settings: Configuration {
        var configuration = Configuration()
        configuration.role = role
        configuration.rpcListen = NetworkAddress(
            host: "127.0.0.1", port: NodeAddress.standardPort)
        return configuration
    }
}

/// What `offpeak init` made.
private struct HomeSummary: Encodable {
    let home: String
    /// `nod` text.
    let peerID: String
    /// `pub` text; absent for a relay.
    let votingKey: String?
    let configuration: String
    /// Absent until there is one.
    let genesis: String?
    let chainID: String?

    func text(_ palette: Palette) -> String {
        var sheet = Sheet(["home": home, "peer id": peerID])
        sheet.add("voting key", optional: votingKey)
        sheet.add("configuration", configuration)
        sheet.add("genesis", genesis ?? "none yet: put the network's into \(home)/genesis.json")
        sheet.add("chain", optional: chainID)
        return sheet.text(palette)
    }
}

extension NodeRole: ExpressibleByArgument {}
