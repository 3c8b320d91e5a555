internal import ArgumentParser
internal import Bench
internal import Primitives

/// `offpeak bench signatures`
struct BenchSignaturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signatures",
        abstract: "Measure the check of signatures against libsodium's.",
        discussion: """
            For each size of batch, sound signatures of as many keys over 32-byte digests are \
            checked in turns by libsodium one by one, by this project's rule one by one, and by \
            it in one batch. What counts is the processor time of the one thread; the figures are \
            medians over the rounds, the ratios medians of each round's own ratio, so that other \
            work on the machine matters little.
            """)

    @Option(parsing: .upToNextOption, help: "Sizes of batches, 1 to 8192.")
    var sizes = [1, 8, 32, 128, 512]

    @Option(help: "Rounds for each size.")
    var rounds = 31

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !sizes.isEmpty, sizes.allSatisfy({ 1...8192 ~= $0 }) else {
            throw ValidationError("--sizes 1 to 8192 are possible")
        }
        guard 1...10_000 ~= rounds else {
            throw ValidationError("--rounds \(rounds): 1 to 10000 are possible")
        }
    }

    func run() throws {
        let meter = SignatureMeter(claimCount: sizes.max() ?? 1)
        let report = SignatureReport(rounds: rounds, sizes: try sizes.map(measure(by: meter)))
        output.format.show(report) { report.text(output.format.palette) }
    }

    private func measure(
        by meter: SignatureMeter
    ) -> (Int) throws -> SignatureReport.Size {
        { size in
            guard let measured = meter.measure(size: size, rounds: rounds) else {
                throw CommandFault("a sound signature was refused, so nothing was measured")
            }
            return measured
        }
    }
}

/// What the measurement found.
struct SignatureReport: Encodable, Sendable {
    /// Of one size of batch: nanoseconds for each signature, and how they compare with libsodium.
    struct Size: Encodable, Sendable {
        let signatures: Int
        let libsodiumNanoseconds: Double
        let singleNanoseconds: Double
        let batchNanoseconds: Double
        let singleRatio: Double
        let batchRatio: Double
    }

    let rounds: Int
    let sizes: [Size]

    /// For people.
    func text(_ palette: Palette) -> String {
        let columns: [Table.Column] = [
            .number("signatures"), .number("libsodium"), .number("single"), .number("batch"),
            .number("single/libsodium"), .number("batch/libsodium"),
        ]
        let rows = sizes.map { size in
            [
                "\(size.signatures)", microseconds(size.libsodiumNanoseconds),
                microseconds(size.singleNanoseconds), microseconds(size.batchNanoseconds),
                ratio(size.singleRatio), ratio(size.batchRatio),
            ]
        }
        return Table(columns, rows).text(palette)
            + "\n\nProcessor time for each signature, medians of \(rounds) rounds."
    }

    private func microseconds(_ nanoseconds: Double) -> String {
        let tenths = Int((nanoseconds / 100).rounded())
        return "\(tenths / 10).\(tenths % 10) µs"
    }

    private func ratio(_ ratio: Double) -> String {
        let hundredths = Int((ratio * 100).rounded())
        return "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
    }
}

/// Checks the same signatures in three ways by turns.
struct SignatureMeter {
    private let claims: [SignatureClaim]

    /// Signatures in one turn, so that a turn is long against the clock.
    private static let turnMin = 64

    /// Signs `claimCount` digests with a key each.
    init(claimCount: Int) {
        claims = (0..<claimCount).map { number in
            let key = SecretKey.random()
            let digest = Digest.hash(.random, Array("signature \(number)".utf8))
            return SignatureClaim(
                publicKey: key.publicKey, digest: digest, signature: key.signature(over: digest))
        }
    }

    /// The figures of batches of `size`; nil if a check refused a sound signature.
    func measure(size: Int, rounds: Int) -> SignatureReport.Size? {
        let batch = Array(claims[..<size])
        var turns: [(libsodium: Double, single: Double, batch: Double)] = []
        for _ in 0..<rounds {
            guard
                let libsodium = time(batch, { $0.allSatisfy(LibsodiumCheck.isValid) }),
                let single = time(batch, { $0.allSatisfy(\.isValid) }),
                let together = time(batch, { SignatureCheck.invalid(among: $0).isEmpty })
            else { return nil }
            turns.append((libsodium, single, together))
        }
        return SignatureReport.Size(
            signatures: size, libsodiumNanoseconds: median(turns.map(\.libsodium)),
            singleNanoseconds: median(turns.map(\.single)),
            batchNanoseconds: median(turns.map(\.batch)),
            singleRatio: median(turns.map { $0.single / $0.libsodium }),
            batchRatio: median(turns.map { $0.batch / $0.libsodium }))
    }

    /// Nanoseconds for each signature; nil if `check` fails.
    private func time(
        _ batch: [SignatureClaim], _ check: ([SignatureClaim]) -> Bool
    ) -> Double? {
        let repetitions = max(1, SignatureMeter.turnMin / batch.count)
        var isSound = true
        let start = ProcessorTime.nanoseconds
        for _ in 0..<repetitions { isSound = check(batch) && isSound }
        let spent = ProcessorTime.nanoseconds - start
        return isSound ? spent / Double(repetitions * batch.count) : nil
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let (low, high) = (sorted[(sorted.count - 1) / 2], sorted[sorted.count / 2])
        return (low + high) / 2
    }
}
