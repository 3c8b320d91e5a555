import Primitives
import TestSupport
import Testing

@testable import Mempool

/// What one peer can cost the others, and what an owner can hold up.
@Suite struct FloodTests {
    @Test func `a stranger's junk is checked as far as its part goes, and held against it`() throws
    {
        var network = try MempoolNetwork(seed: 81)
        let stranger = PeerID(TestKeys.key(seed: 82, index: 0).publicKey)
        let sender = network.sender(ownedBy: 2)
        let part = BatchLimits.askingOfGuestMax
        let junk = try (1...part + 200).map { amount in
            try #require(
                network.transfer(sender, sequence: 0, amount: UInt64(amount)).damaged())
        }
        for start in stride(from: 0, to: junk.count, by: BatchLimits.forwardMax) {
            let piece = Array(junk[start..<min(start + BatchLimits.forwardMax, junk.count)])
            try network.event(.received(stranger, .forward(piece)), at: 2)
        }
        try network.run()
        #expect(network.engines[2].signatures.admission == UInt64(part))
        #expect(network.penalties.count == part)
        #expect(network.engines[2].askedBy.isEmpty)
        // Whoever comes next is served.
        let payment = network.transfer(sender, sequence: 0)
        try network.submit(payment, to: 0)
        #expect(try network.include(proposedBy: 0).map(\.id) == [payment.id])
    }

    @Test func `a validator isn't blamed for what its clients gave it`() throws {
        var network = try MempoolNetwork(seed: 83)
        let sender = network.sender(ownedBy: 2)
        let broken = try #require(network.transfer(sender, sequence: 0).damaged())
        try network.submit(broken, to: 0)
        #expect(network.penalties.isEmpty)
        #expect(network.replies.last?.outcome == .refused(.invalidSignature))
    }

    @Test(arguments: [true, false])
    func `an owner that seals and gets nothing certified is complained of, another isn't`(
        isCertified: Bool
    ) throws {
        var network = try MempoolNetwork(seed: 84)
        let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        network.tamper = { _, to, message in
            if case .ack = message, to == 2, !isCertified { return nil }
            return message
        }
        let stranger = PeerID(TestKeys.key(seed: 85, index: 0).publicKey)
        for node in 0..<4 {
            try network.event(.received(stranger, .appeal(payment)), at: node)
        }
        try network.run()
        try network.advance(
            milliseconds: MempoolTimes.rescueWait + MempoolTimes.appealWait + 200)
        let complaints = (1...16).flatMap { height in
            network.engines[0].passable(after: LaneTable(), at: Height(height))
        }
        #expect(complaints.isEmpty == isCertified)
    }

    @Test func `a block takes of each lane in turn`() throws {
        var network = try MempoolNetwork(seed: 86)
        for sequence in UInt64(0)..<3 {
            for owner in [0, 2] {
                try network.submit(
                    network.transfer(network.sender(ownedBy: owner), sequence: sequence), to: 1)
            }
        }
        let engine = network.engines[1]
        let lanes = engine.includable(after: engine.table, at: 1).map(\.header.content.lane)
        #expect(lanes.count == 6)
        for round in 0..<3 {
            #expect(Set(lanes[2 * round..<2 * round + 2]).count == 2)
        }
    }

    @Test func `a certificate that comes again while it is checked isn't checked again`() throws {
        var network = try MempoolNetwork(seed: 87)
        var held: BatchCertificate?
        network.tamper = { _, to, message in
            guard case .certificate(let certificate) = message, to == 3 else { return message }
            held = certificate
            return nil
        }
        let payment = network.transfer(network.sender(ownedBy: 2), sequence: 0)
        try network.submit(payment, to: 0)
        let certificate = try #require(held)
        for from in [0, 1, 2] {
            try network.event(
                .received(network.peer(from), .certificate(certificate)), at: 3)
        }
        #expect(network.engines[3].checks.count == 1)
        try network.run()
        #expect(network.engines[3].figures.certificates == 1)
        #expect(network.engines[3].checkingCertificates.isEmpty)
    }
}
