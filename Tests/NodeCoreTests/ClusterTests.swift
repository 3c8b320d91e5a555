import Execution
import Mempool
import Primitives
import TestSupport
import Testing

@testable import NodeCore

@Suite struct ClusterTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func `payments through every node are final on all nodes`(seed: UInt64) throws {
        var cluster = try Cluster(seed: seed)
        var payments: [SignedTransaction] = []
        for person in 0..<8 {
            for sequence in 0..<3 {
                let payment = cluster.payment(
                    from: person, to: (person + 1) % 8, amount: 5, sequence: UInt64(sequence))
                payments.append(payment)
                try cluster.submit(payment, to: (person + sequence) % 4)
            }
        }
        let sent = payments
        try cluster.run(milliseconds: 5_000) { $0.isFinal(sent, at: [0, 1, 2, 3]) }
        #expect(cluster.isFinal(sent, at: [0, 1, 2, 3]))
        #expect(try cluster.faults() == [])
        #expect(cluster.now < Instant(milliseconds: 2_000), "took \(cluster.now)")
    }

    @Test func `a payment is final within a few message delays, whatever view it falls into`()
        throws
    {
        var cluster = try Cluster(seed: 12)
        try cluster.run(milliseconds: 1_500)
        for sequence in 0..<40 {
            let payment = cluster.payment(from: 0, to: 1, amount: 1, sequence: UInt64(sequence))
            try cluster.submit(payment, to: sequence % 4)
            let start = cluster.now
            try cluster.run(milliseconds: 3_000) { $0.isFinal(payment, at: sequence % 4) }
            // Forward, batch, ack, certificate, proposal, two votes: at most 3 ms each.
            #expect(cluster.now.millisecondsSince(start) <= 30, "payment \(sequence)")
        }
    }

    @Test func `an idle chain finalizes empty blocks and keeps time`() throws {
        var cluster = try Cluster(seed: 4)
        try cluster.run(milliseconds: 5_500)
        for node in 0..<4 {
            #expect(cluster.height(node) >= 4 && cluster.height(node) <= 7)
        }
        #expect(try cluster.faults() == [])
    }

    @Test func `with one of four stopped payments go on, also those of its shards`() throws {
        var cluster = try Cluster(seed: 5)
        try cluster.run(milliseconds: 1_500)
        try cluster.crash(2)
        let payments = (0..<8).map { cluster.payment(from: $0, to: 0, amount: 1, sequence: 0) }
        for (place, payment) in payments.enumerated() {
            try cluster.submit(payment, to: [0, 1, 3][place % 3])
        }
        try cluster.run(milliseconds: 10_000) { $0.isFinal(payments, at: [0, 1, 3]) }
        #expect(cluster.isFinal(payments, at: [0, 1, 3]))
        try cluster.start(2)
        try cluster.run(milliseconds: 10_000) { $0.isFinal(payments, at: [2]) }
        #expect(cluster.isFinal(payments, at: [2]))
        #expect(try cluster.faults() == [])
    }

    @Test func `with two stopped nothing is final, and it goes on when one returns`() throws {
        var cluster = try Cluster(seed: 6)
        try cluster.run(milliseconds: 1_500)
        try cluster.crash(1)
        try cluster.crash(3)
        try cluster.run(milliseconds: 500)
        let before = cluster.height(0)
        let payment = cluster.payment(from: 0, to: 1, amount: 1, sequence: 0)
        try cluster.submit(payment, to: 0)
        try cluster.run(milliseconds: 20_000)
        #expect(!cluster.isFinal(payment, at: 0))
        #expect(cluster.height(0) == before)
        try cluster.start(3)
        try cluster.run(milliseconds: 15_000) { $0.isFinal([payment], at: [0, 2, 3]) }
        #expect(cluster.isFinal([payment], at: [0, 2, 3]))
        #expect(try cluster.faults() == [])
    }

    @Test func `nothing that was final is missing after all four were killed at once`() throws {
        var cluster = try Cluster(seed: 7)
        let first = (0..<8).map { cluster.payment(from: $0, to: 3, amount: 7, sequence: 0) }
        for payment in first { try cluster.submit(payment, to: 1) }
        try cluster.run(milliseconds: 5_000) { $0.isFinal(first, at: [1]) }
        let second = (0..<8).map { cluster.payment(from: $0, to: 3, amount: 7, sequence: 1) }
        for payment in second { try cluster.submit(payment, to: 2) }
        try cluster.run(milliseconds: 8)
        for node in 0..<4 { try cluster.crash(node) }
        for node in 0..<4 { try cluster.start(node) }
        try cluster.run(milliseconds: 10_000) { $0.isFinal(first, at: [0, 1, 2, 3]) }
        #expect(cluster.isFinal(first, at: [0, 1, 2, 3]))
        for payment in second { try cluster.submit(payment, to: 0) }
        try cluster.run(milliseconds: 10_000) { $0.isFinal(second, at: [0, 1, 2, 3]) }
        #expect(cluster.isFinal(second, at: [0, 1, 2, 3]))
        #expect(try cluster.faults() == [])
    }

    @Test func `a node that was away for hundreds of blocks catches up with bodies`() throws {
        var cluster = try Cluster(seed: 8)
        try cluster.run(milliseconds: 1_500)
        try cluster.crash(0)
        var payments: [SignedTransaction] = []
        for sequence in 0..<150 {
            let payment = cluster.payment(
                from: sequence % 8, to: 5, amount: 1, sequence: UInt64(sequence / 8))
            payments.append(payment)
            try cluster.submit(payment, to: 1 + sequence % 3)
            try cluster.run(milliseconds: 100)
        }
        let sent = payments
        try cluster.run(milliseconds: 20_000) { $0.isFinal(sent, at: [1, 2, 3]) }
        try #require(cluster.isFinal(sent, at: [1, 2, 3]))
        try #require(cluster.height(1) > 100)
        try cluster.start(0)
        try cluster.run(milliseconds: 20_000) { $0.isFinal(sent, at: [0]) }
        #expect(cluster.isFinal(sent, at: [0]))
        #expect(try cluster.faults() == [])
    }

    @Test func `of two payments with one sequence given to two nodes exactly one executes`() throws
    {
        var cluster = try Cluster(seed: 9)
        var pairs: [(SignedTransaction, SignedTransaction)] = []
        for person in 0..<8 {
            let left = cluster.payment(from: person, to: 1, amount: 1, sequence: 0)
            let right = cluster.payment(from: person, to: 2, amount: 2, sequence: 0)
            pairs.append((left, right))
            try cluster.submit(left, to: person % 4)
            try cluster.submit(right, to: (person + 1) % 4)
        }
        try cluster.run(milliseconds: 5_000)
        for (left, right) in pairs {
            for node in 0..<4 {
                #expect(cluster.isFinal(left, at: node) != cluster.isFinal(right, at: node))
                #expect(cluster.isFinal(left, at: node) == cluster.isFinal(left, at: 0))
            }
        }
        #expect(try cluster.faults() == [])
    }

    @Test func `an owner that withholds a body doesn't keep it from anybody`() throws {
        var cluster = try Cluster(seed: 10)
        // Node 3 never gets a batch from its owner, nor later from anybody unasked.
        cluster.passes = { _, to, message in
            if to == 3, case .mempool(.batch) = message { return false }
            return true
        }
        let payments = (0..<8).map { cluster.payment(from: $0, to: 1, amount: 1, sequence: 0) }
        for payment in payments { try cluster.submit(payment, to: 0) }
        try cluster.run(milliseconds: 10_000) { $0.isFinal(payments, at: [0, 1, 2, 3]) }
        #expect(cluster.isFinal(payments, at: [0, 1, 2, 3]))
        #expect(try cluster.faults() == [])
    }

    @Test func `a client that waits hears of finality once, and of a lost sequence too`() throws {
        var cluster = try Cluster(seed: 11)
        let payment = cluster.payment(from: 0, to: 1, amount: 1, sequence: 0)
        try cluster.submit(payment, to: 2)
        try cluster.handle([.wait(RequestID(900), payment.id)], at: 2)
        try cluster.run(milliseconds: 2_000)
        let settled = cluster.members[2].replies.filter {
            $0 == .settled(payment.id, .final)
        }
        #expect(settled.count == 1)
        try cluster.submit(payment, to: 1)
        try cluster.run(milliseconds: 100)
        #expect(cluster.members[1].replies.last == .settled(payment.id, .final))
        let other = cluster.payment(from: 0, to: 1, amount: 9, sequence: 0)
        try cluster.submit(other, to: 1)
        try cluster.run(milliseconds: 100)
        #expect(
            cluster.members[1].replies.last == .submitted(other.id, .refused(.sequenceUsed)))
    }

    @Test(arguments: 20...27)
    func `random crashes and lost messages lose nothing and diverge nowhere`(seed: Int) throws {
        var cluster = try Cluster(seed: UInt64(seed))
        var dice = SeededGenerator(seed: UInt64(seed) &* 77)
        var payments: [SignedTransaction] = []
        var sequences = [UInt64](repeating: 0, count: 8)
        for _ in 0..<40 {
            let node = Int(dice.next() % 4)
            if dice.next() % 8 == 0, cluster.members.allSatisfy({ $0.core != nil }) {
                try cluster.crash(node)
            } else if let down = cluster.members.firstIndex(where: { $0.core == nil }) {
                if dice.next() % 3 == 0 { try cluster.start(down) }
            }
            let person = Int(dice.next() % 8)
            let payment = cluster.payment(
                from: person, to: Int(dice.next() % 8), amount: 3, sequence: sequences[person])
            if cluster.members[node].core != nil {
                sequences[person] += 1
                payments.append(payment)
                try cluster.submit(payment, to: node)
            }
            try cluster.run(milliseconds: dice.next() % 200)
        }
        for node in 0..<4 where cluster.members[node].core == nil { try cluster.start(node) }
        // A client whose node died submits again.
        for payment in payments { try cluster.submit(payment, to: 0) }
        let sent = payments
        try cluster.run(milliseconds: 60_000) { $0.isFinal(sent, at: [0, 1, 2, 3]) }
        #expect(cluster.isFinal(sent, at: [0, 1, 2, 3]), "seed \(seed)")
        #expect(try cluster.faults() == [], "seed \(seed)")
    }

    @Test func `a node that starts with bodies missing knows how far its execution is`() throws {
        var cluster = try Cluster(seed: 31)
        try cluster.run(milliseconds: 1_500)
        cluster.passes = { _, to, message in
            switch message {
            case .mempool(.batch), .mempool(.body): to != 3
            default: true
            }
        }
        let payment = cluster.payment(from: 0, to: 1, amount: 1, sequence: 0)
        try cluster.submit(payment, to: 0)
        try cluster.run(milliseconds: 3_000)
        try cluster.crash(3)
        try cluster.start(3)
        let core = try #require(cluster.members[3].core)
        #expect(core.ledger.height < core.mempool.height)
        #expect(core.mempool.executedHeight == core.ledger.height)
    }
}
