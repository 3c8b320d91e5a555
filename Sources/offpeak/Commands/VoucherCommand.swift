internal import ArgumentParser
internal import Execution
internal import LightClient
internal import Primitives
internal import RPC
internal import Runtime

/// `offpeak voucher`
struct VoucherCommand: AsyncParsableCommand {
    static let configuration = group(
        "voucher", "Payments without a node: take along a reserve, check a voucher, submit it.",
        [
            VoucherReserve.self, VoucherShow.self, VoucherCheckCommand.self, VoucherSubmit.self,
            VoucherStatus.self,
        ],
        discussion: """
            The payer, while a node can be asked:
              offpeak voucher reserve --key alice.key --stream 7 --amount 5000 --out trip.reserve
            The payer, without one:
              offpeak pay --offline --reserve trip.reserve --key alice.key --to opkacc1... \
            --amount 1500 --out coffee.voucher
            The merchant, without one, and later with one:
              offpeak voucher check coffee.voucher --genesis genesis.json --to opkacc1... \
            --amount 1500
              offpeak voucher submit coffee.voucher

            A voucher is a signed payment with a proof of what its payer had. Use a stream for \
            each merchant: vouchers of one stream are paid in their order.
            """)
}

/// `offpeak voucher reserve`
struct VoucherReserve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reserve", abstract: "Take along what vouchers need.",
        discussion: """
            Asks the node for a proof of the account, the stream's next sequence and what a \
            payment costs. Nothing is set aside: what is spent otherwise meanwhile is missing for \
            the vouchers. The proof ages: merchants say how old they take it.
            """)

    @Option(help: ArgumentHelp("Key file or keystore of the payer.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("File with the password of the keystore.", valueName: "file"))
    var passphraseFile: String?

    @Option(help: ArgumentHelp("The paying account, where no key is given.", valueName: "address"))
    var from: String?

    @Option(help: "The stream for the vouchers, from 1 to 65535; a new one costs a deposit.")
    var stream: UInt16

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The most that vouchers may take of the native asset, with fees.", valueName: "amount"),
        transform: { try AmountOption.parse($0) })
    var amount: Amount

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What a voucher's fee may be (default: four times the present one).",
            valueName: "amount"),
        transform: { try AmountOption.parse($0) })
    var maxFee: Amount?

    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write.", valueName: "file"))
    var out: String

    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if stream == 0 { throw ValidationError("--stream 0 is for payments with a node") }
        if key == nil, from == nil { throw ValidationError("whose account? name --key or --from") }
    }

    func run() async throws {
        let client = try node.client()
        let network = try await client.context(.urgent)
        let address = try self.address(in: network)
        let text = network.text(address)
        let account = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.account(text)
        }
        let proof = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.proof("account_proof", [JSONMember("address", .string(text))])
        }
        let used = account.streams.first { $0.stream == stream }
        let deposits = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.genesis()
        }.parameters
        let reserve = ReserveFile(
            network, account: text, stream: stream,
            nextSequence: used?.nextSequence.rawValue ?? 0, amount: amount,
            maxFee: maxFee ?? standardFee(network), holdingDeposit: deposits.holdingDeposit,
            proof: proof)
        try checkCover(account, isNew: used == nil, deposit: deposits.streamDeposit)
        try TextFile.write(reserve.text, to: out)
        let format = output.format
        format.show(reserve.content) {
            var sheet = Sheet(["account": text, "stream": "\(stream)"])
            sheet.add("next sequence", "\(reserve.nextSequence)")
            sheet.add("to spend", "\(amount), fees included")
            sheet.add("a voucher's fee", "at most \(reserve.maxFee)")
            sheet.add("proven at", "height \(proof.height)")
            return sheet.text(format.palette) + "\n\nwritten to \(out)"
        }
    }

    private func address(in network: NetworkContext) throws(CommandFault) -> Address {
        if let from { return try network.parse(from) }
        let stored = try KeyStoreFile.read(key ?? "", passwordFile: passphraseFile)
        return Policy.single(stored.secretKey.publicKey).address
    }

    /// Four times the present fee of a payment by one key that reveals its policy.
    private func standardFee(_ network: NetworkContext) -> Amount {
        network.fees.generousMaximum(bytes: 340, signatures: 1, operations: 1, tip: 0)
    }

    private func checkCover(
        _ account: AccountInfo, isNew: Bool, deposit: Amount
    ) throws(CommandFault) {
        let held = account.balances.first { $0.asset == "native" }?.amount ?? 0
        let needed = amount.clampedAdvance(by: isNew ? deposit.rawValue : 0)
        guard held >= needed else {
            let why = isNew ? " with \(deposit) for the new stream" : ""
            throw CommandFault("the account holds \(held), the reserve takes \(needed)\(why)")
        }
    }
}

/// `offpeak voucher show`
struct VoucherShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a voucher, as text or as a QR code; checks nothing.")

    @Argument(help: ArgumentHelp(VoucherText.help))
    var voucher: String

    @Flag(help: "Draw the QR code on the terminal.")
    var qr = false

    @Option(help: ArgumentHelp("Write the QR code as a picture.", valueName: "file"))
    var svg: String?

    @OptionGroup var output: OutputOptions

    func run() throws {
        let read = try VoucherText(voucher)
        let format = output.format
        guard qr || svg != nil else {
            let report = VoucherReport(read.voucher, in: read.prefix)
            return format.show(report) { report.text(format.palette) }
        }
        let made = try VoucherOutput(read.voucher, read.prefix).code()
        if let svg { try TextFile.write(made.code.svg, to: svg) }
        if qr { Terminal.output.write(made.code.blocks + "\n") }
        if !made.hasProof, read.voucher.reserve != nil { format.remark(VoucherOutput.bare) }
    }
}

