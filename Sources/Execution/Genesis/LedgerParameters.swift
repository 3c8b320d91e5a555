package import Primitives

/// What holds for the whole network: as genesis says, and as the validators have changed it since.
///
/// Wire: fees, stake, escrow, consensus, batches, verification, governance, safeguards.
package struct LedgerParameters: Hashable, Sendable, BCSCodable {
    package internal(set) var fees: FeeParameters
    package let stake: StakeParameters
    package internal(set) var escrow: EscrowParameters
    package let consensus: ConsensusParameters
    package let batches: BatchParameters
    package internal(set) var verification: VerificationParameters
    package let governance: GovernanceParameters
    package let safeguards: SafeguardParameters

    package init(
        fees: FeeParameters, stake: StakeParameters = .init(), escrow: EscrowParameters = .init(),
        consensus: ConsensusParameters = .init(), batches: BatchParameters = .init(),
        verification: VerificationParameters = .init(),
        governance: GovernanceParameters = .init(), safeguards: SafeguardParameters = .init()
    ) {
        self.fees = fees
        self.stake = stake
        self.escrow = escrow
        self.consensus = consensus
        self.batches = batches
        self.verification = verification
        self.governance = governance
        self.safeguards = safeguards
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(fees)
        writer.append(stake)
        writer.append(escrow)
        writer.append(consensus)
        writer.append(batches)
        writer.append(verification)
        writer.append(governance)
        writer.append(safeguards)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        fees = try reader.read()
        stake = try reader.read()
        escrow = try reader.read()
        consensus = try reader.read()
        batches = try reader.read()
        verification = try reader.read()
        governance = try reader.read()
        safeguards = try reader.read()
    }

    /// Which heights an epoch has.
    package var epochs: EpochSchedule {
        EpochSchedule(length: stake.epochBlocks, lag: consensus.executionLagMax)
    }
}

/// What a transaction pays, and who receives it. A transaction weighs
/// `byteWeight` × bytes + `signatureWeight` × signatures + `writeWeight` × operations and pays
/// the base fee for each unit, which follows the use of blocks: see `BaseFee`.
///
/// Wire: baseFee, byteWeight, signatureWeight, writeWeight, streamDeposit, escrowDeposit,
/// holdingDeposit, assetDeposit, targetWeight, changeDenominator, shares, treasury.
package struct FeeParameters: Hashable, Sendable, BCSCodable {
    /// The most of a byte's, a signature's or an operation's weight.
    package static let weightMax: UInt64 = 100_000

    /// The lowest base fee, for each unit of weight; that of genesis is the first one too.
    package internal(set) var baseFee: Amount
    package internal(set) var byteWeight: UInt64
    package internal(set) var signatureWeight: UInt64
    /// For each operation.
    package internal(set) var writeWeight: UInt64
    /// Kept back for each stream besides stream 0.
    package internal(set) var streamDeposit: Amount
    /// Kept back of the payer's for each escrow, until it closes.
    package internal(set) var escrowDeposit: Amount
    /// Kept back for each entry of an issued asset in an account, until it goes.
    package internal(set) var holdingDeposit: Amount
    /// Kept back of the issuer's for each asset, until it is retired.
    package internal(set) var assetDeposit: Amount
    /// The weight of a block's transactions that leaves the base fee as it is, at least 1.
    package internal(set) var targetWeight: UInt64
    /// A block changes the base fee by at most one part in so many, at least 2.
    package internal(set) var changeDenominator: UInt64
    package let shares: FeeShares
    /// Receives its share, and what divisions leave over.
    package let treasury: Address

    package init(
        baseFee: Amount = 1, byteWeight: UInt64 = 1, signatureWeight: UInt64 = 200,
        writeWeight: UInt64 = 100, streamDeposit: Amount = 100_000,
        escrowDeposit: Amount = 20_000, holdingDeposit: Amount = 10_000,
        assetDeposit: Amount = 1_000_000,
        targetWeight: UInt64 = 2_000_000, changeDenominator: UInt64 = 128,
        shares: FeeShares = .init(), treasury: Address
    ) {
        self.baseFee = baseFee
        self.byteWeight = byteWeight
        self.signatureWeight = signatureWeight
        self.writeWeight = writeWeight
        self.streamDeposit = streamDeposit
        self.escrowDeposit = escrowDeposit
        self.holdingDeposit = holdingDeposit
        self.assetDeposit = assetDeposit
        self.targetWeight = targetWeight
        self.changeDenominator = changeDenominator
        self.shares = shares
        self.treasury = treasury
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(baseFee)
        writer.append(byteWeight)
        writer.append(signatureWeight)
        writer.append(writeWeight)
        writer.append(streamDeposit)
        writer.append(escrowDeposit)
        writer.append(holdingDeposit)
        writer.append(assetDeposit)
        writer.append(targetWeight)
        writer.append(changeDenominator)
        writer.append(shares)
        writer.append(treasury)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        baseFee = try reader.read()
        byteWeight = try reader.readUInt64()
        signatureWeight = try reader.readUInt64()
        writeWeight = try reader.readUInt64()
        streamDeposit = try reader.read()
        escrowDeposit = try reader.read()
        holdingDeposit = try reader.read()
        assetDeposit = try reader.read()
        targetWeight = try reader.readUInt64()
        changeDenominator = try reader.readUInt64()
        shares = try reader.read()
        treasury = try reader.read()
    }
}

