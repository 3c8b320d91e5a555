import Consensus
import Primitives
import Testing

/// Catching up, claims and bounds.
@Suite struct CatchUpTests {
    private func chain(_ fixture: Fixture, _ count: UInt64) -> [Block] {
        var blocks: [Block] = []
        for view in 1...count {
            blocks.append(fixture.block(View(view), on: blocks.last ?? fixture.genesis))
        }
        return blocks
    }

    /// An engine that knows a finalization of view 100, and a chain of 100 blocks up to it.
    private func behind() throws -> (Fixture, [Block], [ConsensusEffect]) {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        let blocks = chain(fixture, 100)
        let tip = fixture.certificate(.finalize, 100, blocks[99].digest)
        let effects = fixture.deliver(.certificate(tip)) ?? []
        return (fixture, blocks, effects)
    }

    @Test func `a node far behind asks by range and commits what joins`() throws {
        var (fixture, blocks, effects) = try behind()
        #expect(effects.sent.contains(.syncRequest(SyncRequest(from: 1))))
        let middle = fixture.certificate(.finalize, 64, blocks[63].digest)
        let first = SyncResponse(blocks: Array(blocks[..<64]), certificate: middle)
        let after = fixture.deliver(.syncResponse(first)) ?? []
        #expect(after.committed == Array(blocks[..<64]))
        #expect(after.sent.contains(.syncRequest(SyncRequest(from: 65))))
        let last = fixture.certificate(.finalize, 100, blocks[99].digest)
        let rest = SyncResponse(blocks: Array(blocks[64...]), certificate: last)
        #expect(fixture.deliver(.syncResponse(rest))?.committed == Array(blocks[64...]))
        #expect(!fixture.engine.isCatchingUp)
        #expect(fixture.deliver(.syncResponse(first)) == nil)
    }

    @Test func `an answer whose blocks don't join is refused and its sender penalised`() throws {
        let (base, blocks, _) = try behind()
        let certificate = base.certificate(.finalize, 3, blocks[2].digest)
        let other = base.block(2, on: base.genesis, payload: [9])
        let wrong = [
            [blocks[0], blocks[2]], [blocks[0], other, blocks[2]], [blocks[0], blocks[1]],
        ]
        for chain in wrong {
            var fixture = base
            let response = SyncResponse(blocks: chain, certificate: certificate)
            let effects = fixture.deliver(.syncResponse(response), from: 2) ?? []
            #expect(effects.committed.isEmpty)
            #expect(effects.contains(.penalise(fixture.peer(2), .brokenChain)))
        }
    }

    @Test func `an answer with a notarization or too little weight proves nothing`() throws {
        var (fixture, blocks, _) = try behind()
        let notarization = fixture.certificate(.notarize, 1, blocks[0].digest)
        let wrongKind = SyncResponse(blocks: [blocks[0]], certificate: notarization)
        #expect(fixture.deliver(.syncResponse(wrongKind))?.committed == [])
        let light = fixture.certificate(.finalize, 1, blocks[0].digest, by: [1, 2])
        let tooLight = SyncResponse(blocks: [blocks[0]], certificate: light)
        #expect(fixture.deliver(.syncResponse(tooLight)) == nil)
    }

    @Test func `an answer of a view that is over proves nothing without its signatures`() throws {
        for finalized in [0, 1] as [View] {
            var fixture = try Fixture()
            _ = fixture.feed(.start)
            var tip = fixture.genesis
            if finalized > 0 {
                tip = fixture.block(finalized, on: tip)
                let proof = fixture.certificate(.finalize, finalized, tip.digest)
                _ = fixture.deliver(.certificate(proof))
                _ = fixture.deliver(.block(tip))
            }
            for view in [0, finalized] {
                let forged = fixture.block(view, on: tip, payload: [66])
                let light = fixture.certificate(.finalize, view, forged.digest, by: [1])
                let lie = SyncResponse(blocks: [forged], certificate: light)
                #expect(fixture.deliver(.syncResponse(lie)) == nil, "view \(view)")
                // Nor does a quorum's word, which honest validators never give for such a view.
                let heavy = fixture.certificate(.finalize, view, forged.digest)
                let late = SyncResponse(blocks: [forged], certificate: heavy)
                #expect(fixture.deliver(.syncResponse(late))?.committed ?? [] == [])
            }
            #expect(fixture.engine.finalizedHeight == tip.height)
        }
    }

