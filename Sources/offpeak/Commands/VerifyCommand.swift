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

            With `history` as SUBJECT, --earlier names an answer that was kept: both must hold, \
            and the new one must begin where the earlier one ended, with the same history.
            """)

    @Argument(help: "The answer (- for stdin).")
    var file: String

    @Argument(help: ArgumentHelp(SubjectText.help))
    var subject: String

    @Option(help: "The genesis file of the network.")
    var genesis: String

    @Option(help: "With history: an answer that was kept.")
    var earlier: String?

    @OptionGroup var output: OutputOptions

    func run() throws {
        let genesis = try GenesisText.read(genesis)
        let prefix = try NetworkContext.prefix(genesis.prefix)
        let subject = try SubjectText(subject, in: prefix)
        let views = LedgerViews(prefix: prefix)
        let proven = try VerifyCommand.check(
            try ProofFile.read(file), subject, genesis, views, file: file)
        if let earlier {
            let kept = try VerifyCommand.check(
                try ProofFile.read(earlier), try SubjectText("history", in: prefix), genesis,
                views, file: earlier)
            try VerifyCommand.check(proven, goesOnFrom: kept)
        }
        let report = ProofReport(proven, genesis, views)
        let format = output.format
        format.show(report) { report.text(format.palette) }
    }

    /// Checks that what is proven now begins with what was proven earlier.
    static func check(
        _ proven: LightClient.Proven, goesOnFrom kept: LightClient.Proven
    ) throws(CommandFault) {
        guard case .consistency(let from, _) = proven.fact else {
            throw .usage("--earlier belongs to the subject history")
        }
        guard case .consistency(_, let known) = kept.fact else {
            throw .usage("--earlier: an answer about the history is wanted")
        }
        guard from.height == known.height else {
            throw CommandFault(
                """
                the earlier answer ends at height \(known.height), this one begins at \
                \(from.height): ask for one --from \(known.height)
                """)
        }
        guard from.root == known.root else {
            throw CommandFault(
                """
                the history was rewritten: at height \(known.height) it had the root \
                \(known.root), now it is said to have had \(from.root); both are signed by a \
                quorum, keep both files
                """)
        }
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
    /// `validator`, `parameters`, `history`.
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
    private(set) var history: [HistoryPoint]?

    /// How the history was at a height.
    struct HistoryPoint: Encodable, Sendable {
        let height: Height
        /// 64 hexadecimal digits.
        let root: String
    }

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
        case .consistency(let from, let to):
            history = [from, to].map {
                HistoryPoint(height: $0.height, root: $0.root.description)
            }
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
        case .consistency: ("history", true)
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
        } else if let history {
            for point in history { sheet.add("height \(point.height)", "root \(point.root)") }
        } else {
            return nil
        }
        return sheet.text(palette)
    }
}
