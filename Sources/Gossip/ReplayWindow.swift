/// Which of the newest 64 numbers of a sender have arrived.
struct ReplayWindow: Hashable, Sendable {
    private var highest: UInt64 = 0
    /// Bit i: `highest - i` has arrived.
    private var seen: UInt64 = 0

    /// Whether a number hasn't arrived and isn't too old to tell.
    func allows(_ number: UInt64) -> Bool {
        if seen == 0 || number > highest { return true }
        let age = highest - number
        return age < 64 && seen & (1 << age) == 0
    }

    /// Notes a number whose datagram is authentic.
    mutating func note(_ number: UInt64) {
        guard allows(number) else { return }
        if seen == 0 || number > highest {
            let step = seen == 0 ? 64 : number - highest
            seen = (step < 64 ? seen << step : 0) | 1
            highest = number
        } else {
            seen |= 1 << (highest - number)
        }
    }
}
