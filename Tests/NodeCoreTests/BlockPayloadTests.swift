import Mempool
import Primitives
import TestSupport
import Testing

@testable import NodeCore

@Suite struct BlockPayloadTests {
    private func complaints(_ count: Int) throws -> ComplaintCertificate {
        let keys = (0..<4).map { TestKeys.key(seed: 7, index: $0) }
        let committee = try Committee(
            chainID: .zero, epoch: 0,
            validators: keys.map {
                Validator(
                    votingKey: $0.publicKey, peerID: PeerID($0.publicKey), weight: 1,
                    rewardAddress: .zero)
            })
        let lane = Lane(shard: 1, term: 2, rank: 0)
        return ComplaintCertificate(
            lane: lane,
            complaints: (0..<count).map {
                Complaint(
                    lane, at: 5, of: committee, signer: ValidatorIndex(UInt16($0)), key: keys[$0])
            })
    }

    @Test(arguments: 1...4)
    func `a block of nothing but complaints is read as it was written`(count: Int) throws {
        let certificate = try complaints(count)
        #expect(checkDecoder(certificate) == [])
        let payload = BlockPayload([], complaints: [certificate])
        #expect(try BlockPayload(decoding: payload.bytes) == payload)
        let several = BlockPayload([], complaints: [certificate, certificate, certificate])
        #expect(try BlockPayload(decoding: several.bytes) == several)
    }
}
