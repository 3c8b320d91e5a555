internal import ArgumentParser
internal import Primitives
internal import RPC

/// `offpeak escrow decide`
struct EscrowDecideCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decide", abstract: "Decide to release or refund part of an escrow.",
        discussion: """
            The money moves when equal decisions reach the quorum's threshold. The payee needs no \
            quorum for --refund all, nor for an amount of all that is held: it refuses what the \
            escrow holds, at once, also after a dispute. Where it is the payer too, the quorum \
            decides. The escrow's round comes from the node; off-line it is given with --round.
            """)

    @Argument(help: "The escrow's id.")
    var escrow: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How much goes to the payee; all for all.", valueName: "amount"),
        transform: { try AmountOrAll($0) })
    var release: AmountOrAll?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How much goes back to the payer; all for all.", valueName: "amount"),
        transform: { try AmountOrAll($0) })
    var refund: AmountOrAll?

    @Option(
        help: ArgumentHelp("What opens the hashlock, in hexadecimal digits.", valueName: "hex"))
    var preimage: String?

    @Option(help: "The escrow's round (default: as the node says).")
    var round: UInt64?

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        guard (release == nil) != (refund == nil) else {
            throw ValidationError("either --release or --refund is wanted, with an amount or all")
        }
        if refund != nil && preimage != nil {
            throw ValidationError("--preimage goes with --release: a refund needs none")
        }
    }

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let place = try await EscrowPlace(escrow, round: round, builder)
        let decision = EscrowDecision(
            escrow: place.id, round: place.round, direction: release == nil ? .refund : .release,
            amount: try amount(place), preimage: try preimageBytes())
        if decision.direction == .refund, let held = place.held, place.isPayee,
            decision.amount >= held
        {
            output.format.remark(
                "the payee refunds all that is held, \(held): it goes back at once")
        }
        try await Delivery(builder: builder, format: output.format)
            .deliver([.escrowDecide(decision)])
    }

    private func amount(_ place: EscrowPlace) throws(CommandFault) -> Amount {
        let amount = try place.amount(release ?? refund ?? .all)
        // Whatever is topped up on the way.
        guard place.isPayee, case .all? = refund else { return amount }
        return Amount(.max)
    }

    private func preimageBytes() throws(CommandFault) -> [UInt8]? {
        guard let preimage else { return nil }
        guard let bytes = Hex.decode(preimage), bytes.count <= TransactionLimits.preimageBytesMax
        else {
            throw .usage(
                """
                --preimage "\(preimage)": hexadecimal digits of at most \
                \(TransactionLimits.preimageBytesMax) bytes are wanted
                """)
        }
        return bytes
    }
}

/// `offpeak escrow arbitrate`
struct EscrowArbitrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "arbitrate", abstract: "As arbiter, split all that a disputed escrow holds.",
        discussion: "One of the two parts may be left out: it is the rest.")

    @Argument(help: "The escrow's id.")
    var escrow: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How much goes to the payee.", valueName: "amount"),
        transform: { try AmountOrAll($0) })
    var toPayee: AmountOrAll?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How much goes back to the payer.", valueName: "amount"),
        transform: { try AmountOrAll($0) })
    var toPayer: AmountOrAll?

    @Option(help: "The escrow's round (default: as the node says).")
    var round: UInt64?

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if toPayee == nil && toPayer == nil {
            throw ValidationError("--to-payee or --to-payer is wanted, with an amount or all")
        }
    }

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let place = try await EscrowPlace(escrow, round: round, builder)
        let split = try place.split(toPayee: toPayee, toPayer: toPayer)
        let arbitration = EscrowArbitration(
            escrow: place.id, round: place.round, toPayee: split.payee, toPayer: split.payer)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.escrowArbitrate(arbitration)])
    }
}

/// Where a decision about an escrow stands: its round and what is held, as far as they are known.
struct EscrowPlace: Sendable {
    let id: EscrowID
    let round: UInt64
    /// Nil off-line.
    let held: Amount?
    /// Whether the payee acts, who isn't the payer too, in the present round; false off-line.
    let isPayee: Bool

    init(id: EscrowID, round: UInt64, held: Amount?, isPayee: Bool = false) {
        self.id = id
        self.round = round
        self.held = held
        self.isPayee = isPayee
    }

    /// Asks the node, where there is one.
    init(
        _ text: String, round: UInt64?, _ builder: TransactionBuilder
    ) async throws(CommandFault) {
        id = try builder.network.parse(text)
        guard let client = builder.client else {
            guard let round else {
                throw .usage("--offline needs --round: no node is asked for it")
            }
            self.round = round
            held = nil
            isPayee = false
            return
        }
        let info = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.escrow(text)
        }
        guard info.state != .closed else {
            throw CommandFault("\(text) is closed: it holds nothing any more")
        }
        if let round, round != info.round, !builder.options.isForFile {
            throw CommandFault(
                """
                \(text) is in round \(info.round), not \(round): what was asked for then may be \
                another thing now. `offpeak escrow show` tells; then decide about this round
                """)
        }
        self.round = round ?? info.round
        held = info.held
        let parties = ([builder.sender] + builder.cosigners).map(builder.network.text)
        isPayee =
            self.round == info.round && info.isRefused(by: parties, refunding: info.held)
    }

    /// - Throws: `CommandFault` for more than what is held, or `all` where that isn't known.
    func amount(_ wanted: AmountOrAll) throws(CommandFault) -> Amount {
        guard let held else {
            if case .amount(let amount) = wanted { return amount }
            throw .usage("\"all\" needs a node that tells what is held; give the amount")
        }
        let amount = wanted.resolved(of: held)
        guard amount <= held else {
            throw CommandFault("\(amount) is more than the \(held) that the escrow holds")
        }
        return amount
    }

    /// Both parts; the one that is left out is the rest.
    /// - Throws: `CommandFault` unless they sum to what is held.
    func split(
        toPayee: AmountOrAll?, toPayer: AmountOrAll?
    ) throws(CommandFault) -> (payee: Amount, payer: Amount) {
        guard let held else {
            guard let toPayee, let toPayer else {
                throw .usage("off-line both --to-payee and --to-payer are needed")
            }
            return (try amount(toPayee), try amount(toPayer))
        }
        let payee = try toPayee.map { wanted throws(CommandFault) in try amount(wanted) }
        let payer = try toPayer.map { wanted throws(CommandFault) in try amount(wanted) }
        let rest = Amount(held.rawValue - (payee ?? payer ?? held).rawValue)
        let split = (payee: payee ?? rest, payer: payer ?? rest)
        guard let sum = try? split.payee.adding(split.payer), sum == held else {
            throw CommandFault(
                """
                \(split.payee) to the payee and \(split.payer) to the payer aren't the \(held) \
                that the escrow holds
                """)
        }
        return split
    }
}
