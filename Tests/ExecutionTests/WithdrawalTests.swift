import Primitives
import Testing

@testable import Execution

@Suite struct WithdrawalTests {
    @Test func `a decision that was taken back doesn't count any more`() throws {
        var escrow = try EscrowWorld()
        let (alice, bob) = (escrow.world.alice, escrow.world.bob)
        let back = Operation.escrowWithdrawDecision(EscrowWithdrawal(escrow: escrow.id, round: 0))
        #expect(try failure(escrow.world.run(alice, back)) == .nothingDecided)
        try escrow.world.run(alice, escrow.decision(.release, 400))
        #expect(try failure(escrow.world.run(bob, back)) == .nothingDecided)
        #expect(try escrow.world.run(alice, back) == .success)
        #expect(try escrow.escrow.decisions.isEmpty && escrow.escrow.round == 0)
        try escrow.world.run(bob, escrow.decision(.release, 400))
        #expect(try escrow.escrow.held == 1000)
        try escrow.world.run(alice, escrow.decision(.release, 400))
        #expect(try escrow.escrow.held == 600)
    }

    @Test func `it names the round, and what was carried out stays so`() throws {
        var escrow = try EscrowWorld()
        let (alice, bob) = (escrow.world.alice, escrow.world.bob)
        func back(_ round: UInt64) -> Operation {
            .escrowWithdrawDecision(EscrowWithdrawal(escrow: escrow.id, round: round))
        }
        try escrow.world.run(alice, escrow.decision(.release, 400))
        for round in [1, .max] as [UInt64] {
            #expect(try failure(escrow.world.run(alice, back(round))) == .wrongRound)
        }
        try escrow.world.run(bob, escrow.decision(.release, 400))
        #expect(try failure(escrow.world.run(alice, back(0))) == .wrongRound)
        #expect(try failure(escrow.world.run(alice, back(1))) == .nothingDecided)
    }

    @Test func `an arbiter takes back a split, cosigners do so together`() throws {
        var escrow = try EscrowWorld()
        let (carol, dave) = (escrow.world.carol, escrow.world.dave)
        try escrow.world.run(escrow.world.alice, .escrowDispute(escrow.id))
        try escrow.world.run(carol, escrow.split(600, 400))
        let back = Operation.escrowWithdrawDecision(EscrowWithdrawal(escrow: escrow.id, round: 1))
        #expect(try escrow.world.run(dave, back, cosigners: [carol]) == .success)
        #expect(try escrow.escrow.decisions.isEmpty && escrow.escrow.held == 1000)
    }

    @Test func `not of an escrow that is unknown or due`() throws {
        var escrow = try EscrowWorld()
        let strange = EscrowWithdrawal(escrow: EscrowID(.sha256([1])), round: 0)
        let alice = escrow.world.alice
        #expect(
            try failure(escrow.world.run(alice, .escrowWithdrawDecision(strange)))
                == .escrowUnknown)
        try escrow.world.run(alice, escrow.decision(.release, 400))
        let back = EscrowWithdrawal(escrow: escrow.id, round: 0)
        #expect(
            try failure(
                escrow.world.run(alice, .escrowWithdrawDecision(back), at: escrow.deadline))
                == .escrowUnknown)
    }
}
