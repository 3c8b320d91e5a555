internal import Primitives
internal import RPC

/// A statement as ISO 20022 has it: BankToCustomerStatementV08, camt.053.001.08.
///
/// Elements stand in the order of the schema. Names of accounts and transactions are longer than
/// the schema's 34 and 35 characters: the whole address stands in `Prxy`, a whole transaction in
/// `AddtlTxInf`; their first characters in the fields that are wanted, 150 bits and more of them.
struct StatementXML {
    private let statement: Statement
    private let currency: String
    private let decimals: Int
    private let madeAt: Timestamp

    /// `ActiveOrHistoricCurrencyAndAmount` has 18 digits.
    private static let amountMax = Amount(999_999_999_999_999_999)
    private static let namespace = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
    /// Who defines the codes of moves, and the accounts' names.
    private static let issuer = "offpeak"

    /// - Throws: `CommandFault` for amounts that the format can't carry.
    init(
        _ statement: Statement, currency: String, decimals: Int, madeAt: Timestamp
    ) throws(CommandFault) {
        self.statement = statement
        self.currency = currency
        self.decimals = decimals
        self.madeAt = madeAt
        for amount in [statement.opening, statement.closing] + statement.moves.map(\.amount) {
            guard amount <= StatementXML.amountMax else {
                throw CommandFault(
                    "\(amount) has more than the 18 digits that camt.053 carries: use --format csv")
            }
        }
    }

    var text: String {
        var xml = XMLText()
        xml.element("Document", ["xmlns": StatementXML.namespace]) { xml in
            xml.element("BkToCstmrStmt") { xml in
                xml.element("GrpHdr") { xml in
                    xml.leaf("MsgId", id)
                    xml.leaf("CreDtTm", ISOTime.text(madeAt))
                }
                xml.element("Stmt") { xml in writeStatement(&xml) }
            }
        }
        return xml.text
    }

    /// The same for equal statements: hexadecimal digits of a hash of what it is about.
    private var id: String {
        let period = statement.period
        let subject =
            "\(statement.address) \(statement.asset) \(period.start) \(period.end) \(period.height)"
        return Hex.encode(Bytes32.sha256(Array(subject.utf8)).bytes.prefix(16))
    }

    private func writeStatement(_ xml: inout XMLText) {
        xml.leaf("Id", id)
        xml.leaf("CreDtTm", ISOTime.text(madeAt))
        xml.element("FrToDt") { xml in
            xml.leaf("FrDtTm", ISOTime.text(statement.period.start))
            xml.leaf("ToDtTm", ISOTime.text(statement.lastMoment))
        }
        xml.element("Acct") { xml in writeAccount(statement.address, &xml, hasCurrency: true) }
        writeBalance("OPBD", statement.opening, statement.period.start, &xml)
        writeBalance("CLBD", statement.closing, statement.lastMoment, &xml)
        xml.element("TxsSummry") { xml in
            xml.element("TtlNtries") { xml in
                xml.leaf("NbOfNtries", "\(statement.moves.count)")
            }
        }
        for (place, move) in statement.moves.enumerated() {
            xml.element("Ntry") { xml in writeEntry(move, number: place + 1, &xml) }
        }
        xml.leaf("AddtlStmtInf", "asset \(statement.asset), block \(statement.period.height)")
    }

    private func writeAccount(_ address: String, _ xml: inout XMLText, hasCurrency: Bool) {
        xml.element("Id") { xml in
            xml.element("Othr") { xml in
                xml.leaf("Id", String(address.prefix(34)))
                xml.element("SchmeNm") { $0.leaf("Prtry", StatementXML.issuer) }
            }
        }
        if hasCurrency { xml.leaf("Ccy", currency) }
        xml.element("Prxy") { $0.leaf("Id", address) }
    }

    private func writeBalance(
        _ code: String, _ amount: Amount, _ time: Timestamp, _ xml: inout XMLText
    ) {
        xml.element("Bal") { xml in
            xml.element("Tp") { xml in
                xml.element("CdOrPrtry") { $0.leaf("Cd", code) }
            }
            writeAmount(amount, &xml)
            // An account never holds less than nothing.
            xml.leaf("CdtDbtInd", "CRDT")
            xml.element("Dt") { $0.leaf("DtTm", ISOTime.text(time)) }
        }
    }

    private func writeAmount(_ amount: Amount, _ xml: inout XMLText) {
        xml.leaf("Amt", decimal(amount), ["Ccy": currency])
    }

    /// The amount with its decimals.
    private func decimal(_ amount: Amount) -> String {
        guard decimals > 0 else { return "\(amount)" }
        let digits = "\(amount)"
        let zeros = String(repeating: "0", count: max(0, decimals + 1 - digits.count))
        let all = zeros + digits
        return "\(all.dropLast(decimals)).\(all.suffix(decimals))"
    }

    private func writeEntry(_ move: PostingInfo, number: Int, _ xml: inout XMLText) {
        let isCredit = move.direction == .credit
        xml.leaf("NtryRef", "\(number)")
        writeAmount(move.amount, &xml)
        xml.leaf("CdtDbtInd", isCredit ? "CRDT" : "DBIT")
        xml.element("Sts") { $0.leaf("Cd", "BOOK") }
        xml.element("BookgDt") { $0.leaf("DtTm", ISOTime.text(move.time)) }
        xml.element("ValDt") { $0.leaf("DtTm", ISOTime.text(move.time)) }
        xml.leaf("AcctSvcrRef", move.place)
        xml.element("BkTxCd") { xml in writeCode(of: move, isCredit: isCredit, &xml) }
        xml.element("NtryDtls") { xml in
            xml.element("TxDtls") { xml in writeDetails(of: move, isCredit: isCredit, &xml) }
        }
    }

    /// Payments between accounts are credit transfers, received or issued; everything else is a
    /// miscellaneous operation. The ledger's own word stands beside it.
    private func writeCode(of move: PostingInfo, isCredit: Bool, _ xml: inout XMLText) {
        let families =
            move.kind == StatementXML.transfer ? ("RCDT", "ICDT") : ("MCOP", "MDOP")
        xml.element("Domn") { xml in
            xml.leaf("Cd", "PMNT")
            xml.element("Fmly") { xml in
                xml.leaf("Cd", isCredit ? families.0 : families.1)
                xml.leaf("SubFmlyCd", "OTHR")
            }
        }
        xml.element("Prtry") { xml in
            xml.leaf("Cd", move.kind)
            xml.leaf("Issr", StatementXML.issuer)
        }
    }

    private static let transfer = "transfer"

    private func writeDetails(of move: PostingInfo, isCredit: Bool, _ xml: inout XMLText) {
        xml.element("Refs") { xml in
            xml.leaf("AcctSvcrRef", move.place)
            if let transaction = move.transaction {
                xml.leaf("TxId", String(transaction.prefix(35)))
            }
        }
        writeAmount(move.amount, &xml)
        xml.leaf("CdtDbtInd", isCredit ? "CRDT" : "DBIT")
        if let party = move.party, move.kind == StatementXML.transfer {
            xml.element("RltdPties") { xml in
                xml.element(isCredit ? "DbtrAcct" : "CdtrAcct") { xml in
                    writeAccount(party, &xml, hasCurrency: false)
                }
            }
        } else if let party = move.party {
            xml.element("RmtInf") { $0.leaf("Ustrd", party) }
        }
        if let transaction = move.transaction { xml.leaf("AddtlTxInf", transaction) }
    }
}
