import NIOEmbedded
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
}
