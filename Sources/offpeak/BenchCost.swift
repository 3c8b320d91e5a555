/// What each finalized transfer cost the network.
struct BenchCost: Encodable, Sendable {
    /// User and system time of all validator processes.
    let cpuMicrosecondsPerTransfer: Double
    /// The same of the verifiers without a vote; absent without them, or if one ended.
    let verifiersCpuMicrosecondsPerTransfer: Double?
    /// Users' signatures checked, summed over all nodes; absent if one ended.
    let signaturesCheckedPerTransfer: Double?
    /// The validators' part of them.
    let validatorsChecksPerTransfer: Double?
    /// The verifiers' part.
    let verifiersChecksPerTransfer: Double?
    /// The parts by what they were checked for.
    let validatorsChecksByPurpose: [String: Double]?
    let verifiersChecksByPurpose: [String: Double]?
    /// Growth of data and journal folders, summed over all validators.
    let bytesOnDiskPerTransfer: Double
    /// Of the load generator itself.
    let loadGeneratorCpuMicrosecondsPerTransfer: Double

    /// What was used between two readings, for each of `transfers` (above zero).
    init(
        _ before: BenchReading, _ after: BenchReading, transfers: Int, hasVerifiers: Bool
    ) {
        let count = Double(transfers)
        let validators = after.validators.since(before.validators, transfers: transfers)
        let verifiers = after.verifiers.flatMap { after in
            before.verifiers.map { after.since($0, transfers: transfers) }
        }
        let own = BenchCost.sum(validators.checks)
        let others = BenchCost.sum(verifiers?.checks)
        cpuMicrosecondsPerTransfer = BenchReport.rounded(validators.cpuMicroseconds)
        verifiersCpuMicrosecondsPerTransfer = verifiers.map {
            BenchReport.rounded($0.cpuMicroseconds)
        }
        validatorsChecksPerTransfer = own.map(BenchCost.hundredths)
        verifiersChecksPerTransfer = others.map(BenchCost.hundredths)
        signaturesCheckedPerTransfer = own.flatMap { own in
            hasVerifiers
                ? others.map { BenchCost.hundredths(own + $0) } : BenchCost.hundredths(own)
        }
        validatorsChecksByPurpose = validators.checks?.mapValues(BenchCost.hundredths)
        verifiersChecksByPurpose = verifiers?.checks?.mapValues(BenchCost.hundredths)
        bytesOnDiskPerTransfer = BenchReport.rounded(
            (Double(after.bytesOnDisk) - Double(before.bytesOnDisk)) / count)
        loadGeneratorCpuMicrosecondsPerTransfer = BenchReport.rounded(
            (after.ownCPUMicroseconds - before.ownCPUMicroseconds) / count)
    }

    private static func sum(_ checks: [String: Double]?) -> Double? {
        checks?.values.sorted().reduce(0, +)
    }

    private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }

    /// Adds lines for people.
    func add(to sheet: inout Sheet) {
        sheet.add("CPU", "\(cpuMicrosecondsPerTransfer) µs a transfer, all validators together")
        sheet.add(
            "of verifiers",
            optional: verifiersCpuMicrosecondsPerTransfer.map { "\($0) µs a transfer" })
        sheet.add(
            "signatures",
            optional: signaturesCheckedPerTransfer.map { "\($0) checks a transfer, all nodes" })
        sheet.add(
            "by validators",
            optional: line(validatorsChecksPerTransfer, validatorsChecksByPurpose))
        sheet.add(
            "by verifiers", optional: line(verifiersChecksPerTransfer, verifiersChecksByPurpose))
        sheet.add("disk", "\(bytesOnDiskPerTransfer) bytes a transfer, all validators together")
        sheet.add("load generator", "\(loadGeneratorCpuMicrosecondsPerTransfer) µs a transfer")
    }

    private func line(_ sum: Double?, _ purposes: [String: Double]?) -> String? {
        sum.map { sum in
            let parts = (purposes ?? [:]).sorted { $0.key < $1.key }.filter { $0.value > 0 }
            return (["\(sum)"] + parts.map { "\($0.key) \($0.value)" }).joined(separator: ", ")
        }
    }
}
