internal import LightClient
internal import Primitives

/// A voucher as people and programs read it, with what a check has shown of it.
struct VoucherReport: Encodable, Sendable {
    /// A payment in it.
    struct Payment: Encodable, Sendable {
        let to: String
        /// Absent for the native asset.
        let asset: String?
        let amount: Amount
    }

    /// What the check has shown; absent where nothing was checked.
    struct Checked: Encodable, Sendable {
        let provenHeight: Height
        let provenAt: Timestamp
        let ageMilliseconds: UInt64
        let held: Amount
        let needed: Amount
        let deposit: Amount
        let feeMin: Amount
        let nextSequence: SequenceNumber
        /// What no check without a node can show.
        let unknown: [String]
    }

    let transaction: String
    let payer: String
    let stream: UInt16
    let sequence: SequenceNumber
    let validUntil: Timestamp
    let maxFee: Amount
    let payments: [Payment]
    let signedBy: [String]
    let hasProof: Bool
    private(set) var checked: Checked?

    init(_ voucher: Voucher, in prefix: NetworkPrefix, _ report: VoucherCheck.Report? = nil) {
        let signed = voucher.transaction
        let body = signed.transaction
        transaction = signed.id.text(in: prefix)
        payer = body.sender.text(in: prefix)
        stream = body.stream
        sequence = body.sequence
        validUntil = body.validUntil
        maxFee = body.maxFee
        payments = body.operations.compactMap { operation in
            guard case .transfer(let transfer) = operation else { return nil }
            return Payment(
                to: transfer.to.text(in: prefix),
                asset: transfer.asset == .native ? nil : transfer.asset.description,
                amount: transfer.amount)
        }
        signedBy = signed.authorizations.map { $0.publicKey.text(in: prefix) }
        hasProof = voucher.reserve != nil
        checked = report.map { Checked($0, body) }
    }

    func text(_ palette: Palette) -> String {
        var sheet = Sheet(["transaction": transaction, "payer": payer])
        sheet.add(
            "pays",
            list: payments.map { payment in
                let asset = payment.asset.map { " of asset \($0)" } ?? ""
                return "\(payment.amount)\(asset) to \(payment.to)"
            })
        sheet.add("place", "stream \(stream), sequence \(sequence)")
        sheet.add("valid until", ISOTime.text(validUntil))
        sheet.add("fee at most", "\(maxFee)")
        sheet.add("signed by", list: signedBy)
        guard let checked else {
            sheet.add("proof", hasProof ? "of the payer's account, not checked here" : "none")
            return sheet.text(palette)
        }
        sheet.add(
            "proven",
            "\(TimeSpan(milliseconds: checked.ageMilliseconds)) ago, at height "
                + "\(checked.provenHeight), \(ISOTime.text(checked.provenAt))")
        sheet.add("payer had", "\(checked.held), of which it takes at most \(checked.needed)")
        sheet.add("not known", list: checked.unknown)
        return palette.paint("good, as far as can be known here", .green) + "\n"
            + sheet.text(palette)
    }
}

extension VoucherReport.Checked {
    fileprivate init(_ report: VoucherCheck.Report, _ body: Transaction) {
        provenHeight = report.height
        provenAt = report.time
        ageMilliseconds = report.age
        held = report.held
        needed = report.needed
        deposit = report.deposit
        feeMin = report.feeMin
        nextSequence = report.next
        var unknown = [
            "whom else the payer gave a payment with this stream and sequence: one of them is paid",
            "what the payer has spent since \(ISOTime.text(report.time))",
        ]
        if body.sequence > report.next {
            unknown.append(
                "whether sequences \(report.next) to \(body.sequence), without the last, are paid"
                    + " first: this one waits for them")
        }
        if body.maxFee.rawValue / 2 < report.feeMin.rawValue {
            unknown.append(
                "whether \(body.maxFee) will do for the fee: it is at least \(report.feeMin), more"
                    + " when the network is busy")
        }
        self.unknown = unknown
    }
}
