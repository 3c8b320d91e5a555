@_spi(Simulation) import Primitives
import TestSupport
import Testing

@testable import Execution

/// A world with short periods and a low least bond.
extension World {
    static let least: UInt64 = 5000

    static func bonds(isBonded: Bool = false) throws -> World {
        try World(
            consensus: .init(executionLagMax: 3),
            verification: .init(periodBlocks: 2, minimumBond: Amount(least), unbondBlocks: 30),
            stake: .init(epochBlocks: 12), isBonded: isBonded)
    }

    /// A bond that `sender` makes of the verifier's key and node.
    func bond(
        _ amount: UInt64, by sender: Person, key: Person? = nil, node: Person? = nil,
        chainID: ChainID? = nil
    ) -> Bond {
        Bond(
            amount: Amount(amount), chainID: chainID ?? genesis.chainID, sender: sender.address,
            key: (key ?? verifier).key, peerKey: (node ?? verifier).key)
    }

    var verifierKey: PublicKey { verifier.key.publicKey }

    func stake() throws -> Verifier? { try reader.verifier(verifierKey) }

    /// Empty blocks up to and with `height`.
    mutating func pass(to height: UInt64) throws {
        while ledger.height.rawValue < height { try run([]) }
    }
}

@Suite struct BondTests {
    @Test func `a bond moves out of the balance and makes a verifier of the sender's`() throws {
        var world = try World.bonds()
        #expect(try world.run(world.alice, .bond(world.bond(7000, by: world.alice))) == .success)
        let stake = try #require(try world.stake())
        #expect(stake.bonded == 7000 && stake.owner == world.alice.address)
        #expect(stake.rewardAddress == world.alice.address)
        #expect(world.ledger.totals.bonded == 4_007_000)
        #expect(try world.run(world.alice, .bond(world.bond(1, by: world.alice))) == .success)
        #expect(try world.stake()?.bonded == 7001)
    }

    @Test func `a bond counts from the least one on, and an amount from 1 on`() throws {
        var world = try World.bonds()
        for (amount, code) in [
            (0, FailureCode.zeroAmount), (World.least - 1, .bondTooSmall),
            (.max, .insufficientFunds),
        ] {
            let outcome = try world.run(world.alice, .bond(world.bond(amount, by: world.alice)))
            #expect(failure(outcome) == code, "\(amount)")
            #expect(try world.stake() == nil)
        }
        let least = Operation.bond(world.bond(World.least, by: world.alice))
        #expect(try world.run(world.alice, least) == .success)
    }

    @Test func `all that the sender has left can be bonded, one unit more can't`() throws {
        var world = try World.bonds()
        let fee = try world.balance(world.alice)
        try world.run(world.alice, .bond(world.bond(World.least, by: world.alice)))
        let cost = fee - (try world.balance(world.alice)) - World.least
        let left = try world.balance(world.alice) - cost
        let more = Operation.bond(world.bond(left + 1, by: world.alice))
        #expect(failure(try world.run(world.alice, more)) == .insufficientFunds)
        let all = Operation.bond(world.bond(left - cost, by: world.alice))
        #expect(try world.run(world.alice, all) == .success)
        #expect(try world.balance(world.alice) == 0)
    }

    @Test func `nobody bonds another's key, node or verifier`() throws {
        var world = try World.bonds()
        let good = world.bond(World.least, by: world.alice)
        let byBob = world.bond(World.least, by: world.bob)
        let wrongKey = world.bond(World.least, by: world.alice, key: world.erin)
        let wrongNode = world.bond(World.least, by: world.alice, node: world.erin)
        let otherChain = world.bond(World.least, by: world.alice, chainID: .zero)
        func forged(_ proof: Signature, _ peerProof: Signature) -> Operation {
            .bond(
                Bond(
                    key: good.key, peerID: good.peerID, amount: good.amount, proof: proof,
                    peerProof: peerProof))
        }
        for (place, operation) in [
            .bond(byBob), forged(wrongKey.proof, good.peerProof),
            forged(good.proof, wrongNode.peerProof), forged(otherChain.proof, good.peerProof),
            forged(good.proof, good.proof.zeroed), forged(good.proof.zeroed, good.peerProof),
        ].enumerated() {
            let outcome = try world.run(world.alice, operation)
            #expect(failure(outcome) == .proofWrong, "\(place)")
        }
        try world.run(world.alice, .bond(good))
        #expect(failure(try world.run(world.bob, .bond(byBob))) == .notBondOwner)
    }

