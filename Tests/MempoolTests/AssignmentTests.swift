import Primitives
import TestSupport
import Testing

@testable import Mempool

/// Who is asked to check what.
@Suite struct AssignmentTests {
    private func engine(validators: Int, bonds: [UInt64]) throws -> (MempoolEngine, VerifierSet) {
        let keys = (0..<validators + bonds.count).map { TestKeys.key(seed: 95, index: $0) }
        let committee = try Committee(
            chainID: .zero, epoch: 0,
            validators: keys.prefix(validators).map {
                Validator(
                    votingKey: $0.publicKey, peerID: PeerID($0.publicKey), weight: 1,
                    rewardAddress: .zero)
            })
        let set = VerifierSet(
            period: 0, committee: committee,
            others: zip(keys.dropFirst(validators), bonds).map {
                BondedVerifier(
                    key: $0.publicKey, peerID: PeerID($0.publicKey), bond: $1,
                    rewardAddress: .zero)
            })
        var engine = MempoolEngine(
            layout: ShardLayout(committee: committee, verifierSets: [0: set]),
            ownIndex: ValidatorIndex(0), signer: keys[0], table: LaneTable(), height: 0)
        for member in set.members.dropFirst() {
            try engine.handle(
                .connected(member.peerID), at: Moment(now: Instant(milliseconds: 1), wall: 1),
                view: FixedView())
        }
        return (engine, set)
    }

    /// A header of four chunks that no other has.
    private func header(_ number: UInt64) -> BatchHeader {
        BatchHeader(
            signing: BatchHeader.Content(
                chainID: .zero, epoch: 0, lane: Lane(shard: 0, term: 0, rank: 0),
                owner: ValidatorIndex(0), position: number + 1, parent: .zero,
                transactionRoot: Digest.hash(.random, number.bcsLittleEndian),
                transactionCount: 256, byteLength: 1, signatureCount: 256, chunkSize: 64,
                expiryHeight: 1000),
            by: TestKeys.key(seed: 95, index: 0))
    }

    private let now = Instant(milliseconds: 10)

    private func counts(_ engine: MempoolEngine, _ set: VerifierSet) -> [VerifierIndex: Int] {
        var counts: [VerifierIndex: Int] = [:]
        for number in 0..<400 {
            for chosen in engine.assign(header(UInt64(number)), set, at: now) {
                #expect(Set(chosen).count == chosen.count && !chosen.contains(VerifierIndex(0)))
                #expect(
                    set.bond(of: chosen) + set.bond(of: VerifierIndex(0))
                        >= set.validityThreshold)
                for index in chosen { counts[index, default: 0] += 1 }
            }
        }
        return counts
    }

    @Test func `equal verifiers are asked equally often, and as few as are needed`() throws {
        let (engine, set) = try engine(validators: 10, bonds: [])
        let counts = counts(engine, set)
        // F + 1 = 4, the owner among them: three for each of the 1,600 chunks, 533 for each.
        #expect(counts.values.reduce(0, +) == 4800)
        #expect(counts.values.allSatisfy { (453...613).contains($0) }, "\(counts)")
    }

    @Test func `those without a vote are asked first, and the others only for the rest`() throws {
        let (engine, set) = try engine(validators: 7, bonds: [1, 1])
        let counts = counts(engine, set)
        // B = 9, H_U = 3: the owner and both.
        #expect(counts == [VerifierIndex(7): 1600, VerifierIndex(8): 1600])
    }

    @Test func `a verifier three times as fast is asked about three times as often`() throws {
        var (engine, set) = try engine(validators: 4, bonds: [5, 5])
        for (place, speed) in [(4, UInt32(30_000)), (5, UInt32(10_000))] {
            try engine.handle(
                .peerCapacity(
                    set.members[place].peerID,
                    Capacity(signaturesPerSecond: speed, free: speed, forecast: speed)),
                at: Moment(now: now, wall: 1), view: FixedView())
        }
        let counts = counts(engine, set)
        let fast = counts[VerifierIndex(4)] ?? 0
        let slow = counts[VerifierIndex(5)] ?? 0
        #expect(fast + slow == 1600)
        #expect(fast > 2 * slow, "\(counts)")
    }

    @Test func `whoever says that it can do everything is asked no more than what was seen allows`()
        throws
    {
        var (engine, set) = try engine(validators: 4, bonds: [5, 5])
        let liar = set.members[4].peerID
        let honest = set.members[5].peerID
        for peer in [liar, honest] { engine.workers.ask(peer, signatures: 100) }
        engine.workers.answer(liar, signatures: 100, after: 1000)
        engine.workers.answer(honest, signatures: 100, after: 10)
        engine.workers.setHint(Capacity(free: .max, forecast: .max), of: liar)
        #expect(engine.workers.speed(of: liar) == 200)
        let counts = counts(engine, set)
        #expect(
            counts[VerifierIndex(5)] ?? 0 > 20 * (counts[VerifierIndex(4)] ?? 0), "\(counts)")
    }

    @Test func `who says that it can do nothing isn't asked while others can`() throws {
        var (engine, set) = try engine(validators: 4, bonds: [5])
        engine.workers.setHint(
            Capacity(free: 0, queueMilliseconds: .max), of: set.members[4].peerID)
        let counts = counts(engine, set)
        // B = 9, H_U = 3: the owner and two validators of the others.
        #expect(counts[VerifierIndex(4)] == nil)
        #expect(counts.values.reduce(0, +) == 3200)
    }
}
