internal import Consensus
internal import DequeModule
internal import Primitives

/// What is under way to one engine.
enum TwinsParcel {
    case message(from: Int, to: Int, ConsensusMessage)
    /// What an engine that started `incarnation` times asked its application for.
    case answer(Int, incarnation: Int, ConsensusEvent)
    case start(Int)
}

/// Everything under way, given out in the order of sending or in any.
struct TwinsMail {
    var isOrdered = true
    private var parcels: Deque<TwinsParcel> = []

    mutating func post(_ parcel: TwinsParcel) { parcels.append(parcel) }

    mutating func next(_ random: inout SeededRandom) -> TwinsParcel? {
        guard !parcels.isEmpty else { return nil }
        if !isOrdered {
            parcels.swapAt(0, Int(random.next() % UInt64(parcels.count)))
        }
        return parcels.removeFirst()
    }
}
