import TestSupport
import Testing

@testable import Primitives

@Suite struct EpochRecordTests {
    private let schedule = EpochSchedule(length: 12, lag: 3)

    @Test func `Blocks belong to an epoch from the one after a boundary to the next boundary`() {
        for (height, epoch) in [(0, 0), (1, 0), (12, 0), (13, 1), (24, 1), (25, 2)]
            as [(UInt64, UInt64)]
        {
            #expect(schedule.epoch(of: Height(height)) == Epoch(epoch), "height \(height)")
        }
        // A batch that is sealed after a boundary goes into the next epoch's blocks.
        #expect(schedule.epoch(after: 11) == 0 && schedule.epoch(after: 12) == 1)
        #expect(schedule.first(of: 1) == 13 && schedule.last(of: 1) == 24)
        #expect(schedule.isFirst(13) && !schedule.isFirst(12) && !schedule.isFirst(14))
        #expect(schedule.isLast(24) && !schedule.isLast(23) && !schedule.isLast(25))
    }

    @Test func `An epoch has ended with its boundary block, not before`() {
        #expect(schedule.newestEnded(after: 0) == nil && schedule.newestEnded(after: 11) == nil)
        #expect(schedule.newestEnded(after: 12) == 0 && schedule.newestEnded(after: 23) == 0)
        #expect(schedule.newestEnded(after: 24) == 1)
    }

    @Test func `A committee is known a lag and a block before the boundary, and kept from then on`()
    {
        #expect(schedule.decision(of: 0) == 0)
        #expect(schedule.decision(of: 1) == 8 && schedule.decision(of: 2) == 20)
        #expect(schedule.newest(after: 7) == 0 && schedule.newest(after: 8) == 1)
        for (length, lag) in [(4, 1), (12, 3), (64, 16), (96, 16), (1024, 256)]
            as [(UInt64, UInt64)]
        {
            let schedule = EpochSchedule(length: length, lag: lag)
            for height in 0...(3 * length) {
                let height = Height(height)
                let newest = schedule.newest(after: height)
                #expect(schedule.decision(of: newest) <= height)
                #expect(schedule.decision(of: Epoch(newest.rawValue + 1)) > height)
                // Who votes for a block has executed all but a lag and one before it.
                let voted = height.clampedAdvance(by: lag).clampedAdvance(by: 1)
                #expect(newest >= schedule.epoch(of: voted))
                if schedule.isLast(voted) { #expect(newest > schedule.epoch(of: voted)) }
            }
        }
    }

    @Test func `Heights at the end of the numbers and lengths of nothing don't trap`() {
        for schedule in [
            EpochSchedule(length: 0, lag: 0), EpochSchedule(length: 1, lag: .max),
            EpochSchedule(length: .max, lag: .max), EpochSchedule(length: 10_240, lag: 16),
        ] {
            for number in [0, 1, .max - 1, .max] as [UInt64] {
                let (height, epoch) = (Height(number), Epoch(number))
                #expect(schedule.first(of: epoch) >= 1 && schedule.last(of: epoch) >= 1)
                #expect(schedule.decision(of: epoch) <= schedule.last(of: epoch))
                #expect(schedule.newest(after: height) >= schedule.epoch(of: height))
                #expect(schedule.epoch(after: height) >= schedule.epoch(of: height))
                #expect(schedule.newestEnded(after: height) ?? 0 <= schedule.epoch(of: height))
                #expect(!schedule.isFirst(height) || number > 0)
                _ = schedule.isLast(height)
            }
        }
    }

    private var record: EpochRecord {
        EpochRecord(
            epoch: 5, boundary: filled(0xD1),
            validators: [
                Validator(
                    votingKey: filled(0xA1), peerID: filled(0xB1), weight: 7,
                    rewardAddress: filled(0xC1)),
                Validator(
                    votingKey: filled(0xA2), peerID: filled(0xB2), weight: 300,
                    rewardAddress: filled(0xC2)),
            ])
    }

    /// The digest is that of an independent encoder in Python (hashlib).
    @Test func `A record has the frozen bytes and digest`() throws {
        let bytes = record.bcsBytes
        #expect(try EpochRecord(bcs: bytes) == record)
        #expect(bytes.count == 8 + 32 + 1 + 2 * 104)
        #expect(
            record.digest.description
                == "034a25ae4f40d627be6bce6e2619dfca011e8dba20de2b877c9f03afdbc841fe")
        for count in 0..<bytes.count {
            #expect(throws: BCSError.self) { try EpochRecord(bcs: Array(bytes.prefix(count))) }
        }
        #expect(throws: BCSError.self) { try EpochRecord(bcs: bytes + [0]) }
    }

    @Test func `A record without validators, or with too many, is no record`() {
        let none = EpochRecord(epoch: 0, boundary: .zero, validators: [])
        #expect(throws: BCSError.self) { try EpochRecord(bcs: none.bcsBytes) }
        let many = EpochRecord(
            epoch: 0, boundary: .zero,
            validators: Array(repeating: record.validators[0], count: Committee.countMax + 1))
        #expect(throws: BCSError.self) { try EpochRecord(bcs: many.bcsBytes) }
    }

    @Test func `A record makes the committee of its epoch, seeded by the boundary`() throws {
        let committee = try record.committee(chainID: filled(1))
        #expect(committee.epoch == 5 && committee.totalWeight == 307)
        let other = EpochRecord(epoch: 5, boundary: .zero, validators: record.validators)
        #expect(try other.committee(chainID: filled(1)).seed != committee.seed)
        let twice = EpochRecord(
            epoch: 5, boundary: .zero, validators: record.validators + record.validators)
        #expect(throws: Committee.Fault.duplicateKey(2)) {
            try twice.committee(chainID: filled(1))
        }
    }

    @Test func `Weights may sum up to one below 2^60`() throws {
        func committee(_ weights: [UInt64]) throws -> Committee {
            let validators = weights.enumerated().map { place, weight in
                Validator(
                    votingKey: filled(UInt8(place)), peerID: filled(UInt8(place)), weight: weight,
                    rewardAddress: .zero)
            }
            return try Committee(chainID: .zero, epoch: 0, validators: validators)
        }
        #expect(try committee([Committee.totalWeightMax - 1, 1]).totalWeight == (1 << 60) - 1)
        #expect(throws: Committee.Fault.weightOverflow) {
            try committee([Committee.totalWeightMax, 1])
        }
    }
}
