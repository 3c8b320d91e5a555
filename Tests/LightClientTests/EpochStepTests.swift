import Consensus
import Execution
import LightClient
import Primitives
import ProofSupport
import TestSupport
import Testing

@Suite struct EpochStepTests {
    private let fixture: EpochFixture
    private let genesis: Genesis

    init() throws {
        fixture = try EpochFixture()
        genesis = fixture.proofs.genesis
    }

    /// A client that has followed so many steps.
    private func client(after steps: Int) throws -> LightClient {
        var client = LightClient(trusting: genesis)
        for step in fixture.steps.prefix(steps) { try client.follow(step.bcsBytes) }
        return client
    }

    private func parameters(in epoch: Int, height: Height? = nil) throws -> AnchoredProof {
        fixture.anchored(
            .value(try fixture.proofs.reader.proof(of: .parameters)), in: epoch, height: height)
    }

    /// Why a step isn't one that a client goes on with; nil if it is.
    private func fault(_ step: EpochStep, after steps: Int) throws -> StepFault? {
        var client = try client(after: steps)
        do throws(ProofFault) {
            try client.follow(step)
            return nil
        } catch {
            guard case .step(client.epoch, let fault) = error else {
                Issue.record("\(error)")
                return nil
            }
            // It knows what it knew.
            #expect(client.epoch.rawValue == UInt64(steps))
            for (place, next) in fixture.steps.enumerated().dropFirst(steps) {
                try client.follow(next)
                #expect(client.epoch.rawValue == UInt64(place + 1))
            }
            return fault
        }
    }

    @Test func `whoever knows genesis alone follows validators that all change, each time`() throws
    {
        let keys = fixture.records.map { Set($0.validators.map(\.votingKey)) }
        for (epoch, set) in keys.enumerated() {
            for later in keys.dropFirst(epoch + 1) { #expect(set.isDisjoint(with: later)) }
        }
        var client = LightClient(trusting: genesis)
        for (place, step) in fixture.steps.enumerated() {
            #expect(client.epoch.rawValue == UInt64(place))
            try client.follow(step.bcsBytes)
        }
        #expect(client.epoch == 4)
        for (place, record) in fixture.records.enumerated() {
            let height = genesis.epochs.first(of: Epoch(UInt64(place)))
            #expect(client.committee(at: height)?.validators == record.validators)
            let last = genesis.epochs.last(of: Epoch(UInt64(place)))
            #expect(client.committee(at: last)?.validators == record.validators)
        }
        #expect(client.committee(at: genesis.epochs.first(of: 5)) == nil)
    }

    /// The last block of an epoch.
    private func checkpoint(_ epoch: Int) -> Checkpoint {
        Checkpoint(
            height: fixture.boundaries[epoch].height, digest: fixture.boundaries[epoch].digest)
    }

    /// Steps of a second chain from the same genesis, signed by the validators of epoch 0.
    private func forgedSteps() -> [EpochStep] {
        let second = EpochRecord(
            epoch: 1, boundary: .zero, validators: fixture.records[4].validators)
        let block = EpochFixture.boundary(genesis, epoch: 0, naming: second)
        let third = EpochRecord(
            epoch: 2, boundary: block.digest, validators: fixture.records[4].validators)
        let next = EpochFixture.boundary(genesis, epoch: 1, naming: third)
        return [
            fixture.step(0, block, second), fixture.step(1, next, [], third, of: 4),
        ]
    }

    @Test func `old validators' second chain isn't followed past a trusted block`() throws {
        let forged = forgedSteps()
        var naive = LightClient(trusting: genesis)
        for step in forged { try naive.follow(step) }
        #expect(naive.epoch == 2)
        for trusted in [0, 1] {
            let checkpoint = checkpoint(trusted)
            var client = LightClient(trusting: genesis, through: checkpoint)
            for step in forged[..<trusted] { try client.follow(step) }
            #expect(
                throws: ProofFault.step(
                    Epoch(UInt64(trusted)), .notTrusted(checkpoint.height))
            ) { try client.follow(forged[trusted]) }
            #expect(!client.hasPassed(checkpoint))
            var honest = LightClient(trusting: genesis, through: checkpoint)
            for step in fixture.steps { try honest.follow(step) }
            #expect(honest.hasPassed(checkpoint) && honest.epoch == 4)
            #expect(!honest.hasPassed(self.checkpoint(2)))
        }
    }

