/// What the protocol promises for `n` nodes, from its periods: see the header of `GossipEngine`.
package struct GossipBounds: Hashable, Sendable {
    /// Nodes, this one included; at least 1.
    package let n: Int
    package let times: GossipTimes

    package init(n: Int, times: GossipTimes = GossipTimes()) {
        self.n = max(1, n)
        self.times = times
    }

    /// Nodes that a round of news goes to.
    static let fanOut = 3
    /// λ: how often news are sent, as a multiple of the logarithm.
    static let transmissionFactor = 4
    /// Nodes that are asked to ping when the direct way gives no answer.
    static let relaysOfProbe = 3
    /// Accusers besides the first that shorten a suspicion to its least.
    static let confirmationsMax = 3

    /// L = ⌈log2(n + 1)⌉.
    package var logarithm: UInt64 { UInt64(Int.bitWidth - n.leadingZeroBitCount) }

    /// λL: how often one node sends urgent news.
    package var transmissions: Int { GossipBounds.transmissionFactor * Int(logarithm) }

    /// How often one node sends news that tell another capacity only.
    var renewalTransmissions: Int { Int(logarithm) }

    /// S: until urgent news are with everybody.
    package var spread: UInt64 {
        let fanOut = UInt64(GossipBounds.fanOut)
        let sending = (UInt64(transmissions) + fanOut - 1) / fanOut
        return (logarithm + sending) * (times.newsPeriod + times.delayMax)
    }

    /// How long a suspicion lasts at least: it reaches the suspect, and his word comes back.
    package var suspicionMin: UInt64 { 2 * spread + times.probePeriod }
    /// How long it lasts without any confirmation.
    package var suspicionMax: UInt64 { 2 * suspicionMin }

    /// K: accusers besides the first that can be had.
    var confirmationsWanted: Int { min(GossipBounds.confirmationsMax, max(0, n - 2)) }

    /// How long a suspicion lasts with `confirmations` besides the first accuser: from the most
    /// down to the least, by the logarithm of their number.
    func suspicion(confirmations: Int) -> UInt64 {
        let wanted = confirmationsWanted
        if confirmations >= wanted { return suspicionMin }
        let gone = GossipBounds.permilleOfLog(confirmations + 1, over: wanted + 1)
        return suspicionMax - (suspicionMax - suspicionMin) * gone / 1000
    }

    /// 1000 · log(a) / log(b) for 1 <= a <= b <= 4.
    private static func permilleOfLog(_ a: Int, over b: Int) -> UInt64 {
        let logarithms: [UInt64] = [0, 1000, 1585, 2000]
        guard 1...4 ~= a, 2...4 ~= b else { return 1000 }
        return 1000 * logarithms[a - 1] / logarithms[b - 1]
    }

    /// Periods until a healthy node probes a given one.
    package var periodsToProbe: UInt64 { min(28, UInt64(max(1, 2 * n - 3))) }

    /// Until everybody takes a node for dead that stopped without a word.
    package var deathKnown: UInt64 {
        (periodsToProbe + 1) * times.probePeriod + spread + suspicionMax
    }

    /// Until everybody knows that a node left.
    package var leaveKnown: UInt64 { times.farewellMax + spread }
}
