import Primitives

extension RandomTraffic {
    /// Of a stream that there is, most of the time.
    mutating func closing() -> Operation { .closeStream(UInt16(below(4))) }

    /// Milliseconds to the next block: seconds, and now and then about a month.
    mutating func pause() -> UInt64 {
        let seconds = UInt64(below(3000))
        return chance(1) ? NaiveLedger.month - 1500 + seconds : seconds
    }
}
