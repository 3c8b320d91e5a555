import Consensus
import Primitives
import TestSupport
import Testing

/// Bytes of others: an error or the same value, never a trap.
@Suite struct DecoderTests {
    /// One message of each kind.
    private func messages() throws -> [ConsensusMessage] {
        let fixture = try Fixture()
        let block = fixture.block(1, on: fixture.genesis, payload: [1, 2, 3])
        let certificate = fixture.certificate(.finalize, 1, block.digest)
        let skip = fixture.certificate(.nullify, 2)
        let child = fixture.block(3, on: block)
        return [
            fixture.proposal(child, parentCertificate: certificate, skips: [skip]),
            .vote(fixture.vote(.nullify, 5, by: 2)), .certificate(certificate),
            .status(Status(epoch: 0, view: 3, height: 1, finalization: certificate)),
            .certificateRequest(CertificateRequest(epoch: 0, view: 3, want: .any)),
            .blockRequest(BlockRequest(epoch: 0, ref: block.ref)), .block(block),
            .syncRequest(SyncRequest(from: 7)),
            .syncResponse(SyncResponse(blocks: [block], certificate: certificate)),
            .recoveryRequest(RecoveryRequest(epoch: 0, record: RecordID(low: 1, high: 2))),
            .recoveryAnswer(
                RecoveryAnswer(
                    epoch: 0, record: RecordID(low: 1, high: 2), isFirst: true, view: 2,
                    entry: certificate, newest: fixture.vote(.nullify, 3, by: 1))),
        ]
    }

    @Test func `every message survives its encoding`() throws {
        for message in try messages() {
            #expect(try ConsensusMessage(bcs: message.bcsBytes) == message)
        }
    }

    @Test func `an answer of as many empty blocks as are allowed is read`() throws {
        let fixture = try Fixture()
        var blocks: [Block] = []
        var parent = fixture.genesis
        for view in 1...ConsensusLimits.syncBlocksMax {
            parent = fixture.block(View(UInt64(view)), on: parent, payload: [])
            blocks.append(parent)
        }
        let certificate = fixture.certificate(
            .finalize, View(UInt64(ConsensusLimits.syncBlocksMax)), parent.digest)
        let message = ConsensusMessage.syncResponse(
            SyncResponse(blocks: blocks, certificate: certificate))
        #expect(try ConsensusMessage(bcs: message.bcsBytes) == message)
    }

    @Test func `a message cut at any byte or with one more is refused`() throws {
        for message in try messages() {
            let bytes = message.bcsBytes
            for length in bytes.indices {
                #expect(throws: BCSError.self) {
                    try ConsensusMessage(bcs: Array(bytes.prefix(length)))
                }
            }
            #expect(throws: BCSError.self) { try ConsensusMessage(bcs: bytes + [0]) }
        }
    }

    @Test func `a message with any bit flipped is refused or is another value`() throws {
        for message in try messages() {
            let bytes = message.bcsBytes
            for place in bytes.indices {
                for bit in 0..<8 {
                    var altered = bytes
                    altered[place] ^= 1 << UInt8(bit)
                    guard let other = try? ConsensusMessage(bcs: altered) else { continue }
                    #expect(other.bcsBytes == altered)
                    #expect(other != message, "byte \(place), bit \(bit)")
                }
            }
        }
    }

    @Test func `random bytes never trap`() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<300, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if !bytes.isEmpty { bytes[0] %= 10 }
            _ = try? ConsensusMessage(bcs: bytes)
            _ = try? JournalRecord(bcs: bytes)
            _ = try? Evidence(bcs: bytes)
        }
    }

    @Test func `lengths beyond the bounds are refused before anything is allocated`() throws {
        let fixture = try Fixture()
        let block = fixture.block(1, on: fixture.genesis)
        let header = block.header.bcsBytes
        let payloads: [[UInt8]] = [
            [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x81, 0x80, 0x40], [0x81, 0x80, 0x00],
        ]
        for length in payloads {
            #expect(throws: BCSError.self) { try Block(bcs: header + length + [7]) }
        }
        let other = header + [1, 8]
        #expect(throws: BCSError.self) { try Block(bcs: other) }
    }

    @Test func `records of the journal survive their encoding, cut ones are refused`() throws {
        let fixture = try Fixture()
        let block = fixture.block(1, on: fixture.genesis)
        let records: [JournalRecord] = [
            .vote(fixture.vote(.notarize, 1, block.digest, by: 0)), .block(block),
            .certificate(fixture.certificate(.notarize, 1, block.digest)), .floor(300),
            .introduced(ValidatorIndex(2), RecordID(low: 1, high: 2)),
        ]
        for record in records {
            let bytes = record.bcsBytes
            #expect(try JournalRecord(bcs: bytes) == record)
            #expect(bytes.first == record.type)
            for length in bytes.indices {
                #expect(throws: BCSError.self) {
                    try JournalRecord(bcs: Array(bytes.prefix(length)))
                }
            }
        }
    }

    @Test func `a vote's digest is zero exactly if it nullifies`() throws {
        let fixture = try Fixture()
        let nullify = fixture.vote(.nullify, 1, by: 1).bcsBytes
        #expect(throws: BCSError.self) { try Vote(bcs: [0] + nullify.dropFirst()) }
        let notarize = fixture.vote(.notarize, 1, fixture.genesis.digest, by: 1).bcsBytes
        #expect(throws: BCSError.self) { try Vote(bcs: [1] + notarize.dropFirst()) }
    }
}