/// `offpeak voucher check`
struct VoucherCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a voucher without a node.",
        discussion: """
            It is good if its signatures hold, if a quorum of the validators has finalized a state \
            in which its payer could pay it, and if that was lately enough. The validators are the \
            genesis' and those that --epochs leads to: what `offpeak query epochs` wrote. What no \
            check without a node can know is printed too. Exit code 1 if it isn't to be taken.

            A voucher is paid after those before it on its stream. Show them with --with: what \
            they take counts. With --before alone nothing says that the payer can pay this one \
            too: the rest is checked and printed, and the exit code is 1.
            """)

    @Argument(help: ArgumentHelp(VoucherText.help))
    var voucher: String

    @Option(help: "The genesis file of the network.")
    var genesis: String

    @Option(
        help: ArgumentHelp(
            "Steps from the genesis to later epochs; several times for several files.",
            valueName: "file"))
    var epochs: [String] = []

    @Option(
        help: ArgumentHelp("How old the proof may be (default: 1d).", valueName: "span"),
        transform: { try TimeSpan($0) })
    var maxAge = TimeSpan.seconds(24 * 3600)

    @Option(help: ArgumentHelp("Who must be paid.", valueName: "address"))
    var to: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How much that must be at least.", valueName: "amount"),
        transform: { try AmountOption.parse($0) })
    var amount: Amount?

    @OptionGroup var asset: AssetOption

    @Option(
        name: .customLong("with"),
        help: ArgumentHelp(
            "A voucher before it on its stream, several times for several.", valueName: "voucher"))
    var earlier: [String] = []

    @Option(
        help: ArgumentHelp(
            "How many vouchers before it may be missing (default: 0).", valueName: "count"))
    var before: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "The proof of the payer's account, where the voucher came without.", valueName: "file"))
    var reserve: String?

    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if amount != nil, to == nil { throw ValidationError("--amount to whom? name --to") }
        if asset.asset != nil, to == nil { throw ValidationError("--asset to whom? name --to") }
    }

    func run() throws {
        let genesis = try GenesisText.read(genesis)
        let prefix = try NetworkContext.prefix(genesis.prefix)
        var voucher = try VoucherCheckCommand.read(voucher, in: prefix)
        let earlier = try earlier.map { (text) throws(CommandFault) in
            try VoucherCheckCommand.read(text, in: prefix).transaction
        }
        if let reserve {
            voucher = Voucher(voucher.transaction, reserve: try VoucherText.reserve(reserve))
        }
        let demand: VoucherCheck.Demand?
        if let to {
            demand = .init(
                receiver: try IDText.parse(to, in: prefix), asset: try asset.id(in: prefix),
                amount: amount)
        } else {
            demand = nil
        }
        let client = try EpochFile.client(trusting: genesis, following: epochs)
        let checked = try VoucherCheckCommand.orRefuse(in: prefix) { () throws(VoucherFault) in
            try VoucherCheck(client, ageMax: maxAge.milliseconds, before: before)
                .check(voucher, with: earlier, now: WallClock.now, wanting: demand)
        }
        let report = VoucherReport(voucher, in: prefix, checked)
        let format = output.format
        format.show(report) { report.text(format.palette) }
        if checked.missing > 0 { throw Runtime.ExitCode.failure }
    }

    private static func read(
        _ text: String, in prefix: NetworkPrefix
    ) throws(CommandFault) -> Voucher {
        let read = try VoucherText(text)
        guard prefix == read.prefix else {
            throw CommandFault(
                "the voucher is for the network \"\(read.prefix)\", this one is \"\(prefix)\"")
        }
        return read.voucher
    }

    private static func orRefuse(
        in prefix: NetworkPrefix, _ check: () throws(VoucherFault) -> VoucherCheck.Report
    ) throws(CommandFault) -> VoucherCheck.Report {
        do throws(VoucherFault) {
            return try check()
        } catch {
            guard case .refused(let reason) = error else {
                throw CommandFault("don't take this voucher: \(error.text(in: prefix))")
            }
            // Of fees nobody knows more here.
            let fees = reason == .feeTooLow ? " at the fees of the genesis" : ""
            throw CommandFault(
                "don't take this voucher: the network would refuse it\(fees): "
                    + OutcomeText.skipped(reason.name),
                data: [JSONMember("reason", .string(reason.name))])
        }
    }
}

/// `offpeak voucher submit`
struct VoucherSubmit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Submit a voucher, and wait until it is final.",
        discussion: """
            Where another payment with its stream and sequence was first, exit code 1, and a proof \
            of that payment in a file that `offpeak verify` checks. Sending twice is safe.
            """)

    @Argument(help: ArgumentHelp(VoucherText.help))
    var voucher: String

    @OptionGroup var loser: VoucherLoserOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let read = try VoucherText(voucher)
        try await loser.submission(node, output.format, read.prefix).submit(read.voucher)
    }
}

/// `offpeak voucher status`
struct VoucherStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "What has become of a voucher.",
        discussion: "As `offpeak voucher submit`, without submitting.")

    @Argument(help: ArgumentHelp(VoucherText.help))
    var voucher: String

    @OptionGroup var loser: VoucherLoserOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let read = try VoucherText(voucher)
        try await loser.submission(node, output.format, read.prefix).status(read.voucher)
    }
}

/// `--proof`
struct VoucherLoserOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the proof goes if another payment was first (default: by its id).",
            valueName: "file"))
    var proof: String?

    func submission(
        _ node: NodeOptions, _ format: OutputFormat, _ prefix: NetworkPrefix
    ) throws(CommandFault) -> VoucherSubmission {
        VoucherSubmission(
            client: try node.client(), format: format, prefix: prefix, proofPath: proof)
    }
}
