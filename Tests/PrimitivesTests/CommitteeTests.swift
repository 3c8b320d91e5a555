import TestSupport
import Testing

@testable import Primitives

@Suite struct CommitteeTests {
    /// Weights, then F, Q and H by hand.
    @Test(
        arguments: [
            ([1], 0, 1, 1), ([1, 1], 0, 2, 1), ([1, 1, 1], 0, 3, 1), ([1, 1, 1, 1], 1, 3, 2),
            ([1, 1, 1, 1, 1], 1, 4, 2), ([2, 2, 2], 1, 5, 2), ([1, 2, 3, 4], 3, 7, 4),
            ([1, 2, 3, 5], 3, 8, 4), ([2, 2, 3, 5], 3, 9, 4), ([40, 1, 1, 1], 14, 29, 15),
        ] as [([UInt64], UInt64, UInt64, UInt64)])
    func `Thresholds follow from the weights`(
        weights: [UInt64], faulty: UInt64, quorum: UInt64, validity: UInt64
    ) throws {
        let committee = try committee(weights)
        #expect(committee.totalWeight == weights.reduce(0, +))
        #expect(committee.faultyMax == faulty)
        #expect(committee.quorum == quorum)
        #expect(committee.validityThreshold == validity)
    }

    @Test func `Quorums share an honest member and the honest alone reach one, at every weight`()
        throws
    {
        for weight in UInt64(1)...300 {
            let committee = try committee([weight])
            let (total, faulty) = (committee.totalWeight, committee.faultyMax)
            #expect(2 * committee.quorum - total > faulty, "W = \(weight)")
            #expect(total - faulty >= committee.quorum, "W = \(weight)")
            #expect(committee.validityThreshold == faulty + 1, "W = \(weight)")
            #expect(3 * (faulty + 1) >= total, "W = \(weight)")
        }
    }

