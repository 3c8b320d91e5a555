/// Which heights an epoch has, and when its committee is known.
///
/// With L heights in an epoch, epoch e has the blocks at heights e·L + 1 ... (e + 1)·L. A batch of
/// epoch e is sealed after heights e·L ... (e + 1)·L - 1, so that a period of verifiers, whose
/// length divides L, belongs to one epoch.
public struct EpochSchedule: Hashable, Sendable {
    /// L, at least 1.
    public let length: UInt64
    /// How many heights execution may lag behind a block that brings something to execute.
    public let lag: UInt64

    /// A length of 0 counts as 1.
    public init(length: UInt64, lag: UInt64) {
        self.length = max(length, 1)
        self.lag = lag
    }

    /// The epoch of the block at `height`; genesis counts to epoch 0.
    public func epoch(of height: Height) -> Epoch {
        Epoch(rawValue: height.clampedRetreat(by: 1).rawValue / length)
    }

    /// The epoch of a batch that is sealed after `height`, which is that of the next block.
    public func epoch(after height: Height) -> Epoch {
        Epoch(rawValue: height.rawValue / length)
    }

    /// The height of the boundary block before `epoch`, at most the highest possible one.
    private func start(of epoch: Epoch) -> Height {
        let (product, overflow) = epoch.rawValue.multipliedReportingOverflow(by: length)
        return Height(rawValue: overflow ? .max : product)
    }

    /// The first height of `epoch`, at most the highest possible one.
    public func first(of epoch: Epoch) -> Height { start(of: epoch).clampedAdvance(by: 1) }

    /// The last height of `epoch`, that of its boundary block.
    public func last(of epoch: Epoch) -> Height { start(of: epoch).clampedAdvance(by: length) }

    /// Whether `height` is the first of its epoch.
    public func isFirst(_ height: Height) -> Bool { height == first(of: epoch(of: height)) }

    /// Whether `height` is the last of its epoch.
    public func isLast(_ height: Height) -> Bool { height == last(of: epoch(of: height)) }

    /// The newest epoch whose last height is at most `height`; nil within the first.
    public func newestEnded(after height: Height) -> Epoch? {
        let next = epoch(of: height.clampedAdvance(by: 1))
        return next.rawValue > 0 ? Epoch(rawValue: next.rawValue - 1) : nil
    }

    /// The height after which the state has the committee of `epoch`: 0 for the first, else `lag`
    /// and one heights before the boundary block. Whoever votes for that block has executed so far,
    /// or computed what that height elects.
    public func decision(of epoch: Epoch) -> Height {
        start(of: epoch).clampedRetreat(by: lag).clampedRetreat(by: 1)
    }

    /// The newest epoch whose committee the state after `height` has.
    public func newest(after height: Height) -> Epoch {
        epoch(after: height.clampedAdvance(by: lag).clampedAdvance(by: 1))
    }
}

/// The committee of an epoch, as the state determines it in the epoch before. The boundary block
/// of that epoch carries the record's digest.
///
/// Wire: epoch, boundary, list of validators (1...`Committee.countMax`).
public struct EpochRecord: Hashable, Sendable, BCSCodable {
    public let epoch: Epoch
    /// The digest of the boundary block of the epoch two before; zero for epochs 0 and 1.
    public let boundary: Digest
    /// In the order of their indexes.
    public let validators: [Validator]

    public init(epoch: Epoch, boundary: Digest, validators: [Validator]) {
        self.epoch = epoch
        self.boundary = boundary
        self.validators = validators
    }

    /// What a boundary block carries of the next epoch's record.
    public var digest: Digest { .hash(.epoch, of: self) }

    /// - Throws: `Committee.Fault` for validators that can't vote.
    public func committee(chainID: ChainID) throws(Committee.Fault) -> Committee {
        try Committee(chainID: chainID, epoch: epoch, validators: validators, boundary: boundary)
    }

    public func encode(to writer: inout BCSWriter) {
        writer.append(epoch)
        writer.append(boundary)
        writer.append(list: validators)
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        epoch = try reader.read()
        boundary = try reader.read()
        validators = try reader.readList(
            minimum: 1, maximum: Committee.countMax, elementBytes: 104)
    }
}