/// Who receives how much of a batch's fees, in permille; together 1000.
///
/// Wire: owner, verifiers, proposer, treasury.
package struct FeeShares: Hashable, Sendable, BCSCodable {
    /// Of the batch.
    package let owner: UInt16
    /// Those who checked the batch's signatures, chunk by chunk, in proportion to their bonds.
    package let verifiers: UInt16
    /// Of the block.
    package let proposer: UInt16
    package let treasury: UInt16

    package init(
        owner: UInt16 = 400, verifiers: UInt16 = 300, proposer: UInt16 = 200,
        treasury: UInt16 = 100
    ) {
        self.owner = owner
        self.verifiers = verifiers
        self.proposer = proposer
        self.treasury = treasury
    }

    /// 1000 in a sound genesis.
    package var sum: Int { Int(owner) + Int(verifiers) + Int(proposer) + Int(treasury) }

    package func encode(to writer: inout BCSWriter) {
        writer.append(owner)
        writer.append(verifiers)
        writer.append(proposer)
        writer.append(treasury)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        owner = try reader.readUInt16()
        verifiers = try reader.readUInt16()
        proposer = try reader.readUInt16()
        treasury = try reader.readUInt16()
    }
}

/// Who may vote, and for how long a committee stands.
///
/// Wire: minimum, unit, epochBlocks, validatorsMax.
package struct StakeParameters: Hashable, Sendable, BCSCodable {
    /// The most that `validatorsMax` can be.
    package static let validatorsLimit: UInt16 = 128

    /// The least stake of a validator, at least `unit`.
    package let minimum: Amount
    /// The stake that weighs one vote.
    package let unit: Amount
    /// Heights of an epoch, a multiple of `verification.periodBlocks` and at least four times
    /// `consensus.executionLagMax`: a committee stands for one, and approved changes of parameters
    /// act where one begins.
    package let epochBlocks: UInt64
    /// Seats of a committee, 1...128.
    package let validatorsMax: UInt16

    package init(
        minimum: Amount = 1_000_000, unit: Amount = 1_000, epochBlocks: UInt64 = 10_240,
        validatorsMax: UInt16 = StakeParameters.validatorsLimit
    ) {
        self.minimum = minimum
        self.unit = unit
        self.epochBlocks = epochBlocks
        self.validatorsMax = validatorsMax
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(minimum)
        writer.append(unit)
        writer.append(epochBlocks)
        writer.append(validatorsMax)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        minimum = try reader.read()
        unit = try reader.read()
        epochBlocks = try reader.readUInt64()
        validatorsMax = try reader.readUInt16()
    }
}

