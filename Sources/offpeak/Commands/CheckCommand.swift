internal import ArgumentParser
internal import Primitives

/// `offpeak check`
struct CheckCommand: AsyncParsableCommand {
    static let configuration = group(
        "check", "Hold the network's rules against vectors of one's own.",
        [SignaturesCommand.self])

    /// `offpeak check signatures`
    struct SignaturesCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "signatures",
            abstract: "Check Ed25519 test vectors by the network's signature rule.",
            discussion: """
                FILE is in Wycheproof's JSON format. Each vector is checked alone and all of them \
                in one batch; "acceptable" takes either verdict, if both are the same. The exit \
                code is 1 if a verdict isn't the expected one.
                """)

        @Argument(help: "The vectors (- for stdin).")
        var file: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            let report = SignatureVectorReport(try SignatureVectorFile.read(file))
            output.format.show(report) { report.text(output.format.palette) }
            guard report.different == 0 else {
                throw CommandFault(
                    "\(report.different) of \(report.total) verdicts aren't the expected ones")
            }
        }
    }
}

/// The verdicts on the vectors of a file.
struct SignatureVectorReport: Encodable, Sendable {
    struct Row: Encodable, Sendable {
        let tcId: Int
        let comment: String
        /// Whether the check of this signature alone accepts it.
        let single: Bool
        /// Whether the check of all signatures together accepts it.
        let batch: Bool
        let expected: SignatureVector.Expectation
        let isExpected: Bool
    }

    let total: Int
    /// How many verdicts aren't the expected ones, or differ between single and batch.
    let different: Int
    let tests: [Row]

    init(_ vectors: [SignatureVector]) {
        var batch = SignatureBatch(capacity: vectors.count)
        // What isn't even a key and a signature by its length is no member of a batch.
        var placeOfIndex: [Int: Int] = [:]
        for (index, vector) in vectors.enumerated() {
            guard let (publicKey, signature) = vector.keyAndSignature else { continue }
            placeOfIndex[index] = batch.count
            vector.message.withUnsafeBytes {
                batch.add(publicKey: publicKey, message: $0, signature: signature)
            }
        }
        let invalid = Set(batch.invalid())
        tests = vectors.enumerated().map { index, vector in
            let accepted = placeOfIndex[index].map { !invalid.contains($0) } ?? false
            return Row(vector, single: vector.isValid, batch: accepted)
        }
        total = tests.count
        different = tests.count { !$0.isExpected }
    }

    /// For people.
    func text(_ palette: Palette) -> String {
        let rows = tests.map { row in
            [
                "\(row.tcId)", verdict(row.single), verdict(row.batch), row.expected.rawValue,
                row.isExpected ? "yes" : palette.paint("NO", .red), row.comment,
            ]
        }
        let columns: [Table.Column] = [
            .number("tcId"), .text("single"), .text("batch"), .text("expected"),
            .text("as expected"), .text("comment"),
        ]
        return Table(columns, rows).text(palette)
            + "\n\n\(total) vectors, \(total - different) as expected, \(different) not"
    }

    private func verdict(_ isValid: Bool) -> String { isValid ? "valid" : "invalid" }
}

extension SignatureVectorReport.Row {
    init(_ vector: SignatureVector, single: Bool, batch: Bool) {
        tcId = vector.number
        comment = vector.comment
        self.single = single
        self.batch = batch
        expected = vector.expected
        let isRight =
            switch vector.expected {
            case .valid: single
            case .invalid: !single
            case .acceptable: true
            }
        isExpected = isRight && single == batch
    }
}
