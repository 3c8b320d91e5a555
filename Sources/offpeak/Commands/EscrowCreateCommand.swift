internal import ArgumentParser
internal import Primitives

/// `offpeak escrow create`
struct EscrowCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Put money into a new escrow.",
        discussion: """
            The sender is the payer. Unless told otherwise the payer releases, the payee refunds, \
            and what is left at the deadline goes back to the payer.

            Times: +10s, +2h, +3d from now; 2026-11-23T16:00:00Z; milliseconds since 1970.
            Quorums: address:weight,address:weight@threshold.

              offpeak escrow create --key alice.key --to opkacc1... --amount 9000 --deadline +30d \
            --arbiter opkacc1...
            """)

    @Option(help: ArgumentHelp("The payee.", valueName: "address"))
    var to: String

    @Option(
        parsing: .unconditional, help: "How much, in the smallest unit.",
        transform: { try AmountOption.parse($0) })
    var amount: Amount

    @OptionGroup var asset: AssetOption

    @Option(
        help: ArgumentHelp("When the default is carried out.", valueName: "time"),
        transform: { try TimeText($0) })
    var deadline: TimeText

    @Option(help: "What the default does with what is left: refund or release.")
    var onDeadline = Direction.refund

    @Option(help: ArgumentHelp("Who decides to release (default: the payer).", valueName: "quorum"))
    var release: String?

    @Option(help: ArgumentHelp("Who decides to refund (default: the payee).", valueName: "quorum"))
    var refund: String?

    @Option(
        help: ArgumentHelp("Who decides after a dispute: address or quorum.", valueName: "quorum"))
    var arbiter: String?

    @Option(
        help: ArgumentHelp(
            "When the default is carried out after a dispute (default: as long after the deadline "
                + "as the deadline is from now).", valueName: "time"),
        transform: { try TimeText($0) })
    var arbitrationDeadline: TimeText?

    @Option(
        help: ArgumentHelp("SHA-256 digest whose preimage a release needs.", valueName: "hex"))
    var hashlock: String?

    @Option(
        help: ArgumentHelp("No release before.", valueName: "time"),
        transform: { try TimeText($0) })
    var notBefore: TimeText?

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    /// `--on-deadline`
    enum Direction: String, ExpressibleByArgument, CaseIterable {
        case refund
        case release

        var value: EscrowDirection { self == .refund ? .refund : .release }
    }

    mutating func validate() throws {
        if amount == 0 { throw ValidationError("--amount 0: an escrow holds at least 1") }
        if arbitrationDeadline != nil && arbiter == nil {
            throw ValidationError("--arbitration-deadline needs --arbiter: nobody could dispute")
        }
        if hashlock != nil && onDeadline == .release {
            throw ValidationError(
                "--on-deadline release would pay without the preimage of --hashlock: use refund")
        }
    }

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let terms = try terms(builder.network, payer: builder.sender)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.escrowCreate(terms)])
    }

    /// What the options say, for `payer`.
    func terms(_ network: NetworkContext, payer: Address) throws(CommandFault) -> EscrowTerms {
        let payee: Address = try network.parse(to)
        let deadline = try network.time(deadline)
        guard deadline > network.now else {
            throw .usage("--deadline \(ISOTime.text(deadline)) has passed")
        }
        let arbitration = try arbiter.map { text throws(CommandFault) in
            try network.quorum(text)
        }
        let notBefore = try notBefore.map { time throws(CommandFault) in
            try network.time(time)
        }
        if let notBefore, notBefore >= deadline {
            throw .usage("--not-before must be before --deadline, or nothing could be released")
        }
        return EscrowTerms(
            payee: payee, asset: try asset.id(in: network), amount: amount,
            release: try quorum(release, payer, network),
            refund: try quorum(refund, payee, network), arbitration: arbitration,
            hashlock: try hashlockBytes(), notBefore: notBefore, deadline: deadline,
            onDeadline: onDeadline.value,
            arbitrationDeadline: arbitration == nil ? nil : try arbitrationEnd(network, deadline))
    }

    private func quorum(
        _ text: String?, _ standard: Address, _ network: NetworkContext
    ) throws(CommandFault) -> Quorum {
        try network.quorum(text ?? network.text(standard))
    }

    private func hashlockBytes() throws(CommandFault) -> Bytes32? {
        guard let hashlock else { return nil }
        return try IDText.parse(hex: hashlock, "a SHA-256 digest (--hashlock)")
    }

    private func arbitrationEnd(
        _ network: NetworkContext, _ deadline: Timestamp
    ) throws(CommandFault) -> Timestamp {
        guard let arbitrationDeadline else {
            return deadline.clampedAdvance(by: deadline.rawValue - network.now.rawValue)
        }
        let end = try network.time(arbitrationDeadline)
        guard end > deadline else {
            throw .usage("--arbitration-deadline must be after --deadline")
        }
        return end
    }
}
