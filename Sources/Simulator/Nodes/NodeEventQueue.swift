internal import HeapModule
internal import NodeCore
internal import Primitives

/// What can happen at a virtual time to a network of whole nodes.
indirect enum NodeSimulationEvent {
    case start(Int)
    /// A message arrives at the machine.
    case deliver(from: Int, to: Int, life: Int, NodeMessage)
    /// An event for the core of this life: a check's result, a client's question.
    case hand(Int, life: Int, NodeEvent)
    /// The core takes what arrived.
    case wake(Int, life: Int)
    case timer(Int, life: Int, NodeTimer, Instant)
    /// Dice for what breaks by itself.
    case faults
    /// A user acts.
    case user(Int)
    /// A user stops waiting for an answer.
    case giveUp(Int, request: UInt64)
}

/// Events in the order of their time; of those at one time the first scheduled comes first.
struct NodeEventQueue {
    private struct Entry: Comparable {
        let time: UInt64
        let order: UInt64
        let event: NodeSimulationEvent

        static func < (left: Entry, right: Entry) -> Bool {
            (left.time, left.order) < (right.time, right.order)
        }

        static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
    }

    private var heap = Heap<Entry>()
    private var order: UInt64 = 0

    mutating func insert(_ event: NodeSimulationEvent, at time: UInt64) {
        order += 1
        heap.insert(Entry(time: time, order: order, event: event))
    }

    mutating func pop() -> (time: UInt64, event: NodeSimulationEvent)? {
        heap.popMin().map { ($0.time, $0.event) }
    }
}
