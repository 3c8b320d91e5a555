internal import ArgumentParser
internal import Primitives
internal import RPC

/// `offpeak asset`
struct AssetCommand: AsyncParsableCommand {
    static let configuration = group(
        "asset", "Issue assets, mint and redeem them, look at them.",
        [
            AssetIssueCommand.self, AssetMintCommand.self, AssetRedeemCommand.self,
            AssetFreezeCommand.self, AssetUnfreezeCommand.self, AssetClawbackCommand.self,
            AssetRetireCommand.self, AssetShow.self,
        ])
}

/// `offpeak asset show`
struct AssetShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Issuer, terms and supply of an issued asset.")
    @OptionGroup var query: QueryAsset

    func run() async throws { try await query.run() }
}

/// What every command that changes an asset has in common.
struct AssetSigning: ParsableArguments {
    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    /// Builds an operation for the network and brings it there.
    func deliver(
        _ operation: (NetworkContext) throws(CommandFault) -> Operation
    ) async throws(CommandFault) {
        let builder = try await TransactionBuilder(signing, node)
        try await Delivery(builder: builder, format: output.format)
            .deliver([try operation(builder.network)])
    }
}

/// `offpeak asset issue`
struct AssetIssueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Make an asset: the sender issues it, and nothing of it exists yet.",
        discussion: """
            What is said here stands for good. A deposit is kept back until the asset is retired. \
            Symbols aren't unique: whoever accepts an asset looks at its id.

              offpeak asset issue --key bank.key --symbol EURX --decimals 2 --cap 100000000 \
            --can-freeze
            """)

    @Option(help: "What people call it: 1 to 12 capital letters and digits, a letter first.")
    var symbol: String

    @Option(
        help: "Where wallets set the point, 0 to 18; amounts are in the smallest unit.",
        transform: { try DecimalsText.parse($0) })
    var decimals: UInt8 = 0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The most that may exist at a time.", valueName: "amount"),
        transform: { try AmountOption.parse($0) })
    var cap: Amount?

    @Flag(help: "The issuer may stop a holder from spending it.")
    var canFreeze = false

    @Flag(help: "The issuer may take what a holder has out of existence.")
    var canClawBack = false

    @OptionGroup var command: AssetSigning

    mutating func validate() throws {
        do { _ = try terms() } catch { throw ValidationError(error.description) }
    }

    private func terms() throws(AssetTerms.Fault) -> AssetTerms {
        try AssetTerms(
            symbol: symbol, decimals: decimals, cap: cap, canFreeze: canFreeze,
            canClawBack: canClawBack)
    }

    func run() async throws {
        let terms = try terms()
        try await command.deliver { _ throws(CommandFault) in .issueAsset(terms) }
    }
}

/// Decimal places on the command line.
enum DecimalsText {
    /// - Throws: `TextFault` for anything but 0 to 18.
    static func parse(_ text: String) throws(TextFault) -> UInt8 {
        guard let decimals = UInt8(text), decimals <= AssetTerms.decimalsMax else {
            throw TextFault("\"\(text)\": 0 to \(AssetTerms.decimalsMax) decimals are possible")
        }
        return decimals
    }
}

/// `offpeak asset mint`
struct AssetMintCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mint", abstract: "Make new units of an asset of the sender's.")

    @Argument(help: "The asset's id.")
    var asset: String

    @Option(help: ArgumentHelp("Who gets them.", valueName: "address"))
    var to: String

    @Option(
        parsing: .unconditional, help: "How much, in the smallest unit.",
        transform: { try AmountOption.parse($0) })
    var amount: Amount

    @OptionGroup var command: AssetSigning

    func run() async throws {
        try await command.deliver { network throws(CommandFault) in
            .mint(
                Mint(asset: try network.parse(asset), to: try network.parse(to), amount: amount))
        }
    }
}

/// `offpeak asset redeem`
struct AssetRedeemCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redeem", abstract: "Take units that the sender holds out of existence.",
        discussion: "What the issuer owes for them is between him and the holder.")

    @Argument(help: "The asset's id.")
    var asset: String

    @Option(
        parsing: .unconditional, help: "How much, in the smallest unit.",
        transform: { try AmountOption.parse($0) })
    var amount: Amount

    @OptionGroup var command: AssetSigning

    func run() async throws {
        try await command.deliver { network throws(CommandFault) in
            .redeem(Redemption(asset: try network.parse(asset), amount: amount))
        }
    }
}

/// `offpeak asset freeze`
struct AssetFreezeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeze",
        abstract: "Stop a holder from spending an asset of the sender's.",
        discussion: "What is paid to the holder is still kept, and escrows still pay out.")

    @Argument(help: "The asset's id.")
    var asset: String
    @Option(help: ArgumentHelp("Who is stopped.", valueName: "address"))
    var holder: String
    @OptionGroup var command: AssetSigning

    func run() async throws {
        try await command.deliver { network throws(CommandFault) in
            .freeze(
                Freeze(
                    asset: try network.parse(asset), holder: try network.parse(holder),
                    isFrozen: true))
        }
    }
}

/// `offpeak asset unfreeze`
struct AssetUnfreezeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unfreeze", abstract: "Let a holder spend an asset of the sender's again.")

    @Argument(help: "The asset's id.")
    var asset: String
    @Option(help: ArgumentHelp("Who may spend again.", valueName: "address"))
    var holder: String
    @OptionGroup var command: AssetSigning

    func run() async throws {
        try await command.deliver { network throws(CommandFault) in
            .freeze(
                Freeze(
                    asset: try network.parse(asset), holder: try network.parse(holder),
                    isFrozen: false))
        }
    }
}

/// `offpeak asset clawback`
struct AssetClawbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clawback",
        abstract: "Take units of the sender's asset from a holder, out of existence.",
        discussion: "What escrows hold is out of reach until it is paid out.")

    @Argument(help: "The asset's id.")
    var asset: String
    @Option(help: ArgumentHelp("From whom.", valueName: "address"))
    var holder: String
    @Option(
        parsing: .unconditional, help: "How much, in the smallest unit.",
        transform: { try AmountOption.parse($0) })
    var amount: Amount
    @OptionGroup var command: AssetSigning

    func run() async throws {
        try await command.deliver { network throws(CommandFault) in
            .clawback(
                Clawback(
                    asset: try network.parse(asset), holder: try network.parse(holder),
                    amount: amount))
        }
    }
}

/// `offpeak asset retire`
struct AssetRetireCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "Take an asset of the sender's away: nothing of it may exist any more.",
        discussion: "The deposit comes back. The id never names another asset.")

    @Argument(help: "The asset's id.")
    var asset: String
    @OptionGroup var command: AssetSigning

    func run() async throws {
        try await command.deliver { network throws(CommandFault) in
            .retireAsset(try network.parse(asset))
        }
    }
}
