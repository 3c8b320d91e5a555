internal import Consensus
internal import HeapModule
internal import Primitives

/// What can happen at a virtual time. Indirect, so that the queue moves pointers and not messages.
indirect enum SimulatedEvent {
    /// A node starts, for the first time or again.
    case start(Int)
    /// Bytes arrive: not yet checked.
    case deliver(from: Int, to: Int, ConsensusMessage)
    /// The check of a message's signatures is over.
    case verified(from: Int, to: Int, incarnation: Int, Verified<ConsensusMessage>)
    case timer(Int, incarnation: Int, TimerID, Instant)
    case checked(Int, incarnation: Int, Digest, valid: Bool)
    case built(Int, incarnation: Int, View, BlockContents)
    /// Users want something.
    case work
    /// Dice for blackouts and partitions.
    case faults
    /// The liars act.
    case liar
}

/// An event with its place in time; of events at one time the first scheduled comes first.
struct Scheduled: Comparable {
    let time: UInt64
    let order: UInt64
    let event: SimulatedEvent

    static func < (left: Scheduled, right: Scheduled) -> Bool {
        (left.time, left.order) < (right.time, right.order)
    }

    static func == (left: Scheduled, right: Scheduled) -> Bool { left.order == right.order }
}

/// A hash over everything that happened, and its lines if they are wanted.
struct Trace {
    let keepsLines: Bool
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    private(set) var lines: [String] = []

    init(keepsLines: Bool) { self.keepsLines = keepsLines }

    mutating func note(_ time: UInt64, _ words: (UInt64, UInt64, UInt64), line: () -> String) {
        mix(time)
        mix(words.0)
        mix(words.1)
        mix(words.2)
        if keepsLines { lines.append("\(time) ms  \(line())") }
    }

    private mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x100_0000_01B3
        hash ^= hash >> 29
    }
}
