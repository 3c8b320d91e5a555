import Primitives
import TestSupport
import Testing

/// BLAKE2b-256 against values of Python's `hashlib.blake2b(digest_size=32, person=...)`.
@Suite struct HashTests {
    @Test func `Each domain has a name of its own that BLAKE2b can hold`() {
        let names = HashDomain.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count)
        for name in names {
            #expect(name.utf8.count <= 16, "\(name)")
            #expect(name.hasPrefix("offpeak/"))
        }
    }

    @Test(arguments: HashFixtures.ofABC)
    func `Each domain hashes as elsewhere`(domain: HashDomain, hex: String) {
        #expect(Digest.hash(domain, Array("abc".utf8)).description == hex)
    }

    @Test func `Every domain has its fixture`() {
        #expect(HashFixtures.ofABC.map(\.0) == HashDomain.allCases)
    }

    @Test func `Nothing, two halves and a long text hash as elsewhere`() {
        let long = (0..<1000).map { UInt8($0 % 251) }
        let pair = Digest.hash(
            .stateNode, filled(1, as: Digest.self).bytes32, filled(2, as: Digest.self).bytes32)
        #expect(Digest.hash(.transaction, []).description == HashFixtures.ofNothing)
        #expect(pair.description == HashFixtures.ofPair)
        #expect(Digest.hash(.block, long).description == HashFixtures.ofThousand)
    }

    @Test func `Pieces hash as their whole, in any collection`() {
        var hasher = Hasher256(.block)
        hasher.update([1, 2, 3])
        hasher.update(filled(9, as: Digest.self).bytes32)
        let whole = [1, 2, 3] + [UInt8](repeating: 9, count: 32)
        #expect(hasher.finalize() == Digest.hash(.block, whole))
        #expect(Digest.hash(.block, whole[...]) == Digest.hash(.block, whole))
        #expect(Digest.hash(.block, AnyCollection(whole)) == Digest.hash(.block, whole))
    }
}
