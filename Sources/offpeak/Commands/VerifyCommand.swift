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

            Where validators were replaced since, --epochs names what `offpeak query epochs` \
            wrote: each epoch's validators have signed who follows them, so that the genesis is \
            still all that is trusted. Given several times, the files follow each other.

            With --trusted in place of --genesis it holds if it is anchored in that very block: \
            its digest binds the chain's id and the state, so that nothing else must be known. \
            With both, a later block holds too, if --epochs leads there through the trusted one: \
            that must be the last of its epoch, which names who signs after it. The steps may \
            begin there, and no signature of validators of before is believed: those can sign a \
            second chain once they have their bonds back. `offpeak query epochs --out FILE` prints \
            such a block. --max-age refuses answers about an old state.

            With `history` as SUBJECT, --earlier names an answer that was kept: both must hold, \
            and the new one must begin where the earlier one ended, with the same history.
            """)

    @Argument(help: "The answer (- for stdin).")
    var file: String

    @Argument(help: ArgumentHelp(SubjectText.help))
    var subject: String

    @Option(help: "The genesis file of the network.")
    var genesis: String?

    @Option(
        help: ArgumentHelp(
            "Steps from the genesis to later epochs; several times for several files.",
            valueName: "file"))
    var epochs: [String] = []

    @Option(
        help: ArgumentHelp(
            "A block that is trusted: its height and its id, or 64 hexadecimal digits.",
            valueName: "height:hash"))
    var trusted: String?

    @Option(
        help: ArgumentHelp(
            "The most that the proof's block may lie in the past, such as 1d.", valueName: "span"),
        transform: { try TimeSpan($0) })
    var maxAge: TimeSpan?

    @Option(help: "With history: an answer that was kept.")
    var earlier: String?

    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if genesis == nil, trusted == nil {
            throw ValidationError("whom to trust? name --genesis FILE or --trusted HEIGHT:HASH")
        }
        if genesis == nil, !epochs.isEmpty {
            throw ValidationError("--epochs begins at a genesis: name --genesis FILE")
        }
    }

    func run() throws {
        let bytes = try TextFile.read(file, maximum: ProofFile.bytesMax)
        let name = file == "-" ? "stdin" : file
        let answer = try ProofFile.parse(bytes, name: name)
        let trust = try ProofTrust(
            genesis: genesis, epochs: epochs, trusted: trusted, answer)
        let subject = try SubjectText(subject, in: trust.prefix)
        let views = LedgerViews(prefix: trust.prefix)
        let proven = try VerifyCommand.check(answer, subject, trust, views, file: file)
        if let maxAge { try VerifyCommand.check(proven, maxAge, file: file, now: WallClock.now) }
        if let earlier {
            let kept = try VerifyCommand.check(
                try ProofFile.read(earlier), try SubjectText("history", in: trust.prefix), trust,
                views, file: earlier)
            try VerifyCommand.check(proven, goesOnFrom: kept)
        }
        var report = ProofReport(
            proven, trust.client?.committee(at: proven.blockHeight), views)
        if let signed = try ProofFile.transaction(bytes, name: name) {
            try report.add(signed, file: name, views)
        }
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
        _ answer: ProofInfo, _ subject: SubjectText, _ trust: ProofTrust, _ views: LedgerViews,
        file: String
    ) throws(CommandFault) -> LightClient.Proven {
        guard let bytes = Base64.decode(answer.proof) else {
            throw CommandFault("\(file): proof: base64 is wanted")
        }
        let proven: LightClient.Proven
        do throws(ProofFault) {
            proven = try trust.verify(bytes, asking: subject.question)
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

extension VerifyCommand {
    /// - Throws: `CommandFault` for a proof of a state that was named too long ago.
    static func check(
        _ proven: LightClient.Proven, _ maxAge: TimeSpan, file: String, now: Timestamp
    ) throws(CommandFault) {
        let time = proven.blockTime.rawValue
        let age = now.rawValue - min(now.rawValue, time)
        guard age <= maxAge.milliseconds else {
            throw CommandFault(
                """
                \(file) holds, but is \(TimeSpan(milliseconds: age)) old, of \
                \(ISOTime.text(proven.blockTime)); --max-age allows \(maxAge)
                """)
        }
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
    /// What the transaction did, where it stands beside the proof.
    private(set) var executed: VoucherReport?
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

    /// - Parameter committee: Of the block's epoch; nil where the block is trusted instead.
    init(_ proven: LightClient.Proven, _ committee: Committee?, _ views: LedgerViews) {
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
                views.verifier($0, key, in: committee, proven.height)
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

    /// Adds what the transaction did whose receipt is proven.
    /// - Throws: `CommandFault` for another transaction.
    mutating func add(
        _ signed: SignedTransaction, file: String, _ views: LedgerViews
    ) throws(CommandFault) {
        guard let receipt, receipt.transaction == signed.id.text(in: views.prefix),
            Verified.check(signed) != nil
        else {
            throw CommandFault(
                "\(file) doesn't hold: the transaction in it isn't the one that the proof is of")
        }
        executed = VoucherReport(Voucher(signed, reserve: nil), in: views.prefix)
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
            if let executed {
                sheet.add("payer", executed.payer)
                sheet.add("place", "stream \(executed.stream), sequence \(executed.sequence)")
                sheet.add("pays", list: executed.payments.map { "\($0.amount) to \($0.to)" })
            }
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
