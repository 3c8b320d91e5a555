internal import Execution
internal import LightClient
internal import Primitives

/// Makes a voucher off-line from a reserve, and hands it out as text, file and QR code.
struct VoucherMaker {
    let reservePath: String
    let reserve: ReserveFile
    let out: String?
    let svg: String?
    let format: OutputFormat

    /// How long a voucher may be submitted unless an option says otherwise.
    private static let validity = TimeSpan.seconds(7 * 24 * 3600)

    /// Held from before a reserve is read until its voucher is handed out.
    static func lock(_ path: String) throws(CommandFault) -> FileLock {
        try FileLock(
            for: path,
            refusal: "another payment from \(path) is under way: run the command again after it")
    }

    /// Fills the options of a payment with what the reserve knows.
    /// - Throws: `CommandFault` for options that contradict it.
    init(
        _ path: String, _ signing: inout SigningOptions, svg: String?, _ format: OutputFormat
    ) throws(CommandFault) {
        let reserve = try ReserveFile.read(path)
        guard signing.offline, !signing.unsigned else {
            throw .usage("--reserve makes a voucher: it wants --offline and --key, no --unsigned")
        }
        guard signing.stream == reserve.stream || signing.stream == 0 else {
            throw .usage(
                "--stream \(signing.stream): the reserve is for stream \(reserve.stream)")
        }
        if let sequence = signing.sequence, sequence < reserve.nextSequence {
            throw .usage(
                "--sequence \(sequence) was handed out: \(reserve.nextSequence) is the next")
        }
        for path in [signing.out, svg] {
            guard let path, path != "-" else { continue }
            try TextFile.checkAbsent(path)
        }
        signing.stream = reserve.stream
        signing.sequence = signing.sequence ?? reserve.nextSequence
        signing.maxFee = signing.maxFee ?? reserve.maxFee
        signing.validFor = signing.validFor ?? VoucherMaker.validity
        signing.chainId = signing.chainId ?? reserve.chainID.description
        signing.prefix = signing.prefix ?? reserve.prefix.text
        signing.from = signing.from ?? reserve.account
        reservePath = path
        self.reserve = reserve
        out = signing.out
        self.svg = svg
        self.format = format
    }

    /// Builds, signs, moves the reserve on, and only then hands out.
    func make(
        _ operations: [Operation], _ builder: TransactionBuilder
    ) async throws(CommandFault) {
        guard builder.network.chainID == reserve.chainID else {
            throw CommandFault("\(reservePath) is for chain \(reserve.chainID), not for this one")
        }
        guard builder.network.text(builder.sender) == reserve.account else {
            throw .usage("\(reservePath) is for the account \(reserve.account)")
        }
        let file = try await builder.build(operations)
            .signed(by: builder.keys.map(\.secretKey))
        let proof = try VoucherText.reserve(reserve.proof, place: reservePath)
        let account = try account(in: proof, builder.sender)
        try check(file, account, at: builder.network.now)
        let voucher = Voucher(try file.signedTransaction(), reserve: proof)
        let text = voucher.text(in: reserve.prefix)
        let after = try reserve.spent(file.transaction, text, account)
        try TextFile.write(after.text, to: reservePath, replacing: true)
        try VoucherOutput(voucher, reserve.prefix).write(to: out, svg: svg, format)
    }

    /// The payer's account as it was proven.
    private func account(
        in proof: AnchoredProof, _ sender: Address
    ) throws(CommandFault) -> Account {
        guard case .value(let proven) = proof.claim, proven.key == StateKey(.account, sender),
            let account = proven.value.flatMap({ try? Account(bcs: $0) })
        else {
            throw CommandFault(
                "\(reservePath): proof: it isn't of the account \(reserve.account)")
        }
        return account
    }

    /// What nobody would take must not use up a sequence.
    private func check(
        _ file: TransactionFile, _ account: Account, at now: Timestamp
    ) throws(CommandFault) {
        let body = file.transaction
        let sender = body.sender
        guard let policy = account.policy ?? file.policy(of: sender) else {
            throw CommandFault(
                """
                the network doesn't know the policy of \(reserve.account) yet: name its policy \
                file with --policy FILE
                """)
        }
        let known = KnownLedger(accounts: [sender: KnownLedger.Account(policy: policy)])
        let parts = WeightCheck.parts(of: file, known: known)
        try WeightCheck.check(file, parts)
        let isBound = parts.contains { $0.weight < policy.admin }
        for (asset, amount) in reserve.taken(by: body).sorted(by: { $0.key < $1.key }) {
            guard account.holding(of: asset)?.isFrozen != true else {
                throw CommandFault("the asset \(asset.text(in: reserve.prefix)) is frozen")
            }
            // Of the fee, the tip alone counts.
            let rest = asset == .native ? body.maxFee.clampedRetreat(by: body.tip.rawValue) : 0
            let counted = amount.clampedRetreat(by: rest.rawValue)
            guard isBound, let room = account.room(for: asset, at: now), counted > room else {
                continue
            }
            let name = asset == .native ? "" : " of asset \(asset.text(in: reserve.prefix))"
            throw CommandFault(
                """
                the account's spending limit leaves \(room)\(name), this takes \(counted): wait, \
                or sign with all keys
                """)
        }
    }
}

/// A voucher's ways out.
struct VoucherOutput {
    private let voucher: Voucher
    private let prefix: NetworkPrefix
    private let text: String

    init(_ voucher: Voucher, _ prefix: NetworkPrefix) {
        self.voucher = voucher
        self.prefix = prefix
        text = voucher.text(in: prefix)
    }

    /// The answer of commands that hand a voucher out.
    private struct Answer: Encodable {
        let voucher: VoucherReport
        let text: String
        let file: String?
        let svg: String?
        /// Whether the QR code holds the proof too.
        let codeHasProof: Bool
    }

    /// The whole voucher in a code, or the payment alone where it doesn't fit.
    func code() throws(CommandFault) -> (code: QRText, hasProof: Bool) {
        if let code = QRText(text.uppercased()) { return (code, voucher.reserve != nil) }
        let bare = Voucher(voucher.transaction, reserve: nil).text(in: prefix)
        guard let code = QRText(bare.uppercased()) else {
            throw CommandFault(
                "the payment has \(voucher.transaction.byteCount) bytes, too many for a QR code")
        }
        return (code, false)
    }

    /// Writes the text into a file or to stdout, and the code into a picture.
    func write(
        to path: String?, svg: String?, _ format: OutputFormat
    ) throws(CommandFault) {
        var hasProof = false
        if let svg {
            let made = try code()
            hasProof = made.hasProof
            try TextFile.write(made.code.svg, to: svg)
            if !hasProof { format.remark(VoucherOutput.bare) }
        }
        if path == "-" { return try TextFile.write(text + "\n", to: "-") }
        if let path { try TextFile.write(text + "\n", to: path) }
        let answer = Answer(
            voucher: VoucherReport(voucher, in: prefix), text: text, file: path, svg: svg,
            codeHasProof: hasProof)
        format.show(answer) {
            let places = [path, svg].compactMap { $0 }
            return answer.voucher.text(format.palette) + "\n\n"
                + (path == nil ? text : "written to " + places.joined(separator: " and "))
        }
    }

    static let bare =
        "the QR code holds the payment alone: with its proof it is too long; hand the proof over as"
        + " a file, for `offpeak voucher check --reserve FILE`"
}
