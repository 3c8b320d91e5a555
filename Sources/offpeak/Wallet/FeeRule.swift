internal import Execution
internal import Primitives
internal import RPC

/// What a transaction costs in a network, as far as a wallet needs it.
struct FeeRule: Hashable, Sendable {
    /// For each unit of weight, now.
    let baseFee: UInt64
    /// The most that a unit of weight may cost when the transaction executes.
    let baseFeeMax: UInt64
    /// What is tipped unless an option says otherwise.
    let tip: Amount
    let byteWeight: UInt64
    let signatureWeight: UInt64
    /// For each operation.
    let writeWeight: UInt64

    /// The rule of a node's network at the present price.
    /// - Throws: `CommandFault` for a node that doesn't know the level.
    init(
        _ parameters: RPC.FeeParameters, _ estimate: FeeEstimate, _ level: FeeLevel
    ) throws(CommandFault) {
        guard let found = estimate.levels.first(where: { $0.level == level }) else {
            throw CommandFault("the node tells no fee for the level \(level.rawValue)")
        }
        baseFee = estimate.baseFee.rawValue
        baseFeeMax = found.baseFeeMax.rawValue
        tip = found.tip
        byteWeight = parameters.byteWeight
        signatureWeight = parameters.signatureWeight
        writeWeight = parameters.writeWeight
    }

    /// The rule of a genesis, with room for a base fee that has doubled.
    init(_ parameters: Execution.FeeParameters) {
        baseFee = parameters.baseFee.rawValue
        baseFeeMax = max(1, (try? parameters.baseFee.multiplied(by: 2).rawValue) ?? .max)
        tip = 0
        byteWeight = parameters.byteWeight
        signatureWeight = parameters.signatureWeight
        writeWeight = parameters.writeWeight
    }

    /// What a genesis has that doesn't say otherwise.
    static let standard = FeeRule(Execution.FeeParameters(treasury: .zero))

    /// The fee of a transaction now, or nil above 2^64 - 1.
    func fee(bytes: Int, signatures: Int, operations: Int) -> Amount? {
        let weight = weight(bytes: bytes, signatures: signatures, operations: operations)
        return weight.flatMap { try? $0.multiplied(by: baseFee) }
    }

    private func weight(bytes: Int, signatures: Int, operations: Int) -> Amount? {
        let parts = [
            (byteWeight, bytes), (signatureWeight, signatures), (writeWeight, operations),
        ]
        var weight = Amount(0)
        for (each, count) in parts {
            guard let part = try? Amount(each).multiplied(by: UInt64(clamping: count)),
                let sum = try? weight.adding(part)
            else { return nil }
            weight = sum
        }
        return weight
    }

    /// What the level allows for the weight, and the tip. At most 2^64 - 1.
    func generousMaximum(
        bytes: Int, signatures: Int, operations: Int, tip: Amount
    ) -> Amount {
        guard
            let weight = weight(bytes: bytes, signatures: signatures, operations: operations),
            let most = try? weight.multiplied(by: baseFeeMax), let sum = try? most.adding(tip)
        else { return Amount(.max) }
        return sum
    }
}

extension FeeLevel {
    /// The level that an option names.
    init(text: String) throws {
        guard let level = FeeLevel(rawValue: text) else {
            let known = FeeLevel.allCases.map(\.rawValue).joined(separator: ", ")
            throw TextFault("\"\(text)\" is no level; \(known) are")
        }
        self = level
    }
}
