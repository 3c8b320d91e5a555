package import Primitives

/// What became of a transaction that was executed.
///
/// Wire: transaction id, height, index, fee, outcome, escrows, assets, proposals.
package struct Receipt: Hashable, Sendable, BCSCodable {
    /// Wire: variant 0, or 1 with the operation's place (one byte) and the code.
    package enum Outcome: Hashable, Sendable {
        case success
        /// The operation at this place failed; none of them did anything.
        case failed(operation: Int, FailureCode)
    }

    package let transactionID: TransactionID
    package let height: Height
    /// The place among the block's receipts, from 0.
    package let index: UInt32
    /// What the sender paid, tip included.
    package let fee: Amount
    package let outcome: Outcome
    /// The escrows that it made, in the order of the operations.
    package let escrows: [EscrowID]
    /// The assets that it issued, in the order of the operations.
    package let assets: [AssetID]
    /// The proposals that it made, in the order of the operations.
    package let proposals: [ProposalID]

    package init(
        transactionID: TransactionID, height: Height, index: UInt32, fee: Amount,
        outcome: Outcome, escrows: [EscrowID] = [], assets: [AssetID] = [],
        proposals: [ProposalID] = []
    ) {
        self.transactionID = transactionID
        self.height = height
        self.index = index
        self.fee = fee
        self.outcome = outcome
        self.escrows = escrows
        self.assets = assets
        self.proposals = proposals
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(transactionID)
        writer.append(height)
        writer.append(index)
        writer.append(fee)
        writer.append(outcome)
        writer.append(list: escrows)
        writer.append(list: assets)
        writer.append(list: proposals)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        transactionID = try reader.read()
        height = try reader.read()
        index = try reader.readUInt32()
        fee = try reader.read()
        outcome = try reader.read()
        escrows = try reader.readList(
            maximum: TransactionLimits.operationsMax, elementBytes: 32)
        assets = try reader.readList(
            maximum: TransactionLimits.operationsMax, elementBytes: 32)
        proposals = try reader.readList(
            maximum: TransactionLimits.operationsMax, elementBytes: 32)
    }
}

extension Receipt.Outcome: BCSCodable {
    package func encode(to writer: inout BCSWriter) {
        switch self {
        case .success: writer.appendVariant(0)
        case .failed(let operation, let code):
            writer.appendVariant(1)
            writer.append(UInt8(truncatingIfNeeded: operation))
            writer.append(code.rawValue)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0: self = .success
        case 1:
            let operation = Int(try reader.readUInt8())
            let raw = try reader.readUInt16()
            guard let code = FailureCode(rawValue: raw) else {
                throw BCSError(.invalidValue("failure code \(raw)"), at: start)
            }
            self = .failed(operation: operation, code)
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
    }
}
