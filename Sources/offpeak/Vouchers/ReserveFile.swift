internal import Primitives
internal import RPC

/// What a payer takes along to make vouchers without a node: the proof of its account, the next
/// sequence of a stream, and how much it means to spend.
///
/// The amount is the payer's own bound; the network sets nothing aside. The file moves on with each
/// voucher, before the voucher is handed out: no sequence is used twice. `last` is the newest one,
/// for whoever has lost it.
struct ReserveFile: Hashable, Sendable {
    static let format = "offpeak-reserve-1"
    private static let bytesMax = 1 << 20

    let prefix: NetworkPrefix
    let chainID: ChainID
    let account: String
    let stream: UInt16
    private(set) var nextSequence: UInt64
    /// What may still be spent, fees included.
    private(set) var amount: Amount
    /// What a voucher may cost unless an option says otherwise.
    let maxFee: Amount
    /// The text of the newest voucher, empty before the first.
    private(set) var last: String
    let proof: ProofInfo

    init(
        _ network: NetworkContext, account: String, stream: UInt16, nextSequence: UInt64,
        amount: Amount, maxFee: Amount, proof: ProofInfo
    ) {
        prefix = network.prefix
        chainID = network.chainID
        self.account = account
        self.stream = stream
        self.nextSequence = nextSequence
        self.amount = amount
        self.maxFee = maxFee
        last = ""
        self.proof = proof
    }

    static func read(_ path: String) throws(CommandFault) -> ReserveFile {
        try ReserveFile(bytes: try TextFile.read(path, maximum: bytesMax), file: path)
    }

    init(bytes: [UInt8], file: String) throws(CommandFault) {
        let fields = try JSONFields(
            bytes: bytes, file: file,
            known: [
                "format", "prefix", "chainID", "account", "stream", "nextSequence", "amount",
                "maxFee", "last", "proof",
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
        maxFee = try ReserveFile.amount("maxFee", fields)
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

    /// The file after a voucher.
    /// - Throws: `CommandFault` for one that takes more than is left.
    func spent(_ transaction: Transaction, _ text: String) throws(CommandFault) -> ReserveFile {
        var taken = transaction.maxFee
        for case .transfer(let transfer) in transaction.operations {
            taken = taken.clampedAdvance(by: transfer.amount.rawValue)
        }
        guard let left = try? amount.subtracting(taken) else {
            throw CommandFault(
                """
                this voucher takes \(taken) with its fee, \(amount) of the reserve is left: make a \
                new one with `offpeak voucher reserve` when a node can be asked
                """)
        }
        guard let next = transaction.sequence.next else {
            throw CommandFault("stream \(stream) has no further sequence")
        }
        var after = self
        after.amount = left
        after.nextSequence = next.rawValue
        after.last = text
        return after
    }

    /// The file's text.
    var text: String { OutputFormat.json(content) + "\n" }

    var content: Content {
        Content(
            format: ReserveFile.format, prefix: prefix.text, chainID: chainID.description,
            account: account, stream: stream, nextSequence: nextSequence, amount: amount,
            maxFee: maxFee, last: last, proof: proof)
    }

    /// The file's members.
    struct Content: Encodable, Sendable {
        let format: String
        let prefix: String
        let chainID: String
        let account: String
        let stream: UInt16
        let nextSequence: UInt64
        let amount: Amount
        let maxFee: Amount
        let last: String
        let proof: ProofInfo
    }
}

extension JSONFields {
    /// A text member, empty where there is none: for texts that are checked by their own rules.
    fileprivate func textOrEmpty(_ name: String) -> String { (try? text(name)) ?? "" }
}