    @Test func `a validator's stake is its owner's, and its node nobody else's`() throws {
        var world = try World.bonds()
        let validator = world.validators[1]
        let key = validator.key.publicKey
        for operation in [
            .bond(world.bond(World.least, by: world.alice, key: validator)),
            .unbond(Unbond(key: key, amount: 1)), Operation.withdraw(key),
        ] {
            #expect(failure(try world.run(world.alice, operation)) == .notBondOwner)
        }
        let node = Operation.bond(world.bond(World.least, by: world.alice, node: validator))
        #expect(failure(try world.run(world.alice, node)) == .validatorBond)
    }

    @Test func `only the owner decides, and only about a verifier that there is`() throws {
        var world = try World.bonds(isBonded: true)
        let key = world.verifierKey
        for operation in [Operation.unbond(Unbond(key: key, amount: 1)), .withdraw(key)] {
            #expect(failure(try world.run(world.alice, operation)) == .notBondOwner)
        }
        let stranger = world.erin.key.publicKey
        for operation in [Operation.unbond(Unbond(key: stranger, amount: 1)), .withdraw(stranger)] {
            #expect(failure(try world.run(world.dave, operation)) == .verifierUnknown)
        }
    }

    @Test func `what is left after unbonding is nothing or at least the least bond`() throws {
        var world = try World.bonds(isBonded: true)
        let key = world.verifierKey
        for (amount, code) in [
            (0, FailureCode.zeroAmount), (World.stake + 1, .amountAboveBonded),
            (.max, .amountAboveBonded), (World.stake - 1, .bondTooSmall),
            (World.stake - World.least + 1, .bondTooSmall), (World.stake - World.least, nil),
            (World.least + 1, .amountAboveBonded), (World.least, nil), (1, .amountAboveBonded),
        ] as [(UInt64, FailureCode?)] {
            let unbond = Operation.unbond(Unbond(key: key, amount: Amount(amount)))
            #expect(failure(try world.run(world.dave, unbond)) == code, "\(amount)")
        }
        #expect(try world.stake()?.bonded == 0)
        #expect(world.ledger.totals.bonded == 5_000_000)
    }

    @Test func `a release is paid once, from its height on, and what is empty leaves`() throws {
        var world = try World.bonds(isBonded: true)
        let all = Operation.unbond(Unbond(key: world.verifierKey, amount: Amount(World.stake)))
        try world.run(world.dave, all)
        let withdraw = Operation.withdraw(world.verifierKey)
        #expect(failure(try world.run(world.dave, withdraw)) == .nothingDue)
        try world.pass(to: 29)
        #expect(failure(try world.run(world.dave, withdraw)) == .nothingDue)
        let before = try world.balance(world.dave)
        #expect(world.ledger.height == 30)
        #expect(try world.run(world.dave, withdraw) == .success)
        #expect(try world.balance(world.dave) > before + World.stake - 2000)
        #expect(try world.stake() == nil)
        #expect(failure(try world.run(world.dave, withdraw)) == .verifierUnknown)
        let again = Operation.bond(world.bond(World.least, by: world.alice))
        #expect(try world.run(world.alice, again) == .success)
    }