    @Test func `proofs after a trusted block hold by steps through it, or from it on`() throws {
        let trusted = checkpoint(1)
        func fault(_ client: LightClient, _ epoch: Int) throws -> ProofFault? {
            let proof = try parameters(in: epoch)
            do throws(ProofFault) {
                let proven = try client.verify(proof, asking: .value(.parameters))
                try trusted.check(proven, by: client)
                return nil
            } catch {
                return error
            }
        }
        var through = LightClient(trusting: genesis, through: trusted)
        for step in fixture.steps[..<1] { try through.follow(step) }
        guard case .otherEpoch? = try fault(through, 2) else {
            Issue.record("epoch 2 isn't known yet")
            return
        }
        for step in fixture.steps[1...] { try through.follow(step) }
        var from = LightClient(trusting: genesis, through: trusted)
        for step in fixture.steps[1...] { try from.follow(step.bcsBytes) }
        for client in [through, from] {
            #expect(client.epoch == 4 && client.hasPassed(trusted))
            for epoch in 2...4 { #expect(try fault(client, epoch) == nil, "\(epoch)") }
            for epoch in 0...1 {
                let height = fixture.header(epoch).height
                #expect(
                    try fault(client, epoch)
                        == .otherBlock(found: height, wanted: trusted.height))
            }
        }
        #expect(from.committee(at: genesis.epochs.first(of: 1)) == nil)
        // Without a trusted block no step may be left out, nor with another one.
        for checkpoint in [nil, checkpoint(0), Checkpoint(height: trusted.height, digest: .zero)] {
            var client = LightClient(trusting: genesis, through: checkpoint)
            #expect(throws: ProofFault.step(0, .otherEpoch(1))) {
                try client.follow(fixture.steps[1])
            }
        }
        // The trusted block itself must be an epoch's last, and name these validators.
        let other = fixture.step(1, fixture.boundaries[1], fixture.records[3])
        var client = LightClient(trusting: genesis, through: trusted)
        #expect(throws: ProofFault.step(0, .otherCommittee)) { try client.follow(other) }
        let early = EpochFixture.boundary(
            genesis, epoch: 1, naming: fixture.records[2],
            height: trusted.height.clampedRetreat(by: 1))
        client = LightClient(
            trusting: genesis, through: Checkpoint(height: early.height, digest: early.digest))
        #expect(
            throws: ProofFault.step(
                0, .otherHeight(found: early.height, wanted: trusted.height))
        ) { try client.follow(fixture.step(1, early, fixture.records[2])) }
        let strange = try EpochFixture(network: "others")
        let block = strange.boundaries[1]
        client = LightClient(
            trusting: genesis, through: Checkpoint(height: block.height, digest: block.digest))
        #expect(throws: ProofFault.self) { try client.follow(strange.step(1)) }
    }

    @Test func `a receipt of the trusted height must be of the trusted block`() throws {
        let id = fixture.proofs.transactions[1].id
        let proof = try #require(try fixture.proofs.reader.receiptProof(of: id))
        for (digest, holds) in [
            (Digest.hash(.block, Height(2).bcsBytes), true), (.zero, false),
        ] {
            let checkpoint = Checkpoint(height: 2, digest: digest)
            let client = LightClient(trusting: genesis, through: checkpoint)
            let proven = try client.verify(
                fixture.anchored(.receipt(proof), in: 0), asking: .transaction(id))
            let fault = #expect(throws: ProofFault.self) {
                try checkpoint.check(proven, by: client)
            }
            let last = genesis.epochs.last(of: 0)
            #expect(
                fault
                    == (holds
                        ? .notThroughTrusted(2, last: last) : .otherBlock(found: 2, wanted: 2)))
        }
    }

    @Test func `proofs of every epoch are believed once the steps there are followed`() throws {
        for known in 0...fixture.steps.count {
            let client = try client(after: known)
            for epoch in 0...fixture.steps.count {
                let proof = try parameters(in: epoch)
                guard epoch > known else {
                    let proven = try client.verify(
                        proof.bcsBytes, asking: .value(.parameters))
                    #expect(proven.fact == .parameters(genesis.parameters))
                    #expect(proven.blockHeight == proof.header.height)
                    continue
                }
                let fault = ProofFault.otherEpoch(
                    found: Epoch(UInt64(epoch)), known: Epoch(UInt64(known)))
                #expect(throws: fault) {
                    _ = try client.verify(proof, asking: .value(.parameters))
                }
                #expect(fault.description.contains("offpeak query epochs"))
            }
        }
    }

    @Test func `validators of one epoch have no say in another`() throws {
        let client = try client(after: 4)
        let claim = AnchoredProof.Claim.value(try fixture.proofs.reader.proof(of: .parameters))
        for epoch in 0...4 {
            for signing in 0...4 where signing != epoch {
                let proof = fixture.anchored(claim, in: epoch, signing: signing)
                #expect(throws: ProofFault.noQuorum, "\(signing) in \(epoch)") {
                    _ = try client.verify(proof, asking: .value(.parameters))
                }
            }
        }
        // Nor in its heights: what the old ones sign later is of their epoch, or of none.
        let heights = genesis.epochs
        for height in [heights.last(of: 0), heights.first(of: 2), 0, Height(.max)] {
            let proof = try parameters(in: 1, height: height)
            #expect(throws: ProofFault.outsideEpoch(height, 1)) {
                _ = try client.verify(proof, asking: .value(.parameters))
            }
        }
        for height in [heights.first(of: 1), heights.last(of: 1)] {
            _ = try client.verify(
                try parameters(in: 1, height: height), asking: .value(.parameters))
        }
    }

    @Test func `no step with one byte changed, lost or more is followed`() throws {
        var generator = SeededGenerator(seed: 21)
        for epoch in fixture.steps.indices {
            let bytes = fixture.step(epoch).bcsBytes
            let before = try client(after: epoch)
            func isFollowed(_ bytes: [UInt8]) -> Bool {
                var client = before
                return (try? client.follow(bytes)) != nil
            }
            #expect(isFollowed(bytes))
            for place in bytes.indices {
                for change in [1, 0x80, UInt8(generator.next() % 255 + 1)] {
                    var changed = bytes
                    changed[place] ^= change
                    #expect(!isFollowed(changed), "\(epoch): byte \(place) ^ \(change), seed 21")
                }
                var shorter = bytes
                shorter.remove(at: place)
                #expect(!isFollowed(shorter), "\(epoch): byte \(place) lost")
                #expect(!isFollowed(Array(bytes[..<place])), "\(epoch): \(place) bytes")
            }
            #expect(!isFollowed(bytes + [0]))
        }
    }

    @Test func `steps that are left out, repeated or in another order are refused`() throws {
        for (place, step) in fixture.steps.enumerated() {
            for known in 0...fixture.steps.count {
                let found = try fault(step, after: known)
                #expect(found == (known == place ? nil : .otherEpoch(step.epoch)))
            }
        }
    }

    @Test func `a step of another chain is refused`() throws {
        let other = try EpochFixture(network: "others")
        let chains = (found: other.proofs.genesis.chainID, wanted: genesis.chainID)
        #expect(
            try fault(other.step(0), after: 0)
                == .otherChain(found: chains.found, wanted: chains.wanted))
        // This chain's block with votes that were given in the other.
        let own = fixture.step(0)
        let end = EpochEnd(
            boundary: fixture.boundaries[0], tails: [],
            certificate: other.certificate(own.end.boundary, of: 0))
        #expect(try fault(EpochStep(end: end, record: own.record), after: 0) == .noQuorum)
    }

    @Test func `only a quorum of the epoch's own validators ends it`() throws {
        func signed(_ signers: [Int], of epoch: Int, kind: VoteKind = .finalize) -> EpochStep {
            fixture.step(
                0, fixture.boundaries[0], fixture.records[1], by: signers, of: epoch, kind: kind)
        }
        #expect(try fault(signed([0, 1, 3], of: 0), after: 0) == nil)
        #expect(try fault(signed([0, 3], of: 0), after: 0) == .noQuorum)
        // Those of the next epoch name themselves.
        #expect(try fault(signed([0, 1, 2, 3], of: 1), after: 0) == .noQuorum)
        #expect(try fault(signed([0, 1, 3], of: 0, kind: .notarize), after: 0) == .notLinked)
        // With 10 + 11 + 12 + 13 = 46 in epoch 1, 31 is a quorum.
        for (signers, expected) in [([1, 2], StepFault?.some(.noQuorum)), ([0, 1, 2], nil)] {
            let step = fixture.step(
                1, fixture.boundaries[1], fixture.records[2], by: signers)
            #expect(try fault(step, after: 1) == expected)
        }
    }

    @Test func `a committee that the block doesn't name is refused`() throws {
        let true1 = fixture.records[1]
        func record(
            epoch: Epoch = 1, boundary: Digest = .zero, _ validators: [Validator]? = nil
        ) -> EpochRecord {
            EpochRecord(
                epoch: epoch, boundary: boundary, validators: validators ?? true1.validators)
        }
        var weights = true1.validators
        weights[2] = Validator(
            votingKey: weights[2].votingKey, peerID: weights[2].peerID,
            weight: weights[2].weight + 1, rewardAddress: weights[2].rewardAddress)
        for other in [
            record(genesis.epochRecord.validators), record(weights),
            record(true1.validators.reversed()), record(true1.validators.dropLast()),
            record(epoch: 2), record(boundary: .hash(.block, [1])), fixture.records[2],
        ] {
            let step = fixture.step(0, fixture.boundaries[0], other)
            #expect(try fault(step, after: 0) == .otherCommittee)
        }
        // What no honest quorum names: it wouldn't be a committee, or not that of the next epoch.
        let twice = true1.validators + [true1.validators[0]]
        for (other, expected) in [
            (record(epoch: 2), StepFault.committeeOfOtherEpoch(2)),
            (record(epoch: 0), .committeeOfOtherEpoch(0)),
            (record(boundary: .hash(.block, [1])), .otherBoundary),
            (record(twice), .invalidCommittee(.duplicateKey(4))),
        ] {
            let boundary = EpochFixture.boundary(genesis, epoch: 0, naming: other)
            #expect(try fault(fixture.step(0, boundary, other), after: 0) == expected)
        }
        // From the third epoch on a committee stands on the block that ended the one before.
        let detached = EpochRecord(
            epoch: 3, boundary: fixture.boundaries[0].digest,
            validators: fixture.records[3].validators)
        let boundary = EpochFixture.boundary(genesis, epoch: 2, naming: detached)
        #expect(try fault(fixture.step(2, boundary, detached), after: 2) == .otherBoundary)
    }

    @Test func `only what leads from the epoch's last block to a finalized one ends it`() throws {
        let record = fixture.records[1]
        let block = fixture.boundaries[0]
        let last = genesis.epochs.last(of: 0)
        for height in [last.clampedRetreat(by: 1), last.clampedAdvance(by: 1), 0, Height(.max)] {
            let other = EpochFixture.boundary(genesis, epoch: 0, naming: record, height: height)
            #expect(
                try fault(fixture.step(0, other, record), after: 0)
                    == .otherHeight(found: height, wanted: last))
        }
        let unnamed = EpochFixture.boundary(genesis, epoch: 0, naming: nil)
        let unsigned = EpochFixture.boundary(genesis, epoch: 0, naming: record, view: 0)
        for other in [unnamed, unsigned] {
            #expect(try fault(fixture.step(0, other, record), after: 0) == .notLinked)
        }
        let tail = EpochFixture.tail(of: block)
        let second = EpochFixture.tail(of: tail)
        #expect(try fault(fixture.step(0, block, [tail, second], record), after: 0) == nil)
        let ordinary = EpochFixture.tail(of: block, tail: false)
        for tails in [[second], [second, tail], [ordinary], [tail, tail], [tail, ordinary]] {
            let step = fixture.step(0, block, tails, record)
            #expect(try fault(step, after: 0) == .notLinked, "\(tails.map(\.view))")
        }
    }

    @Test func `steps decode from their own encoding alone`() {
        for step in fixture.steps { #expect(checkDecoder(step) == []) }
    }

    @Test func `a voucher's reserve of a later epoch is taken by whoever followed`() throws {
        let proofs = fixture.proofs
        let payer = Policy.single(proofs.payer.publicKey).address
        let claim = AnchoredProof.Claim.value(
            try proofs.reader.proof(of: StateKey(.account, payer)))
        let reserve = fixture.anchored(claim, in: 2)
        let now = reserve.header.time.clampedAdvance(by: 60_000)
        let transaction = Transaction(
            chainID: genesis.chainID, sender: payer, stream: 7, sequence: 0,
            validUntil: now.clampedAdvance(by: 86_400_000), maxFee: 5000, cosigners: [],
            operations: [.transfer(Transfer(to: proofs.payee, amount: 250))])
        let voucher = Voucher(
            SignedTransaction(signing: transaction, by: [proofs.payer]), reserve: reserve)
        let unknown = VoucherCheck(trusting: genesis, ageMax: 3_600_000)
        #expect(throws: VoucherFault.reserve(.otherEpoch(found: 2, known: 0))) {
            _ = try unknown.check(voucher, now: now)
        }
        let known = VoucherCheck(try client(after: 2), ageMax: 3_600_000)
        #expect(try known.check(voucher, now: now).age == 60_000)
    }
}
