/// A count or a place in an order with a meaning of its own, so that a height is never mistaken
/// for a view.
///
/// Wire: eight bytes, little-endian.
public protocol Number64: RawRepresentable<UInt64>, Hashable, Comparable, Sendable, BCSCodable,
    CustomStringConvertible, ExpressibleByIntegerLiteral
{
    init(rawValue: UInt64)
}

extension Number64 {
    public init(_ rawValue: UInt64) { self.init(rawValue: rawValue) }
    public init(integerLiteral value: UInt64) { self.init(rawValue: value) }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    public func encode(to writer: inout BCSWriter) { writer.append(rawValue) }

    public init(from reader: inout BCSReader) throws(BCSError) {
        self.init(rawValue: try reader.readUInt64())
    }

    /// Decimal digits.
    public var description: String { String(rawValue) }

    /// The number after this one, or nil past the last.
    public var next: Self? {
        let (value, overflow) = rawValue.addingReportingOverflow(1)
        return overflow ? nil : Self(rawValue: value)
    }

    /// This number plus `count`, or nil past the last.
    public func advanced(by count: UInt64) -> Self? {
        let (value, overflow) = rawValue.addingReportingOverflow(count)
        return overflow ? nil : Self(rawValue: value)
    }

    /// This number plus `count`, at most the last.
    public func clampedAdvance(by count: UInt64) -> Self { advanced(by: count) ?? Self(.max) }

    /// This number less `count`, at least zero.
    public func clampedRetreat(by count: UInt64) -> Self {
        Self(rawValue: rawValue >= count ? rawValue - count : 0)
    }
}

/// A block's place in the finalized chain; genesis is 0.
public struct Height: Number64 {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// One leader's attempt within an epoch, from 1; 0 is the epoch's genesis.
public struct View: Number64 {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A period with a fixed committee, from 0.
public struct Epoch: Number64 {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A transaction's place in its stream, from 0 and without gaps.
public struct SequenceNumber: Number64 {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Milliseconds since 1970-01-01T00:00:00Z, as blocks carry them.
public struct Timestamp: Number64 {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A quantity of an asset in its smallest unit. All arithmetic is checked.
public struct Amount: Number64 {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The sum.
    /// - Throws: `ArithmeticOverflow` above 2^64 - 1.
    public func adding(_ other: Amount) throws(ArithmeticOverflow) -> Amount {
        let (value, overflow) = rawValue.addingReportingOverflow(other.rawValue)
        guard !overflow else { throw ArithmeticOverflow() }
        return Amount(value)
    }

    /// The difference.
    /// - Throws: `ArithmeticOverflow` below zero.
    public func subtracting(_ other: Amount) throws(ArithmeticOverflow) -> Amount {
        let (value, overflow) = rawValue.subtractingReportingOverflow(other.rawValue)
        guard !overflow else { throw ArithmeticOverflow() }
        return Amount(value)
    }

    /// The product with a plain count.
    /// - Throws: `ArithmeticOverflow` above 2^64 - 1.
    public func multiplied(by count: UInt64) throws(ArithmeticOverflow) -> Amount {
        let (value, overflow) = rawValue.multipliedReportingOverflow(by: count)
        guard !overflow else { throw ArithmeticOverflow() }
        return Amount(value)
    }
}

/// A sum, difference or product of amounts that 64 bits without sign can't hold.
public struct ArithmeticOverflow: Error, Hashable, CustomStringConvertible {
    public init() {}
    public var description: String { "the result lies outside 0...18446744073709551615" }
}

/// Milliseconds of a clock that never goes back; engines get it as an argument and read none.
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Milliseconds since an arbitrary start.
    public let milliseconds: UInt64
    public init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    /// The instant `count` milliseconds later, at most the last one.
    public func advanced(byMilliseconds count: UInt64) -> Instant {
        let (value, overflow) = milliseconds.addingReportingOverflow(count)
        return Instant(milliseconds: overflow ? .max : value)
    }

    /// Milliseconds from `earlier` to this instant, zero if it is later.
    public func millisecondsSince(_ earlier: Instant) -> UInt64 {
        milliseconds >= earlier.milliseconds ? milliseconds - earlier.milliseconds : 0
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.milliseconds < right.milliseconds
    }
    public var description: String { "\(milliseconds) ms" }
}
