package import Primitives

/// The least that limits and guardians may be set to; what is the most is the same everywhere.
///
/// Wire: windowMillisecondsMin, delayMillisecondsMin.
package struct SafeguardParameters: Hashable, Sendable, BCSCodable {
    /// The shortest window of a spending limit, 1 ms to 30 days.
    package let windowMillisecondsMin: UInt64
    /// The shortest delay of a recovery, 1 ms to 90 days: an owner must have time to object.
    package let delayMillisecondsMin: UInt64

    package init(
        windowMillisecondsMin: UInt64 = 3_600_000, delayMillisecondsMin: UInt64 = 3_600_000
    ) {
        self.windowMillisecondsMin = windowMillisecondsMin
        self.delayMillisecondsMin = delayMillisecondsMin
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(windowMillisecondsMin)
        writer.append(delayMillisecondsMin)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        windowMillisecondsMin = try reader.readUInt64()
        delayMillisecondsMin = try reader.readUInt64()
    }

    /// Windows that a limit may have. A sound genesis keeps the bounds in order.
    package var windowRange: ClosedRange<UInt64> {
        let most = TransactionLimits.limitWindowMillisecondsMax
        return min(windowMillisecondsMin, most)...most
    }

    /// Delays that a recovery may have.
    package var delayRange: ClosedRange<UInt64> {
        let most = TransactionLimits.recoveryDelayMillisecondsMax
        return min(delayMillisecondsMin, most)...most
    }
}
