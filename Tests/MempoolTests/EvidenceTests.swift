import Primitives
import TestSupport
import Testing

@testable import Mempool

/// Evidence proves what it should and nothing else: an honest key is never named.
@Suite struct EvidenceTests {
    private struct Case {
        let layout: ShardLayout
        let owner: SecretKey
        let verifier: SecretKey
        let batch: Batch
        let honest: AckEntry
        let index: VerifierIndex
    }

    /// A batch of five of which the second isn't signed, and an honest verifier's ack of it.
    private func makeCase() throws -> Case {
        let network = try MempoolNetwork(seed: 90, bonds: [3])
        let sender = network.sender(ownedBy: 0)
        let shard = network.layout.shard(of: Policy.single(sender.publicKey).address)
        var payments = (0..<5).map { network.transfer(sender, sequence: UInt64($0)) }
        payments[1] = try #require(payments[1].damaged())
        let body = Batch.Body(payments)
        let content = BatchHeader.Content(
            chainID: network.committee.chainID, epoch: 0,
            lane: Lane(shard: shard, term: 0, rank: 0), owner: ValidatorIndex(0), position: 1,
            parent: .zero, transactionRoot: body.tree.root, transactionCount: 5,
            byteLength: UInt32(body.bytes.count), signatureCount: 5, chunkSize: 2,
            expiryHeight: Height(network.layout.settings.expiryBlocks))
        let batch = Batch(
            header: BatchHeader(signing: content, by: network.keys[0]), body: body)
        let index = VerifierIndex(4)
        let verdicts = [ChunkVerdict(chunk: 0, invalid: [1])]
        return Case(
            layout: network.layout, owner: network.keys[0], verifier: network.keys[4],
            batch: batch,
            honest: entry(batch.header, index, 7, verdicts, by: network.keys[4]), index: index)
    }

    private func entry(
        _ header: BatchHeader, _ index: VerifierIndex, _ chunks: UInt32,
        _ verdicts: [ChunkVerdict], by key: SecretKey
    ) -> AckEntry {
        let digest = AckEntry.digest(header, stored: false, chunks: chunks, verdicts: verdicts)
        return AckEntry(
            signer: index, stored: false, chunks: chunks, verdicts: verdicts,
            signature: key.signature(over: digest))
    }

    private func wrongVerdict(_ about: Case, _ entry: AckEntry, _ index: Int) -> Evidence {
        .wrongVerdict(
            Ack(header: about.batch.header, entry: entry), index: UInt32(index),
            about.batch.transactions[index],
            path: about.batch.tree.path(ofChunk: index, size: 1))
    }

