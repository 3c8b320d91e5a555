import Foundation
import Logging
import Primitives
import Synchronization
import Testing

@testable import Runtime

@Suite("Share: a real machine")
struct ShareLoopTests {
    private func loop(
        _ mode: ShareMode, _ lent: LentThreads, _ change: (inout ShareSettings) -> Void = { _ in }
    ) -> ShareLoop {
        var settings = ShareSettings()
        change(&settings)
        return ShareLoop(
            .init(
                mode: mode, settings: settings, lent: lent, diskTime: TimeCount(),
                logger: Logger(label: "share", factory: { _ in SwiftLogNoOpLogHandler() })))
    }

    /// Waits until something holds, at most some seconds.
    private func holds(within seconds: Double, _ condition: () -> Bool) -> Bool {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            if condition() { return true }
            usleep(5_000)
        }
        return condition()
    }

    @Test(
        "A machine that is always lent works, tells what it can do, and takes all back at the end")
    func always() {
        let lent = LentThreads()
        let loop = loop(.always, lent) { $0.megabits = 8 }
        let told = Mutex<[Capacity]>([])
        loop.start { capacity in told.withLock { $0.append(capacity) } }
        #expect(holds(within: 20) { loop.status.decision.isLending })
        let answers = Mutex<[Int?]>([])
        lent.submit({ 7 }) { result in answers.withLock { $0.append(result) } }
        #expect(holds(within: 20) { answers.withLock { $0 } == [7] })
        #expect(holds(within: 20) { told.withLock { ($0.last?.signaturesPerSecond ?? 0) > 0 } })
        #expect(told.withLock { $0.allSatisfy { $0.kilobitsPerSecond <= 8_000 } })
        loop.stop()
        lent.submit({ 8 }) { result in answers.withLock { $0.append(result) } }
        #expect(answers.withLock { $0 } == [7, nil])
        lent.stop()
    }

    @Test("Bandwidth beyond what is lent isn't taken")
    func bandwidth() {
        let lent = LentThreads()
        let limited = loop(.always, lent) { $0.megabits = 1 }
        #expect(limited.mayReceiveAssignment(bytes: 10_000_000))
        #expect(!limited.mayReceiveAssignment(bytes: 1))
        let unlimited = loop(.always, lent)
        #expect(unlimited.mayReceiveAssignment(bytes: .max))
        #expect(unlimited.mayReceiveAssignment(bytes: .max))
        lent.stop()
    }

    @Test("A machine that lends nothing isn't watched")
    func off() {
        let lent = LentThreads()
        let loop = loop(.off, lent)
        loop.start { _ in Issue.record("an advert of a machine that lends nothing") }
        #expect(loop.status.decision.reason == .off)
        loop.stop()
        lent.stop()
    }

    @Test("Programs that take all cores end lent work")
    func stepBack() throws {
        let lent = LentThreads()
        let loop = loop(.idle, lent) { $0.loadMax = 60 }
        loop.start { _ in }
        defer {
            loop.stop()
            lent.stop()
        }
        // On a machine that others use there is nothing to step back from.
        guard holds(within: 8, { loop.status.decision.isLending }) else { return }
        let work = LentWork(lent)
        work.begin()
        let programs = try (0..<VerifierPool.coreCount).map { _ in
            try Process.run(
                URL(fileURLWithPath: "/bin/sh"), arguments: ["-c", "while :; do :; done"])
        }
        defer { for program in programs { kill(program.processIdentifier, SIGKILL) } }
        #expect(holds(within: 20) { !loop.status.decision.isLending })
        #expect(holds(within: 20) { work.open == 0 })
        #expect(loop.status.stepBacks >= 1)
    }

    /// Keeps some lent jobs under way until one is handed back.
    private final class LentWork: Sendable {
        private let lent: LentThreads
        private let count = Atomic(0)

        init(_ lent: LentThreads) { self.lent = lent }

        var open: Int { count.load(ordering: .relaxed) }

        func begin() { for _ in 0..<8 { next() } }

        private func next() {
            count.wrappingAdd(1, ordering: .relaxed)
            lent.submit {
                let start = Monotonic.threadNanoseconds
                while Monotonic.threadNanoseconds - start < 2_000_000 {}
            } answer: { [self] result in
                count.wrappingSubtract(1, ordering: .relaxed)
                if result != nil { next() }
            }
        }
    }
}