    @Test func `Seed, leaders and rankings are those of another implementation`() throws {
        let committee = try committee([1, 2, 3, 4])
        #expect(
            committee.seed.description
                == "4d675796c5eea52fab91a92d4f10d87466026a5813f458ee9c15c8f9c88d2531")
        let leaders = (1...24).map { Int(committee.leader(of: View(UInt64($0))).rawValue) }
        let expected = [
            1, 3, 2, 3, 3, 2, 3, 2, 3, 2, 0, 2, 3, 2, 2, 2, 2, 0, 1, 1, 3, 2, 3, 2,
        ]
        #expect(leaders == expected)
        let rankings = (0...3).map { salt in
            committee.ranking(.owner, salt: [UInt8(salt), 0]).map { Int($0.rawValue) }
        }
        #expect(rankings == [[3, 2, 0, 1], [3, 2, 1, 0], [3, 2, 1, 0], [1, 0, 3, 2]])
    }

    @Test func `Members lead as often as they weigh`() throws {
        let committee = try committee([1, 2, 3, 4])
        var counts = [0, 0, 0, 0]
        for view in 1...10_000 {
            counts[Int(committee.leader(of: View(UInt64(view))).rawValue)] += 1
        }
        // Four standard deviations of the heaviest member are 196.
        for (place, count) in counts.enumerated() {
            #expect(abs(count - 1000 * (place + 1)) < 200, "\(counts)")
        }
    }

    @Test(
        arguments: [[1], [1, 1, 1, 1], [40, 1, 1, 1], [1 << 59, 1, 1 << 58, 7, 7]] as [[UInt64]])
    func `A ranking names each member once`(weights: [UInt64]) throws {
        let committee = try committee(weights)
        for salt in UInt8.min ... .max {
            let ranking = committee.ranking(.shard, salt: [salt])
            #expect(ranking.sorted() == committee.indices)
        }
        #expect(committee.ranking(.shard, salt: [1]) == committee.ranking(.shard, salt: [1]))
    }

    @Test func `The first of a ranking is drawn by weight`() throws {
        let committee = try committee([9, 1])
        let first = (0..<1000).filter { salt in
            committee.ranking(.owner, salt: UInt64(salt).bigEndianBytes)[0].rawValue == 0
        }
        #expect(860...940 ~= first.count, "\(first.count)")
    }

    @Test func `Seeds differ by chain, epoch, boundary and members`() throws {
        let validators = try committee([1, 2]).validators
        func seed(
            _ chain: UInt8, _ epoch: Epoch, _ validators: [Validator], _ boundary: Digest = .zero
        ) throws -> Digest {
            try Committee(
                chainID: filled(chain), epoch: epoch, validators: validators, boundary: boundary
            ).seed
        }
        let seeds = [
            try seed(1, 0, validators), try seed(2, 0, validators), try seed(1, 1, validators),
            try seed(1, 0, validators, filled(1)), try seed(1, 0, validators.reversed()),
        ]
        #expect(Set(seeds).count == seeds.count)
    }

    @Test func `Lists that can't vote are refused`() throws {
        func fault(_ validators: [Validator]) -> Committee.Fault? {
            do throws(Committee.Fault) {
                _ = try Committee(chainID: .zero, epoch: 0, validators: validators)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault([]) == .empty)
        #expect(fault([validator(1, 1), validator(2, 0)]) == .zeroWeight(1))
        #expect(fault([validator(1, 1), validator(1, 1, peer: 9)]) == .duplicateKey(1))
        #expect(fault([validator(1, 1, peer: 9), validator(2, 1, peer: 9)]) == .duplicatePeer(1))
        #expect(fault([validator(1, 1 << 60)]) == .weightOverflow)
        #expect(fault([validator(1, .max), validator(2, .max)]) == .weightOverflow)
        #expect(fault([validator(1, 1 << 60 - 1)]) == nil)
        let many = (0...512).map { validator(UInt16($0), 1) }
        #expect(fault(many) == .tooMany(513))
        #expect(fault(Array(many.dropLast())) == nil)
    }

    @Test func `Indexes outside the committee weigh nothing`() throws {
        let committee = try committee([1, 2, 3])
        #expect(committee[ValidatorIndex(3)] == nil)
        #expect(committee.weight(of: ValidatorIndex(.max)) == 0)
        #expect(committee.weight(of: [0, 2, 3].map { ValidatorIndex($0) }) == 4)
        for index in committee.indices {
            let validator = try #require(committee[index])
            #expect(committee.index(of: validator.votingKey) == index)
            #expect(committee.index(of: validator.peerID) == index)
        }
    }

    @Test(arguments: [1, 4, 7, 8, 9, 64, 65, 512])
    func `A signer set has exactly its committee's length and no padding bit`(count: Int) throws {
        var set = SignerSet(count: count)
        #expect(set.fits(count: count))
        #expect(set.indexes.isEmpty)
        let last = ValidatorIndex(UInt16(count - 1))
        set.insert(last)
        #expect(set.indexes == [last] && set.contains(last))
        #expect(set.fits(count: count))
        #expect(!set.fits(count: count - 1))
        #expect(!set.fits(count: count + 8))
        #expect(!set.contains(ValidatorIndex(.max)))
        var bytes = Array(set.bcsBytes.dropFirst(count > 127 * 8 ? 2 : 1))
        if count % 8 != 0 {
            bytes[bytes.count - 1] |= 0x80
            let padded = try SignerSet(bcs: [UInt8(bytes.count)] + bytes)
            #expect(!padded.fits(count: count))
        }
    }

    @Test func `A signer set beyond the largest committee is refused`() {
        #expect(throws: BCSError(.tooLong(count: 65, maximum: 64), at: 0)) {
            try SignerSet(bcs: [65] + [UInt8](repeating: 0, count: 65))
        }
    }

    private func validator(_ number: UInt16, _ weight: UInt64, peer: UInt16? = nil) -> Validator {
        func name<Value: Identifier32>(_ kind: UInt8, _ number: UInt16) -> Value {
            let bytes = [kind] + UInt64(number).bigEndianBytes
            return Value(bytes: bytes + [UInt8](repeating: 0, count: 32 - bytes.count)) ?? .zero
        }
        return Validator(
            votingKey: name(1, number), peerID: name(2, peer ?? number), weight: weight,
            rewardAddress: name(3, number))
    }

    private func committee(_ weights: [UInt64]) throws -> Committee {
        let validators = weights.enumerated().map { place, weight in
            Validator(
                votingKey: filled(UInt8(place + 1)), peerID: filled(UInt8(0x80 + place)),
                weight: weight, rewardAddress: filled(UInt8(0x40 + place)))
        }
        return try Committee(chainID: filled(0xCC), epoch: 0, validators: validators)
    }
}
