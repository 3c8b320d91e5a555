internal import Execution
internal import Primitives
internal import RPC

/// What a transaction costs in a network, as far as a wallet needs it.
struct FeeRule: Hashable, Sendable {
    /// For each unit of weight.
    let baseFee: UInt64
    let byteWeight: UInt64
    let signatureWeight: UInt64
    /// For each operation.
    let writeWeight: UInt64

    init(_ parameters: RPC.FeeParameters) {
        baseFee = parameters.baseFee.rawValue
        byteWeight = parameters.byteWeight
        signatureWeight = parameters.signatureWeight
        writeWeight = parameters.writeWeight
    }

    init(_ parameters: Execution.FeeParameters) {
        baseFee = parameters.baseFee.rawValue
        byteWeight = parameters.byteWeight
        signatureWeight = parameters.signatureWeight
        writeWeight = parameters.writeWeight
    }

    /// What a genesis has that doesn't say otherwise.
    static let standard = FeeRule(Execution.FeeParameters(treasury: .zero))

    /// The fee of a transaction, or nil above 2^64 - 1.
    func fee(bytes: Int, signatures: Int, operations: Int) -> Amount? {
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
        return try? weight.multiplied(by: baseFee)
    }

    /// Twice the fee and the tip: enough for more signatures than were expected, and for a base
    /// fee that has doubled. At most 2^64 - 1.
    func generousMaximum(
        bytes: Int, signatures: Int, operations: Int, tip: Amount
    ) -> Amount {
        guard let fee = fee(bytes: bytes, signatures: signatures, operations: operations),
            let double = try? fee.multiplied(by: 2), let sum = try? double.adding(tip)
        else { return Amount(.max) }
        return sum
    }
}