    @Test func `eight releases may be pending, a ninth waits for a withdrawal`() throws {
        var world = try World.bonds(isBonded: true)
        let one = Operation.unbond(Unbond(key: world.verifierKey, amount: 1))
        for _ in 0..<8 { #expect(try world.run(world.dave, one) == .success) }
        #expect(failure(try world.run(world.dave, one)) == .tooManyReleases)
        try world.pass(to: 32)
        #expect(try world.run(world.dave, .withdraw(world.verifierKey), one) == .success)
        #expect(try world.stake()?.releases.count == 6)
    }

    @Test func `an operation that fails later takes a bond back`() throws {
        var world = try World.bonds()
        let balance = try world.balance(world.alice)
        let outcome = try world.run(
            world.alice, .bond(world.bond(World.least, by: world.alice)),
            world.transfer(.max, to: world.bob))
        #expect(outcome == .failed(operation: 1, .insufficientFunds))
        #expect(try world.stake() == nil)
        #expect(try world.balance(world.alice) > balance - World.least)
        #expect(try world.reader.verifiers(limit: 9).count == 4)
    }

    @Test func `the owner can move a bond to another node, keeping its key`() throws {
        var world = try World.bonds(isBonded: true)
        let moved = world.bond(1, by: world.dave, node: world.erin)
        #expect(try world.run(world.dave, .bond(moved)) == .success)
        #expect(try world.stake()?.peerID == PeerID(world.erin.key.publicKey))
    }

    @Test func `admission counts what is bonded, and the fee its two proofs`() throws {
        let world = try World.bonds()
        let signed = SignedTransaction(
            signing: try world.transaction(
                world.alice.address, [.bond(world.bond(7000, by: world.alice))], maxFee: 3000),
            by: [world.alice.key])
        #expect(signed.chargedSignatures == 3)
        #expect(
            try world.ledger.admission(of: signed)
                == .admissible(
                    nextSequence: 0, spendable: Amount(World.balance), cost: 10_000, tip: 0))
        var run = world
        guard case .executed(let receipt)? = try run.run([signed]).first else {
            Issue.record("skipped")
            return
        }
        #expect(receipt.fee == Amount(UInt64(signed.byteCount) + 3 * 200 + 100))
    }

    @Test func `the keys of a new policy are paid for like signatures`() throws {
        let bob = try World.bonds().bob.address
        let keys = (0..<5).map { Person(UInt8(100 + $0)).key.publicKey }
        let policy = try Policy(
            signers: keys.map { .init(publicKey: $0, weight: 1) }, spend: 1, admin: 5)
        let operations: [(Operation, Int)] = [
            (.setPolicy(policy), 5),
            (.proposeRecovery(RecoveryProposal(account: bob, policy: policy)), 5),
            (.vetoRecovery(bob), 0),
        ]
        for (operation, count) in operations {
            var world = try World.bonds()
            let signed = SignedTransaction(
                signing: try world.transaction(
                    world.alice.address, [operation], maxFee: 10_000), by: [world.alice.key])
            #expect(signed.chargedSignatures == 1 + count)
            let result = try #require(try world.run([signed]).first)
            guard case .executed(let receipt) = result else {
                Issue.record("\(result)")
                continue
            }
            let weight = UInt64(signed.byteCount) + UInt64(1 + count) * 200 + 100
            #expect(receipt.fee == Amount(weight))
        }
    }

    @Test func `verifiers are listed by their bonds, the highest first`() throws {
        var world = try World.bonds(isBonded: true)
        try world.run(
            world.alice, .bond(world.bond(2_000_000, by: world.alice, key: world.erin)))
        let listed = try world.reader.verifiers(limit: 9).map(\.key)
        let equal = ([world.verifier] + world.validators).map(\.key.publicKey).sorted()
        #expect(listed == [world.erin.key.publicKey] + equal)
        #expect(try world.reader.verifiers(limit: 2).map(\.key) == Array(listed.prefix(2)))
    }
}

extension Signature {
    /// The same with an S of 0.
    fileprivate var zeroed: Signature { Signature(r: r, s: .zero) }
}
