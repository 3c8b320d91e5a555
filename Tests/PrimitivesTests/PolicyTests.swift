import Primitives
import TestSupport
import Testing

@Suite struct PolicyTests {
    @Test func `Signers are sorted, and the order given doesn't matter`() throws {
        let policy = try Policy(signers: [signer(3), signer(1), signer(2)], spend: 1, admin: 3)
        #expect(policy.signers.map(\.publicKey) == [filled(1), filled(2), filled(3)])
        let other = try Policy(signers: [signer(1), signer(2), signer(3)], spend: 1, admin: 3)
        #expect(policy.address == other.address)
        #expect(policy.weight(of: filled(2)) == 1)
        #expect(policy.weight(of: filled(4)) == nil)
    }

    @Test(arguments: [1, 2, 3, 4, 32] as [UInt8])
    func `A policy of any size keeps its signers`(count: UInt8) throws {
        let given = (1...count).map { signer($0, UInt16($0) + 6) }
        let policy = try Policy(signers: given.reversed(), spend: 1, admin: 7)
        #expect(policy.signers.count == Int(count))
        #expect(Array(policy.signers) == given)
        #expect(policy.signers.indices.map { policy.signers[$0] } == given)
        #expect(try Policy(bcs: policy.bcsBytes) == policy)
        for place in given.indices {
            var others = given
            others[place] = signer(given[place].publicKey.bytes[0], 99)
            let other = try Policy(signers: others, spend: 1, admin: 7)
            #expect(other != policy)
        }
    }

    @Test func `Another signer, weight or threshold is another address`() throws {
        let policies = [
            try Policy(signers: [signer(1), signer(2)], spend: 1, admin: 2),
            try Policy(signers: [signer(1), signer(3)], spend: 1, admin: 2),
            try Policy(signers: [signer(1), signer(2, 2)], spend: 1, admin: 2),
            try Policy(signers: [signer(1), signer(2)], spend: 2, admin: 2),
            try Policy(signers: [signer(1), signer(2)], spend: 1, admin: 1),
        ]
        #expect(Set(policies.map(\.address)).count == policies.count)
    }

    @Test func `Policies that nobody or anybody could satisfy are refused`() {
        #expect(throws: Policy.Fault.noSigners) { try Policy(signers: [], spend: 1, admin: 1) }
        #expect(throws: Policy.Fault.tooManySigners(33)) {
            try Policy(signers: (0...32).map { signer($0) }, spend: 1, admin: 1)
        }
        #expect(throws: Policy.Fault.zeroWeight(filled(2))) {
            try Policy(signers: [signer(1), signer(2, 0)], spend: 1, admin: 1)
        }
        #expect(throws: Policy.Fault.duplicateSigner(filled(1))) {
            try Policy(signers: [signer(1), signer(1, 2)], spend: 1, admin: 1)
        }
        #expect(throws: Policy.Fault.zeroThreshold) {
            try Policy(signers: [signer(1)], spend: 0, admin: 1)
        }
        #expect(throws: Policy.Fault.adminBelowSpend(admin: 1, spend: 2)) {
            try Policy(signers: [signer(1, 2)], spend: 2, admin: 1)
        }
        #expect(throws: Policy.Fault.unreachable(threshold: 4, weight: 3)) {
            try Policy(signers: [signer(1), signer(2, 2)], spend: 1, admin: 4)
        }
    }

    @Test func `The heaviest policy is reachable and doesn't overflow`() throws {
        let signers = (0..<32).map { signer($0, .max) }
        let weight = 32 * UInt32(UInt16.max)
        #expect(try Policy(signers: signers, spend: weight, admin: weight).admin == weight)
        #expect(throws: Policy.Fault.unreachable(threshold: .max, weight: weight)) {
            try Policy(signers: signers, spend: 1, admin: .max)
        }
    }

    @Test func `The same faults are refused on the wire`() {
        func decodes(_ signers: [Policy.Signer], _ spend: UInt32, _ admin: UInt32) -> Bool {
            var writer = BCSWriter()
            writer.append(list: signers)
            writer.append(spend)
            writer.append(admin)
            return (try? Policy(bcs: writer.bytes)) != nil
        }
        #expect(decodes([signer(1), signer(2)], 1, 2))
        #expect(!decodes([signer(2), signer(1)], 1, 2))
        #expect(!decodes([signer(1), signer(1)], 1, 2))
        #expect(!decodes([], 1, 1))
        #expect(!decodes([signer(1)], 1, 2))
        #expect(!decodes([signer(1)], 0, 1))
        #expect(!decodes([signer(1, 2)], 2, 1))
        #expect(!decodes([signer(1, 0)], 1, 1))
    }

    @Test func `Quorums that nobody or anybody could satisfy are refused`() throws {
        let sorted = try Quorum(members: [member(2), member(1)], threshold: 2)
        #expect(sorted.members.map(\.address) == [filled(1), filled(2)])
        #expect(sorted.weight(of: filled(2)) == 1 && sorted.weight(of: filled(3)) == nil)
        #expect(throws: Quorum.Fault.noMembers) { try Quorum(members: [], threshold: 1) }
        #expect(throws: Quorum.Fault.tooManyMembers(17)) {
            try Quorum(members: (0...16).map { member($0) }, threshold: 1)
        }
        #expect(throws: Quorum.Fault.zeroWeight(filled(1))) {
            try Quorum(members: [member(1, 0)], threshold: 1)
        }
        #expect(throws: Quorum.Fault.duplicateMember(filled(1))) {
            try Quorum(members: [member(1), member(1)], threshold: 1)
        }
        #expect(throws: Quorum.Fault.zeroThreshold) {
            try Quorum(members: [member(1)], threshold: 0)
        }
        #expect(throws: Quorum.Fault.unreachable(threshold: 3, weight: 2)) {
            try Quorum(members: [member(1), member(2)], threshold: 3)
        }
    }

    private func signer(_ key: UInt8, _ weight: UInt16 = 1) -> Policy.Signer {
        Policy.Signer(publicKey: filled(key), weight: weight)
    }

    private func member(_ address: UInt8, _ weight: UInt16 = 1) -> Quorum.Member {
        Quorum.Member(address: filled(address), weight: weight)
    }
}
