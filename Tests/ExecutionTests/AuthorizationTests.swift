import Primitives
import TestSupport
import Testing

@testable import Execution

@Suite struct AuthorizationTests {
    /// A 2-of-3 account with money, and a ledger that knows its policy.
    private struct Joint {
        var world: World
        let policy: Policy
        var address: Address { policy.address }
        let keys: [SecretKey]

        init(weights: [UInt16] = [1, 1, 1], spend: UInt32 = 2, admin: UInt32 = 3) throws {
            keys = (0..<UInt8(weights.count)).map { Person(60 + $0).key }
            policy = try Policy(
                signers: zip(keys, weights).map { .init(publicKey: $0.publicKey, weight: $1) },
                spend: spend, admin: admin)
            world = try World(
                extra: [GenesisAccount(owner: .policy(policy), balance: 1_000_000)])
        }

        func payment(by signers: [SecretKey]) throws -> SignedTransaction {
            SignedTransaction(signing: try transaction(), by: signers)
        }

        func transaction(_ operation: Operation? = nil) throws -> Transaction {
            try world.transaction(
                address, [operation ?? world.transfer(1, to: world.bob)])
        }
    }

    @Test func `a 2-of-3 account acts by any two of its keys, and by no one alone`() throws {
        var joint = try Joint()
        let keys = joint.keys
        for pair in [[0, 1], [1, 2], [2, 0], [0, 1, 2]] {
            let signed = try joint.payment(by: pair.map { keys[$0] })
            #expect(try reason(joint.world.run([signed])) == nil)
        }
        for key in keys {
            #expect(
                try reason(joint.world.run([joint.payment(by: [key])])) == .notAuthorized)
        }
    }

    @Test func `a weight one short of the threshold isn't enough`() throws {
        var joint = try Joint(weights: [5, 3, 2], spend: 8, admin: 10)
        let keys = joint.keys
        let short = try joint.payment(by: [keys[0], keys[2]])
        #expect(try reason(joint.world.run([short])) == .notAuthorized)
        let enough = try joint.payment(by: [keys[0], keys[1]])
        #expect(try reason(joint.world.run([enough])) == nil)
    }

    @Test func `the same signer twice counts once`() throws {
        var joint = try Joint()
        let key = joint.keys[0]
        let twice = try joint.payment(by: [key, key])
        #expect(try reason(joint.world.run([twice])) == .notAuthorized)
        // From outside it doesn't even come in.
        #expect(throws: BCSError.self) { try SignedTransaction(bcs: twice.bcsBytes) }
    }

    @Test func `a key outside the policy is refused even beside enough others`() throws {
        var joint = try Joint()
        let added = try joint.payment(by: [joint.keys[0], joint.keys[1], joint.world.bob.key])
        #expect(try reason(joint.world.run([added])) == .unknownSigner)
    }

    @Test func `a signature altered or moved to another key or transaction is no proof`() throws {
        let joint = try Joint()
        let signed = try joint.payment(by: [joint.keys[0], joint.keys[1]])
        #expect(Verified.check(signed) != nil)
        let authorizations = signed.authorizations
        for bit in stride(from: 0, to: 512, by: 37) {
            var bytes = authorizations[0].signature.bytes
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let altered = Authorization(
                publicKey: authorizations[0].publicKey,
                signature: try #require(Signature(bytes: bytes)))
            let broken = SignedTransaction(
                transaction: signed.transaction, authorizations: [altered, authorizations[1]])
            #expect(Verified.check(broken) == nil, "bit \(bit)")
        }
        let swapped = SignedTransaction(
            transaction: signed.transaction,
            authorizations: [
                Authorization(
                    publicKey: authorizations[0].publicKey,
                    signature: authorizations[1].signature),
                Authorization(
                    publicKey: authorizations[1].publicKey,
                    signature: authorizations[0].signature),
            ])
        #expect(Verified.check(swapped) == nil)
        let other = try joint.transaction(joint.world.transfer(2, to: joint.world.bob))
        let moved = SignedTransaction(transaction: other, authorizations: authorizations)
        #expect(Verified.check(moved) == nil)
    }

    /// Every subset of signers: acceptance must flip exactly where the weights say so.
    @Test func `acceptance follows the weights for every set of signers`() throws {
        let weights: [UInt16] = [1, 2, 3, 4, 5]
        var joint = try Joint(weights: weights, spend: 7, admin: 11)
        for set in 1..<(1 << weights.count) {
            let members = (0..<weights.count).filter { set >> $0 & 1 == 1 }
            let weight = members.reduce(0) { $0 + Int(weights[$1]) }
            let keys = members.map { joint.keys[$0] }
            let pay = try joint.payment(by: keys)
            #expect(
                try reason(joint.world.run([pay])) == (weight >= 7 ? nil : .notAuthorized),
                "set \(set)")
            let rotate = SignedTransaction(
                signing: try joint.transaction(.setPolicy(joint.policy)), by: keys)
            let results = try joint.world.run([rotate])
            #expect(reason(results) == (weight >= 11 ? nil : .notAuthorized), "set \(set)")
            #expect(failure(results) == (weight >= 11 ? .samePolicy : nil))
        }
    }

    @Test func `no account is given a key by which nobody can sign`() throws {
        var joint = try Joint()
        let low = try #require(PublicKey(bytes: [1] + [UInt8](repeating: 0, count: 31)))
        for bad in [try #require(Policy.madeUpKey), low] {
            let some = joint.keys.map { Policy.Signer(publicKey: $0.publicKey, weight: 1) }
            let policies = [
                Policy.single(bad),
                try Policy(
                    signers: some + [Policy.Signer(publicKey: bad, weight: 1)], spend: 1, admin: 1),
            ]
            for policy in policies {
                let rotate = SignedTransaction(
                    signing: try joint.transaction(.setPolicy(policy)), by: joint.keys)
                #expect(try failure(joint.world.run([rotate])) == .keyUnusable)
            }
        }
        let pay = try joint.payment(by: joint.keys)
        #expect(try reason(joint.world.run([pay])) == nil)
    }

    @Test func `a new policy takes over, the address stays`() throws {
        var joint = try Joint()
        let new = Person(77)
        let keys = joint.keys
        let rotate = SignedTransaction(
            signing: try joint.transaction(.setPolicy(new.policy)), by: keys)
        #expect(try failure(joint.world.run([rotate])) == nil)
        let old = try joint.payment(by: keys)
        #expect(try reason(joint.world.run([old])) == .unknownSigner)
        // The policy that the address was made from counts no more, even revealed again.
        let again = SignedTransaction(
            signing: try joint.transaction(), policies: [joint.policy], by: keys)
        #expect(try reason(joint.world.run([again])) == .unknownSigner)
        let pay = try joint.payment(by: [new.key])
        #expect(try reason(joint.world.run([pay])) == nil)
    }

    @Test func `every cosigner must be authorized, each by its own policy`() throws {
        var world = try World()
        let transaction = try world.transaction(
            world.alice.address, [world.transfer(1, to: world.dave)],
            cosigners: [world.bob.address, world.carol.address])
        let people = [world.alice, world.bob, world.carol]
        for missing in 0..<3 {
            let keys = people.indices.filter { $0 != missing }.map { people[$0].key }
            let signed = SignedTransaction(signing: transaction, by: keys)
            #expect(try reason(world.run([signed])) == .notAuthorized)
        }
        let signed = SignedTransaction(signing: transaction, by: people.map(\.key))
        #expect(try reason(world.run([signed])) == nil)
    }
}
