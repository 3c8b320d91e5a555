package import Primitives

/// Which parameters the validators may change, and how.
///
/// Wire: governed (sorted, unique), voteBlocks, delayBlocks, approvalPermille, deposit.
package struct GovernanceParameters: Hashable, Sendable, BCSCodable {
    /// The most of `voteBlocks` and `delayBlocks`.
    package static let blocksMax: UInt64 = 1_000_000_000

    /// Sorted, unique; none where genesis keeps all of them.
    package let governed: [GovernedParameter]
    /// Heights from a proposal to the count of its votes, at least 1.
    package let voteBlocks: UInt64
    /// Heights from there until it may act.
    package let delayBlocks: UInt64
    /// Of the committee's weight, 501...1000.
    package let approvalPermille: UInt16
    /// Kept back of the proposer's as long as a proposal stands.
    package let deposit: Amount

    package init(
        governed: [GovernedParameter] = [], voteBlocks: UInt64 = 10_000,
        delayBlocks: UInt64 = 10_000, approvalPermille: UInt16 = 667, deposit: Amount = 1_000_000
    ) {
        self.governed = governed.sorted { $0.rawValue < $1.rawValue }
        self.voteBlocks = voteBlocks
        self.delayBlocks = delayBlocks
        self.approvalPermille = approvalPermille
        self.deposit = deposit
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(list: governed)
        writer.append(voteBlocks)
        writer.append(delayBlocks)
        writer.append(approvalPermille)
        writer.append(deposit)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        governed = try reader.readSortedList(
            maximum: GovernedParameter.allCases.count, elementBytes: 2
        ) { (parameter: GovernedParameter) in parameter.rawValue }
        voteBlocks = try reader.readUInt64()
        delayBlocks = try reader.readUInt64()
        approvalPermille = try reader.readUInt16()
        deposit = try reader.read()
    }
}

extension LedgerParameters {
    /// What a governed parameter is now.
    package func value(of parameter: GovernedParameter) -> UInt64 {
        switch parameter {
        case .baseFee: fees.baseFee.rawValue
        case .byteWeight: fees.byteWeight
        case .signatureWeight: fees.signatureWeight
        case .writeWeight: fees.writeWeight
        case .streamDeposit: fees.streamDeposit.rawValue
        case .escrowDeposit: fees.escrowDeposit.rawValue
        case .holdingDeposit: fees.holdingDeposit.rawValue
        case .assetDeposit: fees.assetDeposit.rawValue
        case .targetWeight: fees.targetWeight
        case .changeDenominator: fees.changeDenominator
        case .expiriesPerBlock: UInt64(escrow.expiriesPerBlockMax)
        case .escrowDuration: escrow.durationMillisecondsMax
        case .minimumBond: verification.minimumBond.rawValue
        case .reporterPermille: UInt64(verification.reporterPermille)
        }
    }

    /// The values that a proposal may name for a parameter.
    package func range(of parameter: GovernedParameter) -> ClosedRange<UInt64> {
        parameter.range(stakeUnit: stake.unit, stakeMinimum: stake.minimum)
    }

    /// Sets a parameter.
    /// - Precondition: The value is within the parameter's range.
    mutating func set(_ change: ParameterChange) {
        let value = change.value
        switch change.parameter {
        case .baseFee: fees.baseFee = Amount(value)
        case .byteWeight: fees.byteWeight = value
        case .signatureWeight: fees.signatureWeight = value
        case .writeWeight: fees.writeWeight = value
        case .streamDeposit: fees.streamDeposit = Amount(value)
        case .escrowDeposit: fees.escrowDeposit = Amount(value)
        case .holdingDeposit: fees.holdingDeposit = Amount(value)
        case .assetDeposit: fees.assetDeposit = Amount(value)
        case .targetWeight: fees.targetWeight = value
        case .changeDenominator: fees.changeDenominator = value
        case .expiriesPerBlock: escrow.expiriesPerBlockMax = UInt16(clamping: value)
        case .escrowDuration: escrow.durationMillisecondsMax = value
        case .minimumBond: verification.minimumBond = Amount(value)
        case .reporterPermille: verification.reporterPermille = UInt16(clamping: value)
        }
    }
}
