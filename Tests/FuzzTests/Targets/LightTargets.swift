import Consensus
import Execution
import Primitives
import ProofSupport

@testable import LightClient

// What somebody is shown who has no node: proofs, steps from epoch to epoch, vouchers; as they are,
// and repaired as those could make them who sign.

extension FuzzTarget {
    static let proof = FuzzTarget(name: "proof", bytesMax: 8 << 10) {
        LightWorld.shared.proofs.map { FuzzSeed($0.name, $0.proof.bcsBytes) }
    } check: { bytes in
        guard let proof = try canonical(AnchoredProof.self, bytes) else { return false }
        let world = LightWorld.shared
        let isTaken = world.isTaken(proof)
        if isTaken {
            try expect(try world.isTrue(proof.claim), "something else is proven")
            let isKnown = world.proofs.contains { $0.proof.header == proof.header }
            try expect(isKnown, "a block is taken that nobody made")
        }
        let repaired = world.repaired(proof)
        if world.isTaken(repaired), repaired.header.executed.stateRoot == world.stateRoot {
            try expect(try world.isTrue(repaired.claim), "something else is proven by liars")
        }
        return isTaken
    }

    static let step = FuzzTarget(name: "step", bytesMax: 8 << 10) {
        LightWorld.shared.steps.enumerated().map { FuzzSeed("epoch-\($0)", $1.bcsBytes) }
    } check: { bytes in
        guard let step = try canonical(EpochStep.self, bytes) else { return false }
        let world = LightWorld.shared
        var isTaken = false
        for client in world.clients {
            guard let next = world.follow(step, from: client) else { continue }
            isTaken = true
            let isKnown = world.steps.contains {
                $0.record == step.record && $0.end.boundary == step.end.boundary
            }
            try expect(isKnown, "a step is taken that nobody made")
            try expect(next.epoch.rawValue == step.epoch.rawValue + 1, "\(next.epoch)")
        }
        let repaired = world.repaired(step)
        for client in world.clients { _ = world.follow(repaired, from: client) }
        return isTaken
    }

    static let voucher = FuzzTarget(name: "voucher", bytesMax: 8 << 10) {
        LightWorld.shared.vouchers.map { FuzzSeed($0.name, $0.voucher.bcsBytes) }
    } check: { bytes in
        guard let voucher = try canonical(Voucher.self, bytes) else { return false }
        let world = LightWorld.shared
        let isTaken = world.isTaken(voucher)
        if isTaken {
            let isKnown = world.vouchers.contains {
                $0.voucher.transaction.id == voucher.transaction.id
            }
            try expect(isKnown, "a voucher is taken that nobody signed")
        }
        let repaired = world.repaired(voucher)
        _ = world.isTaken(repaired)
        _ = world.isTaken(world.vouchers[0].voucher, after: repaired)
        return isTaken
    }
}

/// What light clients know, and what is true for them.
private struct LightWorld: Sendable {
    let proofs: [(name: String, proof: AnchoredProof)]
    let steps: [EpochStep]
    let vouchers: [(name: String, voucher: Voucher)]
    /// Those that know the validators of epoch 0, of epochs 0 and 1 and so on; the last trusts the
    /// end of epoch 1.
    let clients: [LightClient]
    private let fixture: EpochFixture
    private let known: LightClient

    static let shared: LightWorld = {
        do {
            return try LightWorld()
        } catch {
            fatalError("the world of light clients can't be made: \(error)")
        }
    }()

    private init() throws {
        fixture = try EpochFixture()
        steps = fixture.steps
        let genesis = fixture.proofs.genesis
        var clients = [LightClient(trusting: genesis)]
        for step in steps {
            var next = clients[clients.count - 1]
            try next.follow(step)
            clients.append(next)
        }
        known = clients[clients.count - 1]
        let end = fixture.boundaries[1]
        let trusted = Checkpoint(height: end.height, digest: end.digest)
        self.clients = clients + [LightClient(trusting: genesis, through: trusted)]
        proofs = try LightWorld.proofs(fixture)
        vouchers = try LightWorld.vouchers(fixture)
    }

    private static func proofs(
        _ fixture: EpochFixture
    ) throws -> [(name: String, proof: AnchoredProof)] {
        let ledger = fixture.proofs
        let payer = Policy.single(ledger.payer.publicKey).address
        let validator = ProofFixture.validator(1).publicKey
        var keys: [(String, StateKey)] = [
            ("payer", StateKey(.account, payer)), ("payee", StateKey(.account, ledger.payee)),
            ("verifier", StateKey(.verifier, validator)), ("parameters", .parameters),
        ]
        keys.append(("nobody", StateKey(.account, Address(.sha256([1])))))
        keys.append(("no-escrow", StateKey(.escrow, EscrowID(.sha256([2])))))
        keys.append(("no-asset", StateKey(.asset, AssetID(.sha256([3])))))
        var proofs: [(name: String, proof: AnchoredProof)] = []
        for (place, (name, key)) in keys.enumerated() {
            let proof = try ledger.reader.proof(of: key)
            proofs.append((name, fixture.anchored(.value(proof), in: place % 5)))
        }
        for signed in ledger.transactions.prefix(2) {
            guard let proof = try ledger.reader.receiptProof(of: signed.id) else { continue }
            proofs.append(("receipt-\(proofs.count)", fixture.anchored(.receipt(proof), in: 1)))
        }
        if let proof = try ledger.reader.consistencyProof(from: 1, to: 2) {
            proofs.append(("consistency", fixture.anchored(.consistency(proof), in: 2)))
        }
        return proofs
    }

