import NIOEmbedded
import NodeCore
import Primitives
import Synchronization
import Testing

@testable import Runtime

@Suite("The end of a node's parts")
struct StopTests {
    @Test("A gate lets tasks through to its loop until it is closed, and then drops them")
    func gate() {
        let loop = EmbeddedEventLoop()
        let gate = LoopGate(loop)
        let ran = Mutex(0)
        gate.execute { ran.withLock { $0 += 1 } }
        loop.run()
        #expect(ran.withLock { $0 } == 1)
        #expect(gate.close())
        #expect(!gate.close())
        gate.execute { ran.withLock { $0 += 1 } }
        loop.run()
        #expect(ran.withLock { $0 } == 1)
    }

    @Test("A broker that closes answers who waits, and at once whoever comes later")
    func broker() async {
        let broker = RequestBroker()
        let never = Instant(milliseconds: .max)
        let waiting = broker.newRequest()
        let first: NodeReply? = await withCheckedContinuation { continuation in
            #expect(broker.register(waiting, until: never, continuation))
            #expect(broker.openCount == 1)
            broker.close()
        }
        #expect(first == nil)
        #expect(broker.isClosed)
        let second: NodeReply? = await withCheckedContinuation { continuation in
            #expect(!broker.register(broker.newRequest(), until: never, continuation))
        }
        #expect(second == nil)
        #expect(broker.openCount == 0)
    }
}
