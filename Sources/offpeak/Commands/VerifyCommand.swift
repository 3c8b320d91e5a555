internal import ArgumentParser
internal import Execution
internal import LightClient
internal import Primitives
internal import RPC

/// `offpeak verify`
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a node's answer against a genesis, believing nobody.",
        discussion: """
            FILE is what `offpeak query proof SUBJECT` or an RPC method that ends in _proof \
            answered. It holds if a quorum of the validators of the genesis have finalized a block \
            that names the state which the answer is about. No node is asked. Only what the proof \
            shows is printed, also that something isn't there; exit code 1 if it doesn't hold.
            """)

    @Argument(help: "The answer (- for stdin).")
    var file: String

    @Argument(help: ArgumentHelp(SubjectText.help))
    var subject: String

    @Option(help: "The genesis file of the network.")
    var genesis: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        let genesis = try GenesisText.read(genesis)
        let prefix = try NetworkContext.prefix(genesis.prefix)
        let subject = try SubjectText(subject, in: prefix)
        let views = LedgerViews(prefix: prefix)
        let proven = try VerifyCommand.check(
            try ProofFile.read(file), subject, genesis, views, file: file)
        let report = ProofReport(proven, genesis, views)
        let format = output.format
        format.show(report) { report.text(format.palette) }
    }

    /// What an answer proves.
    /// - Parameter file: Where it comes from, for faults.
    /// - Throws: `CommandFault` for an answer that doesn't hold, or says beside the proof what the
    ///   proof doesn't.
    static func check(
        _ answer: ProofInfo, _ subject: SubjectText, _ genesis: Genesis, _ views: LedgerViews,
        file: String
    ) throws(CommandFault) -> LightClient.Proven {
        guard let bytes = Base64.decode(answer.proof) else {
            throw CommandFault("\(file): proof: base64 is wanted")
        }
        let proven: LightClient.Proven
        do throws(ProofFault) {
            proven = try LightClient(trusting: genesis).verify(bytes, asking: subject.question)
        } catch {
            throw CommandFault("\(file) doesn't hold: \(error)")
        }
        let told = ProofInfo(
            height: proven.height, stateRoot: proven.stateRoot.description,
            block: views.block(proven.block), blockHeight: proven.blockHeight,
            proof: answer.proof)
        guard told == answer else {
            throw CommandFault(
                """
                \(file) doesn't hold: the proof is of height \(told.height) with root \
                \(told.stateRoot), named by block \(told.blockHeight), \(told.block); beside it \
                stands something else
                """)
        }
        return proven
    }
}

/// What a proof has shown, for people and programs.
struct ProofReport: Encodable, Sendable {
    /// What the fact is about: `account`, `escrow`, `asset`, `transaction`, `verifier`,
    /// `validator`, `parameters`.
    let kind: String
    /// Whether it is there.
    let isPresent: Bool
    /// The state is that after this block.
    let height: Height
    let stateRoot: String
    /// The block that names it.
    let block: String
    let blockHeight: Height
    let blockTime: Timestamp
    private(set) var account: AccountInfo?
    private(set) var escrow: EscrowInfo?
    private(set) var asset: AssetInfo?
    private(set) var receipt: ReceiptInfo?
    /// The block that executed the transaction.
    private(set) var executedIn: String?
    private(set) var verifier: VerifierInfo?
    private(set) var validator: ValidatorStake?
    private(set) var parameters: RPC.FeeParameters?

    /// A validator as genesis has it.
    struct ValidatorStake: Encodable, Sendable {
        let votingKey: String
        let peerID: String
        let rewardAddress: String
        let stake: Amount
    }

    init(_ proven: LightClient.Proven, _ genesis: Genesis, _ views: LedgerViews) {
        (kind, isPresent) = ProofReport.summary(proven.fact)
        height = proven.height
        stateRoot = proven.stateRoot.description
        block = views.block(proven.block)
        blockHeight = proven.blockHeight
        blockTime = proven.blockTime
        switch proven.fact {
        case .account(let address, let found):
            account = found.map {
                views.account(
                    $0, address, proven.height, proven.stateRoot, at: proven.blockTime)
            }
        case .escrow(_, let found): escrow = found.map { views.escrow($0, proven.height) }
        case .asset(let id, let found):
            asset = found.map { views.asset($0, id, proven.height) }
        case .verifier(let key, let found):
            verifier = found.map {
                views.verifier($0, key, in: genesis.committee, proven.height)
            }
        case .validator(_, let found):
            validator = found.map {
                ValidatorStake(
                    votingKey: $0.votingKey.text(in: views.prefix),
                    peerID: $0.peerID.text(in: views.prefix),
                    rewardAddress: $0.rewardAddress.text(in: views.prefix), stake: $0.stake)
            }
        case .parameters(let found):
            parameters = RPC.FeeParameters(found.fees)
        case .receipt(let found, let block):
            receipt = views.receipt(found)
            executedIn = views.block(block)
        case .value: break
        }
    }

    private static func summary(_ fact: LightClient.Fact) -> (kind: String, isPresent: Bool) {
        switch fact {
        case .account(_, let found): ("account", found != nil)
        case .escrow(_, let found): ("escrow", found != nil)
        case .asset(_, let found): ("asset", found != nil)
        case .verifier(_, let found): ("verifier", found != nil)
        case .validator(_, let found): ("validator", found != nil)
        case .parameters: ("parameters", true)
        case .receipt: ("transaction", true)
        case .value(_, let found): ("value", found != nil)
        }
    }

    func text(_ palette: Palette) -> String {
        var sheet = Sheet(["proven by": "block \(blockHeight), \(block)"])
        sheet.add("state of", "height \(height), root \(stateRoot)")
        sheet.add("block time", ISOTime.text(blockTime))
        let head = palette.paint(isPresent ? "holds" : "holds: no such \(kind)", .green)
        return ([head, sheet.text(palette)] + [found(palette)].compactMap { $0 })
            .joined(separator: "\n")
    }

    private func found(_ palette: Palette) -> String? {
        if let account { return AnswerText.account(account, palette) }
        if let escrow { return AnswerText.escrow(escrow, palette) }
        if let asset { return AnswerText.asset(asset, palette) }
        if let verifier { return AnswerText.verifier(verifier, palette) }
        var sheet = Sheet()
        if let receipt {
            sheet.add("transaction", receipt.transaction)
            sheet.add("outcome", receipt.outcome.rawValue)
            sheet.add("failure", optional: receipt.failure.map { "\($0.reason) (\($0.code))" })
            sheet.add("executed in", "block \(receipt.height), place \(receipt.index)")
            sheet.add("block", optional: executedIn)
            sheet.add("fee", "\(receipt.fee)")
            sheet.add("escrows", list: receipt.escrows)
            sheet.add("assets", list: receipt.assets)
            sheet.add("proposals", list: receipt.proposals)
        } else if let validator {
            sheet.add("voting key", validator.votingKey)
            sheet.add("node", validator.peerID)
            sheet.add("rewards to", validator.rewardAddress)
            sheet.add("stake", "\(validator.stake)")
        } else if let parameters {
            sheet.add("base fee", "\(parameters.baseFee)")
            sheet.add(
                "weights",
                "\(parameters.byteWeight) a byte, \(parameters.signatureWeight) a signature, "
                    + "\(parameters.writeWeight) an operation")
            sheet.add("deposits", list: parameters.deposits)
        } else {
            return nil
        }
        return sheet.text(palette)
    }
}
