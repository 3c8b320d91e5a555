internal import Simulator

/// What spreading saves, as text and as JSON.
enum TableText {
    static func printTable(json isJSON: Bool) {
        let table = VerificationTable()
        print(isJSON ? json(table) : text(table))
    }

    static func json(_ table: VerificationTable) -> String {
        let rows = table.rows.map { row in
            let fields = [
                "\"validators\":\(row.validators)", "\"edgeVerifiers\":\(row.edges)",
                "\"batch\":\(row.batch)", "\"counted\":true",
                "\"checksPerTransaction\":\(Summary.seconds(row.checksPerTransaction))",
                "\"checksPerTransactionAndValidator\":\(Summary.seconds(row.checksPerValidator))",
                "\"certificateChecksPerTransaction\":"
                    + Summary.seconds(row.certificateChecksPerTransaction),
                "\"certificateEntries\":\(row.entries)",
                "\"factor\":\(Summary.seconds(row.factor))",
                "\"factorWithCertificates\":\(Summary.seconds(row.factorNet))",
                "\"factorOfValidators\":\(Summary.seconds(row.factorOfValidators))",
            ]
            return "{" + fields.joined(separator: ",") + "}"
        }
        return "{\"rows\":[" + rows.joined(separator: ",") + "]}"
    }

    static func text(_ table: VerificationTable) -> String {
        let head = [
            "validators", "edges", "batch", "checks/tx", "checks/tx/validator", "cert checks/tx",
            "factor", "with certs", "of validators",
        ]
        let rows = table.rows.map { row in
            [
                "\(row.validators)", "\(row.edges)", "\(row.batch)",
                Summary.seconds(row.checksPerTransaction), Summary.seconds(row.checksPerValidator),
                Summary.seconds(row.certificateChecksPerTransaction), Summary.seconds(row.factor),
                Summary.seconds(row.factorNet), Summary.seconds(row.factorOfValidators),
            ]
        }
        return ([head] + rows).map { cells in
            zip(cells, head).map { cell, title in
                String(repeating: " ", count: max(0, title.count - cell.count)) + cell
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
