import Consensus
import Primitives
import Testing

/// What a certificate needs to be believed.
@Suite struct CertificateTests {
    private func check(_ certificate: Certificate, _ fixture: Fixture) -> Bool {
        Verified.check(certificate, in: CertificateContext(committee: fixture.committee)) != nil
    }

    @Test func `a quorum is accepted, any one vote less isn't`() throws {
        let fixture = try Fixture()
        let digest = fixture.genesis.digest
        #expect(check(fixture.certificate(.notarize, 1, digest, by: [0, 1, 2, 3]), fixture))
        for missing in 0..<4 {
            let three = (0..<4).filter { $0 != missing }
            #expect(check(fixture.certificate(.notarize, 1, digest, by: three), fixture))
            let two = three.dropFirst()
            #expect(!check(fixture.certificate(.notarize, 1, digest, by: Array(two)), fixture))
        }
    }

    @Test func `weights decide for every remainder of three`() throws {
        for weights in [[3, 3, 3, 1], [4, 3, 3, 1], [4, 4, 3, 1], [7, 1, 1, 1]] {
            let fixture = try Fixture(weights: weights.map(UInt64.init))
            for mask in 1..<16 {
                let signers = (0..<4).filter { mask & 1 << $0 != 0 }
                let sum = signers.reduce(0) { $0 + UInt64(weights[$1]) }
                let certificate = fixture.certificate(.nullify, 1, by: signers)
                #expect(check(certificate, fixture) == (sum >= fixture.committee.quorum))
            }
        }
    }

    @Test func `a signature altered, moved, removed or added is refused`() throws {
        let fixture = try Fixture()
        let good = fixture.certificate(.nullify, 3)
        let (first, rest) = (good.signatures[0], good.signatures.dropFirst())
        let altered = Signature(r: first.r, s: first.r)
        let lists: [[Signature]] = [
            [altered] + rest, Array(good.signatures.reversed()), Array(rest),
            good.signatures + [first], [first] + good.signatures,
        ]
        for signatures in lists {
            let other = Certificate(
                subject: good.subject, signers: good.signers, signatures: signatures)
            #expect(!check(other, fixture))
        }
        #expect(check(good, fixture))
    }

    @Test func `signatures bind kind, view, digest and chain`() throws {
        let fixture = try Fixture()
        let good = fixture.certificate(.notarize, 3, fixture.genesis.digest)
        let subjects = [
            fixture.subject(.finalize, 3, fixture.genesis.digest),
            fixture.subject(.notarize, 4, fixture.genesis.digest),
            fixture.subject(.notarize, 3, fixture.genesis.payloadRoot),
            VoteSubject(kind: .notarize, epoch: 1, view: 3, digest: fixture.genesis.digest),
        ]
        for subject in subjects {
            let other = Certificate(
                subject: subject, signers: good.signers, signatures: good.signatures)
            #expect(!check(other, fixture))
        }
        let chain = ChainID(fixture.genesis.digest.bytes32)
        #expect(
            good.subject.signingDigest(chainID: chain)
                != good.subject.signingDigest(chainID: .zero))
    }

    @Test func `bits beyond the committee or in a longer set are refused`() throws {
        let fixture = try Fixture()
        let good = fixture.certificate(.nullify, 3)
        for bits in [[UInt8(0b1_1110)], [0b1110, 0], []] as [[UInt8]] {
            var writer = BCSWriter()
            writer.append(good.subject)
            writer.appendBytes(bits)
            writer.append(list: good.signatures)
            let other = try Certificate(bcs: writer.bytes)
            #expect(!check(other, fixture))
        }
    }

    @Test func `what the engine holds costs no check, and what it doesn't costs all`() throws {
        let fixture = try Fixture()
        let certificate = fixture.certificate(.nullify, 3)
        let all = CertificateContext(committee: fixture.committee)
        let held = CertificateContext(committee: fixture.committee, held: [certificate.subject])
        let past = CertificateContext(committee: fixture.committee, floor: 3)
        #expect(certificate.signatureClaims(in: all)?.count == 3)
        #expect(certificate.signatureClaims(in: held) == [])
        #expect(certificate.signatureClaims(in: past) == [])
        let response = SyncResponse(blocks: [fixture.genesis], certificate: certificate)
        #expect(ConsensusMessage.syncResponse(response).signatureClaims(in: held)?.count == 3)
    }

    @Test func `a block of somebody who doesn't lead the view is refused`() throws {
        let fixture = try Fixture()
        let block = fixture.block(1, on: fixture.genesis)
        let wrong = BlockHeader(
            chainID: block.chainID, epoch: 0, view: 1, height: 1, parent: block.parent,
            proposer: ValidatorIndex(UInt16((fixture.leader(of: 1) + 1) % 4)), time: block.time,
            executed: block.executed, payloadRoot: block.payloadRoot)
        let context = CertificateContext(committee: fixture.committee)
        let message = fixture.proposal(Block(header: wrong, payload: block.payload))
        #expect(message.signatureClaims(in: context) == nil)
        #expect(fixture.proposal(block).signatureClaims(in: context)?.count == 1)
    }
}
