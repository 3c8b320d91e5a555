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
        /// By asset, the native one first.
        let covers: [Cover]
        /// Vouchers before it that weren't shown.
        let missing: UInt64
        let feeMin: Amount
        let nextSequence: SequenceNumber
        /// What no check without a node can show.
        let unknown: [String]
    }

    /// What the payer had of an asset.
    struct Cover: Encodable, Sendable {
        /// Absent for the native asset.
        let asset: String?
        let held: Amount
        let needed: Amount
        /// By the vouchers before it.
        let neededBefore: Amount
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
                asset: transfer.asset == .native ? nil : transfer.asset.text(in: prefix),
                amount: transfer.amount)
        }
        signedBy = signed.authorizations.map { $0.publicKey.text(in: prefix) }
        hasProof = voucher.reserve != nil
        checked = report.map { Checked($0, body, in: prefix) }
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
        sheet.add("payer had", list: checked.covers.map(VoucherReport.text))
        sheet.add("not known", list: checked.unknown)
        let head =
            checked.missing == 0
            ? palette.paint("good, as far as can be known here", .green)
            : palette.paint("not known to be good: nothing says that it is covered", .red)
        return head + "\n" + sheet.text(palette)
    }

    fileprivate static func text(_ doubt: VoucherCheck.Doubt) -> String {
        switch doubt {
        case .fees: "whether the validators have changed fees and deposits since the genesis"
        case .receivers:
            "whether all receivers have room for the assets: if one hasn't, nothing of it is paid"
        case .keys(let start):
            "whether the payer's keys still hold: from \(ISOTime.text(start)) on a recovery can"
                + " replace them"
        }
    }

    private static func text(_ cover: Cover) -> String {
        let asset = cover.asset.map { " of asset \($0)" } ?? ""
        let before = cover.neededBefore == 0 ? "" : ", and those before it \(cover.neededBefore)"
        return "\(cover.held)\(asset), of which it takes at most \(cover.needed)\(before)"
    }
}

extension VoucherReport.Checked {
    fileprivate init(
        _ report: VoucherCheck.Report, _ body: Transaction, in prefix: NetworkPrefix
    ) {
        provenHeight = report.height
        provenAt = report.time
        ageMilliseconds = report.age
        held = report.held
        needed = report.needed
        deposit = report.deposit
        covers = report.covers.map { cover in
            VoucherReport.Cover(
                asset: cover.asset == .native ? nil : cover.asset.text(in: prefix),
                held: cover.held, needed: cover.needed, neededBefore: cover.before)
        }
        missing = report.missing
        feeMin = report.feeMin
        nextSequence = report.next
        var unknown = [
            "whom else the payer gave a payment with this stream and sequence: one of them is paid",
            "what the payer has spent since \(ISOTime.text(report.time))",
        ]
        if report.missing > 0 {
            unknown.append(
                "what \(report.missing) of the vouchers before it take: show them with --with")
        }
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
        self.unknown = unknown + report.doubts.map(VoucherReport.text)
    }
}