/// Wire: expiriesPerBlockMax, durationMillisecondsMax.
package struct EscrowParameters: Hashable, Sendable, BCSCodable {
    /// Due escrows that one block carries out; the others wait for the next.
    package internal(set) var expiriesPerBlockMax: UInt16
    /// How far ahead of the block an escrow's deadlines may lie.
    package internal(set) var durationMillisecondsMax: UInt64

    package init(
        expiriesPerBlockMax: UInt16 = 64, durationMillisecondsMax: UInt64 = 1830 * 86_400_000
    ) {
        self.expiriesPerBlockMax = expiriesPerBlockMax
        self.durationMillisecondsMax = durationMillisecondsMax
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(expiriesPerBlockMax)
        writer.append(durationMillisecondsMax)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        expiriesPerBlockMax = try reader.readUInt16()
        durationMillisecondsMax = try reader.readUInt64()
    }
}

/// Timing of the agreement. Wire: in the order of the fields.
package struct ConsensusParameters: Hashable, Sendable, BCSCodable {
    /// The most that `executionLagMax` can be: state roots are kept for so many heights.
    package static let executionLagLimit: UInt64 = 256

    /// The first guess of how long a message takes.
    package let deltaBaseMilliseconds: UInt64
    /// The most that the guess grows to.
    package let deltaMaxMilliseconds: UInt64
    /// How long a leader with nothing to order waits before an empty block.
    package let idleMilliseconds: UInt64
    /// How far a block's time may lie behind a voter's clock.
    package let maxDelayMilliseconds: UInt64
    /// How far a block's time may lie ahead of a voter's clock.
    package let maxDriftMilliseconds: UInt64
    /// Heights that execution may lag behind a block.
    package let executionLagMax: UInt64

    package init(
        deltaBaseMilliseconds: UInt64 = 100, deltaMaxMilliseconds: UInt64 = 60_000,
        idleMilliseconds: UInt64 = 1000, maxDelayMilliseconds: UInt64 = 5000,
        maxDriftMilliseconds: UInt64 = 500, executionLagMax: UInt64 = 16
    ) {
        self.deltaBaseMilliseconds = deltaBaseMilliseconds
        self.deltaMaxMilliseconds = deltaMaxMilliseconds
        self.idleMilliseconds = idleMilliseconds
        self.maxDelayMilliseconds = maxDelayMilliseconds
        self.maxDriftMilliseconds = maxDriftMilliseconds
        self.executionLagMax = executionLagMax
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(deltaBaseMilliseconds)
        writer.append(deltaMaxMilliseconds)
        writer.append(idleMilliseconds)
        writer.append(maxDelayMilliseconds)
        writer.append(maxDriftMilliseconds)
        writer.append(executionLagMax)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        deltaBaseMilliseconds = try reader.readUInt64()
        deltaMaxMilliseconds = try reader.readUInt64()
        idleMilliseconds = try reader.readUInt64()
        maxDelayMilliseconds = try reader.readUInt64()
        maxDriftMilliseconds = try reader.readUInt64()
        executionLagMax = try reader.readUInt64()
    }
}

/// Bounds of a batch. Wire: transactionsMax, bytesMax, expiryBlocks.
package struct BatchParameters: Hashable, Sendable, BCSCodable {
    /// The most that a genesis may allow.
    package static let transactionsLimit: UInt32 = 8192
    package static let bytesLimit: UInt32 = 1 << 20

    package let transactionsMax: UInt32
    package let bytesMax: UInt32
    /// Heights after its sealing at which a batch that wasn't included is void.
    package let expiryBlocks: UInt64

    package init(
        transactionsMax: UInt32 = 4096, bytesMax: UInt32 = 1 << 20, expiryBlocks: UInt64 = 1000
    ) {
        self.transactionsMax = transactionsMax
        self.bytesMax = bytesMax
        self.expiryBlocks = expiryBlocks
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(transactionsMax)
        writer.append(bytesMax)
        writer.append(expiryBlocks)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        transactionsMax = try reader.readUInt32()
        bytesMax = try reader.readUInt32()
        expiryBlocks = try reader.readUInt64()
    }
}