    private static func vouchers(
        _ fixture: EpochFixture
    ) throws -> [(name: String, voucher: Voucher)] {
        let ledger = fixture.proofs
        let payer = Policy.single(ledger.payer.publicKey).address
        let reserve = fixture.anchored(
            .value(try ledger.reader.proof(of: StateKey(.account, payer))), in: 0)
        return (0..<3).map { sequence in
            let transaction = Transaction(
                chainID: ledger.genesis.chainID, sender: payer, stream: 7,
                sequence: SequenceNumber(UInt64(sequence)),
                validUntil: reserve.header.time.clampedAdvance(by: 86_400_000), maxFee: 5000,
                operations: [.transfer(Transfer(to: ledger.payee, amount: 250))])
            let signed = SignedTransaction(signing: transaction, by: [ledger.payer])
            return ("sequence-\(sequence)", Voucher(signed, reserve: reserve))
        }
    }

    var stateRoot: Digest { fixture.proofs.ledger.stateRoot }

    /// Whether the ledger says so too. Of what isn't there a proof may be made into one of
    /// something else that isn't there.
    func isTrue(_ claim: AnchoredProof.Claim) throws -> Bool {
        guard case .value(let proof) = claim else {
            return proofs.contains { $0.proof.claim == claim }
        }
        return try fixture.proofs.reader.proof(of: proof.key).value == proof.value
    }

    func isTaken(_ proof: AnchoredProof) -> Bool {
        let question: LightClient.Question =
            switch proof.claim {
            case .value(let proof): .value(proof.key)
            case .receipt(let proof): .transaction(proof.receipt.transactionID)
            case .consistency(let proof):
                .consistency(from: proof.from.height, to: proof.to.height)
            }
        return (try? known.verify(proof, asking: question)) != nil
    }

    func follow(_ step: EpochStep, from client: LightClient) -> LightClient? {
        var client = client
        do {
            try client.follow(step)
            return client
        } catch {
            _ = error.description
            return nil
        }
    }

    func isTaken(_ voucher: Voucher, after earlier: Voucher? = nil) -> Bool {
        let check = VoucherCheck(known, ageMax: 3_600_000, before: 3)
        let now = vouchers[0].voucher.reserve?.header.time ?? 0
        let prefix = try? NetworkPrefix(fixture.proofs.genesis.prefix)
        do {
            _ = try check.check(
                voucher, with: earlier.map { [$0.transaction] } ?? [], now: now,
                wanting: VoucherCheck.Demand(receiver: fixture.proofs.payee))
            return true
        } catch {
            _ = error.text(in: prefix)
            return false
        }
    }

    /// Its block names the state that it is about, and its epoch's validators have signed it.
    func repaired(_ proof: AnchoredProof) -> AnchoredProof {
        let old = proof.header
        let executed = ExecutedRef(
            height: old.executed.height, stateRoot: proof.claim.root ?? old.executed.stateRoot)
        let header = BlockHeader(
            chainID: fixture.proofs.genesis.chainID, epoch: old.epoch, view: old.view,
            height: old.height, parent: old.parent, proposer: old.proposer, time: old.time,
            executed: executed, payloadRoot: old.payloadRoot, nextSetHash: old.nextSetHash,
            tail: old.tail)
        guard let certificate = signed(header) else { return proof }
        return AnchoredProof(claim: proof.claim, header: header, finalization: certificate)
    }

    /// Its epoch's validators have signed its last block.
    func repaired(_ step: EpochStep) -> EpochStep {
        let end = step.end
        guard let certificate = signed(end.tails.last ?? end.boundary) else { return step }
        var writer = BCSWriter()
        writer.append(end.boundary)
        writer.append(list: end.tails)
        writer.append(certificate)
        guard let end = try? EpochEnd(bcs: writer.bytes) else { return step }
        return EpochStep(end: end, record: step.record)
    }

    private func signed(_ header: BlockHeader) -> Certificate? {
        guard header.epoch.rawValue < UInt64(fixture.records.count) else { return nil }
        return fixture.certificate(header, of: Int(header.epoch.rawValue))
    }

    /// Signed by the payer, with the proof of its account.
    func repaired(_ voucher: Voucher) -> Voucher {
        let signed = SignedTransaction(
            signing: voucher.transaction.transaction, policies: voucher.transaction.policies,
            by: [fixture.proofs.payer])
        return Voucher(signed, reserve: vouchers[0].voucher.reserve)
    }
}