    @Test func `a claimed height moves nothing`() throws {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        let status = Status(epoch: 0, view: View(.max), height: Height(.max), finalization: nil)
        _ = fixture.deliver(.status(status))
        #expect(fixture.engine.view == 1 && fixture.engine.finalizedHeight == 0)
    }

    @Test func `the engine serves what isn't final and hands on what is`() throws {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        let blocks = chain(fixture, 2)
        let final = fixture.certificate(.finalize, 1, blocks[0].digest)
        _ = fixture.deliver(.certificate(final))
        _ = fixture.deliver(.block(blocks[0]))
        let notarization = fixture.certificate(.notarize, 2, blocks[1].digest)
        _ = fixture.deliver(.certificate(notarization))
        _ = fixture.deliver(.block(blocks[1]))
        let open = ConsensusMessage.blockRequest(BlockRequest(epoch: 0, ref: blocks[1].ref))
        #expect(fixture.deliver(open)?.sent == [.block(blocks[1])])
        let closed = ConsensusMessage.blockRequest(BlockRequest(epoch: 0, ref: blocks[0].ref))
        #expect(
            fixture.deliver(closed)?.contains(.serveBlock(fixture.peer(1), blocks[0].digest))
                == true)
        let request = CertificateRequest(epoch: 0, view: 2, want: .any)
        #expect(
            fixture.deliver(.certificateRequest(request))?.sent == [.certificate(notarization)])
    }

    @Test func `requests beyond the allowance are ignored until the next unit of time`() throws {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        let gone = fixture.certificate(.nullify, 1)
        _ = fixture.deliver(.certificate(gone))
        let request = ConsensusMessage.certificateRequest(
            CertificateRequest(epoch: 0, view: 1, want: .nullification))
        var answers = 0
        for _ in 0..<100 { answers += fixture.deliver(request)?.sent.count ?? 0 }
        #expect(answers == Int(ConsensusLimits.requestBurst))
        fixture.now += 50
        #expect(fixture.deliver(request)?.sent.count == 1)
    }

    @Test func `messages outside the window are refused before their signatures are checked`()
        throws
    {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        let digest = fixture.genesis.digest
        let refused: [ConsensusMessage] = [
            .vote(fixture.vote(.notarize, 18, digest, by: 1)),
            .vote(fixture.vote(.notarize, 0, digest, by: 1)),
            .vote(fixture.vote(.notarize, View(.max), digest, by: 1)),
            .certificate(fixture.certificate(.notarize, View(.max), digest)),
            .certificate(fixture.certificate(.finalize, 0, digest)),
            .block(fixture.block(1, on: fixture.genesis)),
            fixture.proposal(fixture.block(18, on: fixture.genesis)),
        ]
        for message in refused {
            #expect(!fixture.engine.wants(message, from: fixture.peer(1)), "\(message)")
        }
        let last = fixture.vote(.notarize, 17, digest, by: 1)
        #expect(fixture.engine.wants(.vote(last), from: fixture.peer(1)))
    }

    @Test func `a flood of votes and proposals stays within its bounds`() throws {
        var fixture = try Fixture()
        _ = fixture.feed(.start)
        // A proposal under the own key would stop the engine.
        for view in 1...40 where fixture.leader(of: View(UInt64(view))) != 0 {
            for payload in 0..<6 {
                let block = fixture.block(
                    View(UInt64(view)), on: fixture.genesis, payload: [UInt8(payload)])
                _ = fixture.deliver(fixture.proposal(block))
                _ = fixture.deliver(
                    .vote(fixture.vote(.notarize, View(UInt64(view)), block.digest, by: 3)))
            }
        }
        #expect(fixture.engine.liveRecords.count <= 17, "one block for each view that may come")
    }
}