    @Test func `an honest verdict can't be held against its signer at any index`() throws {
        let about = try makeCase()
        for index in 0..<5 {
            #expect(wrongVerdict(about, about.honest, index).finding(in: about.layout) == nil)
        }
        #expect(
            Evidence.conflictingAcks(about.batch.header, about.honest, about.honest)
                .finding(in: about.layout) == nil)
    }

    @Test func `every wrong list is proven, whichever way it is wrong`() throws {
        let about = try makeCase()
        let lies: [([ChunkVerdict], Int)] = [
            ([], 1), ([ChunkVerdict(chunk: 0, invalid: [0])], 0),
            ([ChunkVerdict(chunk: 0, invalid: [0, 1])], 0),
            ([ChunkVerdict(chunk: 0, invalid: [1]), ChunkVerdict(chunk: 2, invalid: [4])], 4),
        ]
        for (verdicts, index) in lies {
            let lie = entry(about.batch.header, about.index, 7, verdicts, by: about.verifier)
            let evidence = wrongVerdict(about, lie, index)
            #expect(evidence.finding(in: about.layout)?.offender == about.verifier.publicKey)
            #expect(try Evidence(bcs: evidence.bcsBytes) == evidence)
            let both = Evidence.conflictingAcks(about.batch.header, about.honest, lie)
            #expect(both.finding(in: about.layout)?.id == evidence.finding(in: about.layout)?.id)
        }
        // A chunk that it didn't speak of is no lie.
        let less = entry(about.batch.header, about.index, 6, [], by: about.verifier)
        #expect(wrongVerdict(about, less, 1).finding(in: about.layout) == nil)
    }

    @Test func `no altered byte turns an honest ack into evidence`() throws {
        let about = try makeCase()
        var generator = SeededGenerator(seed: 91)
        let honest =
            (0..<5).map { wrongVerdict(about, about.honest, $0) }
            + [.conflictingAcks(about.batch.header, about.honest, about.honest)]
        for round in 0..<3_000 {
            var bytes = honest[round % honest.count].bcsBytes
            for _ in 0...Int(generator.next() % 3) {
                let place = Int(generator.next() % UInt64(bytes.count))
                bytes[place] ^= UInt8(1 << (generator.next() % 8))
            }
            guard let evidence = try? Evidence(bcs: bytes) else { continue }
            #expect(evidence.finding(in: about.layout) == nil, "round \(round)")
        }
    }

    @Test func `noise and cut bytes are no evidence`() throws {
        let about = try makeCase()
        let lie = entry(about.batch.header, about.index, 7, [], by: about.verifier)
        let whole = wrongVerdict(about, lie, 1).bcsBytes
        for count in 0..<whole.count {
            #expect((try? Evidence(bcs: Array(whole[..<count]))) == nil)
        }
        var generator = SeededGenerator(seed: 92)
        #expect(checkDecoderWithNoise(of: Evidence.self, rounds: 3_000, using: &generator) == [])
    }

    /// The encodings of the eight points whose order divides the cofactor (RFC 8032, section 5.1,
    /// and their forms that aren't canonical), as keys and as R of a signature.
    @Test func `points of small order prove nothing against anybody`() throws {
        let about = try makeCase()
        let small = [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ].compactMap { Hex.decode($0).flatMap { Bytes32($0) } }
        try #require(small.count == 11)
        let lie = [ChunkVerdict]()
        for r in small {
            for s in [Bytes32.zero, small[0], small[4]] {
                let forged = AckEntry(
                    signer: about.index, stored: false, chunks: 7, verdicts: lie,
                    signature: Signature(r: r, s: s))
                #expect(wrongVerdict(about, forged, 1).finding(in: about.layout) == nil)
                #expect(
                    Evidence.conflictingAcks(about.batch.header, about.honest, forged)
                        .finding(in: about.layout) == nil)
            }
        }
        // The honest scalar with each of them for R.
        for r in small {
            let forged = AckEntry(
                signer: about.index, stored: false, chunks: 7, verdicts: lie,
                signature: Signature(r: r, s: about.honest.signature.s))
            #expect(wrongVerdict(about, forged, 1).finding(in: about.layout) == nil)
        }
    }

    @Test func `two headers are evidence only if the owner signed both for one place`() throws {
        let about = try makeCase()
        let header = about.batch.header
        func other(position: UInt64, by key: SecretKey) -> BatchHeader {
            let content = header.content
            return BatchHeader(
                signing: BatchHeader.Content(
                    chainID: content.chainID, epoch: content.epoch, lane: content.lane,
                    owner: content.owner, position: position, parent: content.parent,
                    transactionRoot: .zero, transactionCount: 5, byteLength: 10,
                    signatureCount: 5, chunkSize: 2, expiryHeight: content.expiryHeight),
                by: key)
        }
        func finding(_ second: BatchHeader) -> Evidence.Finding? {
            Evidence.equivocatingOwner(header, second).finding(in: about.layout)
        }
        #expect(finding(header) == nil)
        #expect(finding(other(position: 2, by: about.owner)) == nil)
        #expect(finding(other(position: 1, by: about.verifier)) == nil)
        #expect(finding(other(position: 1, by: about.owner))?.offender == about.owner.publicKey)
    }
}
