internal import ArgumentParser
internal import Primitives

/// `offpeak pay`
struct PayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pay",
        abstract: "Pay an amount to an address.",
        discussion: """
            Signs with --key, sends to the node, and waits for the receipt. With --out, --unsigned \
            or --offline it writes a transaction file instead.

              offpeak pay --key alice.key --to opkacc1... --amount 1500
              offpeak pay --key alice.key --to opkacc1... --amount 25 --asset opkast1...

            With --offline and --reserve it makes a voucher: a payment on a stream of its own with \
            a proof of what the payer had, which the receiver checks without a node and submits \
            when there is one. `offpeak voucher reserve` makes the reserve.
            """)

    @Option(help: ArgumentHelp("Who is paid.", valueName: "address"))
    var to: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How much, in the smallest unit.", valueName: "amount"),
        transform: { try AmountOption.parse($0) })
    var amount: Amount

    @OptionGroup var asset: AssetOption

    @Option(
        help: ArgumentHelp(
            "Make a voucher from this file of `offpeak voucher reserve`.", valueName: "file"))
    var reserve: String?

    @Option(help: ArgumentHelp("Write a voucher's QR code as a picture.", valueName: "file"))
    var svg: String?

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        if svg != nil, reserve == nil { throw ValidationError("--svg is for vouchers") }
        if amount == 0 { throw ValidationError("--amount 0 pays nothing: at least 1 is wanted") }
    }

    func run() async throws {
        var signing = signing
        var maker: VoucherMaker?
        let lock = try reserve.map(VoucherMaker.lock)
        defer { lock?.release() }
        if let reserve {
            maker = try VoucherMaker(reserve, &signing, svg: svg, output.format)
        }
        let builder = try await TransactionBuilder(signing, node)
        let transfer = Transfer(
            to: try builder.network.parse(to), asset: try asset.id(in: builder.network),
            amount: amount)
        if let maker { return try await maker.make([.transfer(transfer)], builder) }
        try await Delivery(builder: builder, format: output.format)
            .deliver([.transfer(transfer)])
    }
}
