internal import Execution
internal import Primitives
internal import RPC

/// What a payer takes along to make vouchers without a node: the proof of its account, the next
/// sequence of a stream, and how much it means to spend.
///
/// The amount is the payer's own bound; the network sets nothing aside. The file moves on with each
/// voucher, before the voucher is handed out: no sequence is used twice. `last` is the newest one,
/// for whoever has lost it.
struct ReserveFile: Hashable, Sendable {
    static let format = "offpeak-reserve-2"
    private static let bytesMax = 1 << 20

    let prefix: NetworkPrefix
    let chainID: ChainID
    let account: String
    let stream: UInt16
    private(set) var nextSequence: UInt64
    /// What of the native asset may still be spent, fees included.
    private(set) var amount: Amount
    /// What is left of issued assets that vouchers took, of what the account held.
    private(set) var assets: [AssetID: Amount]
    /// What a voucher may cost unless an option says otherwise.
    let maxFee: Amount
    /// What the payer pays for a receiver's entry of an issued asset.
    let holdingDeposit: Amount
    /// The text of the newest voucher, empty before the first.
    private(set) var last: String
    let proof: ProofInfo

    init(
        _ network: NetworkContext, account: String, stream: UInt16, nextSequence: UInt64,
        amount: Amount, maxFee: Amount, holdingDeposit: Amount, proof: ProofInfo
    ) {
        prefix = network.prefix
        chainID = network.chainID
        self.account = account
        self.stream = stream
        self.nextSequence = nextSequence
        self.amount = amount
        assets = [:]
        self.maxFee = maxFee
        self.holdingDeposit = holdingDeposit
        last = ""
        self.proof = proof
    }

    /// Whether bytes are meant to be such a file.
    static func isOne(_ bytes: [UInt8]) -> Bool {
        guard case .object(let members)? = try? JSONReader.parse(bytes) else { return false }
        return members.contains { $0.name == "format" }
    }

    static func read(_ path: String) throws(CommandFault) -> ReserveFile {
        try ReserveFile(bytes: try TextFile.read(path, maximum: bytesMax), file: path)
    }

    init(bytes: [UInt8], file: String) throws(CommandFault) {
        let fields = try JSONFields(
            bytes: bytes, file: file,
            known: [
                "format", "prefix", "chainID", "account", "stream", "nextSequence", "amount",
                "assets", "maxFee", "holdingDeposit", "last", "proof",
            ])
        let format = try fields.text("format")
        guard format == ReserveFile.format else {
            throw CommandFault(
                "\(file): format \"\(format)\", \"\(ReserveFile.format)\" is wanted")
        }
        prefix = try NetworkContext.prefix(try fields.text("prefix"))
        chainID = ChainID(try IDText.parse(hex: try fields.text("chainID"), "a chain id"))
        account = try fields.text("account")
        stream = try fields.number("stream")
        nextSequence = try fields.number("nextSequence")
        amount = try ReserveFile.amount("amount", fields)
        assets = try ReserveFile.assets(fields, in: prefix)
        maxFee = try ReserveFile.amount("maxFee", fields)
        holdingDeposit = try ReserveFile.amount("holdingDeposit", fields)
        last = try fields.text("last")
        proof = try ProofFile.info(
            JSONFields(
                try fields.value("proof"), place: "\(file): proof", known: ProofFile.members))
        guard stream != 0 else { throw CommandFault("\(file): stream: 0 isn't for vouchers") }
    }

    private static func amount(
        _ name: String, _ fields: JSONFields
    ) throws(CommandFault) -> Amount {
        do throws(AmountText.Fault) {
            return try AmountText.parse(fields.textOrEmpty(name))
        } catch {
            throw CommandFault("\(fields.place): \(name): \(error)")
        }
    }

    private static func assets(
        _ fields: JSONFields, in prefix: NetworkPrefix
    ) throws(CommandFault) -> [AssetID: Amount] {
        var assets: [AssetID: Amount] = [:]
        for (place, value) in try fields.list("assets", maximum: 256).enumerated() {
            let entry = try JSONFields(
                value, place: "\(fields.place): assets[\(place)]", known: ["asset", "amount"])
            let asset: AssetID = try IDText.parse(try entry.text("asset"), in: prefix)
            assets[asset] = try amount("amount", entry)
        }
        return assets
    }

    /// The file after a voucher.
    /// - Parameter account: The proven one.
    /// - Throws: `CommandFault` for one that takes more than is left.
    func spent(
        _ transaction: Transaction, _ text: String, _ account: Account
    ) throws(CommandFault) -> ReserveFile {
        var after = self
        for (asset, amount) in taken(by: transaction).sorted(by: { $0.key < $1.key }) {
            try after.take(amount, of: asset, held: account.balance(of: asset))
        }
        guard let next = transaction.sequence.next else {
            throw CommandFault("stream \(stream) has no further sequence")
        }
        after.nextSequence = next.rawValue
        after.last = text
        return after
    }

    /// What a payment takes at most, with the deposit for each receiver's entry.
    func taken(by transaction: Transaction) -> [AssetID: Amount] {
        var taken: [AssetID: Amount] = [.native: transaction.maxFee]
        for case .transfer(let transfer) in transaction.operations {
            taken[transfer.asset] = (taken[transfer.asset] ?? 0)
                .clampedAdvance(by: transfer.amount.rawValue)
            guard transfer.asset != .native else { continue }
            taken[.native] = taken[.native]?.clampedAdvance(by: holdingDeposit.rawValue)
        }
        return taken
    }

    private mutating func take(
        _ taken: Amount, of asset: AssetID, held: Amount
    ) throws(CommandFault) {
        let before = asset == .native ? amount : assets[asset] ?? held
        guard let left = try? before.subtracting(taken) else {
            let what =
                asset == .native
                ? "\(taken) with fee and deposits, \(before) of the reserve is left"
                : "\(taken) of asset \(asset.text(in: prefix)), \(before) of what was held is left"
            throw CommandFault(
                """
                this voucher takes \(what): make a new reserve with `offpeak voucher reserve` when \
                a node can be asked
                """)
        }
        if asset == .native { amount = left } else { assets[asset] = left }
    }

    /// The file's text.
    var text: String { OutputFormat.json(content) + "\n" }

    var content: Content {
        Content(
            format: ReserveFile.format, prefix: prefix.text, chainID: chainID.description,
            account: account, stream: stream, nextSequence: nextSequence, amount: amount,
            assets: assets.sorted { $0.key < $1.key }.map { asset, amount in
                Content.Left(asset: asset.text(in: prefix), amount: amount)
            },
            maxFee: maxFee, holdingDeposit: holdingDeposit, last: last, proof: proof)
    }

    /// The file's members.
    struct Content: Encodable, Sendable {
        struct Left: Encodable, Sendable {
            let asset: String
            let amount: Amount
        }

        let format: String
        let prefix: String
        let chainID: String
        let account: String
        let stream: UInt16
        let nextSequence: UInt64
        let amount: Amount
        let assets: [Left]
        let maxFee: Amount
        let holdingDeposit: Amount
        let last: String
        let proof: ProofInfo
    }
}

extension JSONFields {
    /// A text member, empty where there is none: for texts that are checked by their own rules.
    fileprivate func textOrEmpty(_ name: String) -> String { (try? text(name)) ?? "" }
}
