import Primitives
import TestSupport
import Testing

/// The wire format against bytes that another implementation made.
@Suite struct WireFixtureTests {
    @Test func `Every operation has the frozen bytes`() throws {
        let escrow = filled(0xE1, as: EscrowID.self)
        try check(.transfer(Transfer(to: filled(0xA1), amount: 1500)), WireFixtures.transfer)
        try check(.setPolicy(try multisig()), WireFixtures.setPolicy)
        try check(.escrowCreate(try fullTerms()), WireFixtures.escrowCreate)
        try check(.escrowCreate(try plainTerms()), WireFixtures.escrowCreatePlain)
        try check(.escrowTopUp(topUp), WireFixtures.escrowTopUp)
        try check(
            .escrowDecide(
                EscrowDecision(
                    escrow: escrow, round: 3, direction: .release, amount: 2500,
                    preimage: Array("offpeak".utf8))),
            WireFixtures.escrowDecide)
        try check(.escrowDispute(escrow), WireFixtures.escrowDispute)
        try check(
            .escrowArbitrate(
                EscrowArbitration(escrow: escrow, round: 4, toPayee: 1000, toPayer: 1500)),
            WireFixtures.escrowArbitrate)
        try check(.unbond(Unbond(key: testKey(1).publicKey, amount: 6000)), WireFixtures.unbond)
        try check(.withdraw(testKey(1).publicKey), WireFixtures.withdraw)
        try check(.closeStream(0x1234), WireFixtures.closeStream)
        try check(.declareCandidate(testKey(1).publicKey), WireFixtures.declareCandidate)
        try check(.withdrawCandidacy(testKey(1).publicKey), WireFixtures.withdrawCandidacy)
        try check(.reportEvidence(Array(0..<200)), WireFixtures.reportEvidence)
    }

    @Test func `Limits, guardians, recoveries and withdrawals have the frozen bytes`() throws {
        let terms = SafeguardTerms(
            limits: [
                SpendingLimit(asset: filled(0xA5), amount: 1, windowMilliseconds: 3_600_000),
                SpendingLimit(amount: 5000, windowMilliseconds: 86_400_000),
            ],
            guardians: Guardians(
                quorum: try quorum([(0xB2, 2), (0xB1, 1)], 2), delayMilliseconds: 604_800_000))
        try check(.setSafeguards(terms), WireFixtures.setSafeguards)
        try check(.setSafeguards(SafeguardTerms()), WireFixtures.setSafeguardsNone)
        try check(
            .proposeRecovery(RecoveryProposal(account: filled(0xA1), policy: try multisig())),
            WireFixtures.proposeRecovery)
        try check(.vetoRecovery(filled(0xA1)), WireFixtures.vetoRecovery)
        try check(.completeRecovery(filled(0xA1)), WireFixtures.completeRecovery)
        try check(
            .escrowWithdrawDecision(EscrowWithdrawal(escrow: filled(0xE1), round: 3)),
            WireFixtures.escrowWithdrawDecision)
    }

    @Test func `A bond has the frozen bytes, its two proofs included`() throws {
        let bond = Bond(
            amount: 7000, chainID: filled(0xCC), sender: filled(0xB1), key: testKey(1),
            peerKey: testKey(2))
        try check(.bond(bond), WireFixtures.bond)
        #expect(bond.isProven(chainID: filled(0xCC), sender: filled(0xB1)))
        #expect(!bond.isProven(chainID: filled(0xCC), sender: filled(0xB2)))
        #expect(!bond.isProven(chainID: filled(0xCD), sender: filled(0xB1)))
    }

    @Test func `Evidence has at most 16 KiB, and its bytes count as signatures in the fee`() throws
    {
        let most = Operation.reportEvidence([UInt8](repeating: 7, count: 16 * 1024))
        #expect(try Operation(bcs: most.bcsBytes) == most)
        #expect(most.signatureCount == 128)
        let over = Operation.reportEvidence([UInt8](repeating: 7, count: 16 * 1024 + 1))
        #expect(throws: BCSError.self) { try Operation(bcs: over.bcsBytes) }
        for (bytes, count) in [(0, 0), (1, 1), (127, 1), (128, 1), (129, 2)] {
            let operation = Operation.reportEvidence([UInt8](repeating: 0, count: bytes))
            #expect(operation.signatureCount == count)
            #expect(try Operation(bcs: operation.bcsBytes) == operation)
        }
    }

    @Test func `A policy opens the frozen address`() throws {
        let single = Policy.single(testKey(1).publicKey).address
        #expect(single.description == WireFixtures.singleAddress)
        #expect(try multisig().address.description == WireFixtures.multiAddress)
    }

    @Test func `Ids have the frozen text`() throws {
        let network = try NetworkPrefix("opk")
        let address = Policy.single(testKey(1).publicKey).address
        #expect(address.text(in: network) == WireFixtures.singleAddressText)
        #expect(testKey(1).publicKey.text(in: network) == WireFixtures.keyText)
    }

    @Test func `A payment has the frozen bytes, id and signature`() throws {
        let policy = Policy.single(testKey(1).publicKey)
        let transaction = Transaction(
            chainID: filled(0xCC), sender: policy.address, sequence: 0,
            validUntil: 1_700_000_000_000, maxFee: 1000,
            operations: [.transfer(Transfer(to: filled(0xA1), amount: 1500))])
        let signed = SignedTransaction(
            signing: transaction, policies: [policy], by: [testKey(1)])
        #expect(Hex.encode(transaction.bcsBytes) == WireFixtures.smallTransaction)
        #expect(transaction.id.description == WireFixtures.smallTransactionID)
        #expect(Hex.encode(signed.bcsBytes) == WireFixtures.smallTransactionSigned)
        #expect(Verified.check(try SignedTransaction(bcs: signed.bcsBytes)) != nil)
    }

    @Test func `A transaction of several signers has the frozen bytes, id and signatures`() throws {
        let policy = try multisig()
        let transaction = Transaction(
            chainID: filled(0xCC), sender: policy.address, stream: 7, sequence: 42,
            validUntil: 1_700_000_000_000, maxFee: Amount(.max), tip: 5,
            cosigners: [filled(0xD2), filled(0xD1)], memo: Array("invoice 17".utf8),
            operations: [
                .transfer(Transfer(to: filled(0xA1), amount: 1500)), .escrowTopUp(topUp),
                .escrowDispute(filled(0xE1)),
            ])
        let signed = SignedTransaction(
            signing: transaction, policies: [policy], by: [testKey(3), testKey(1), testKey(2)])
        #expect(Hex.encode(transaction.bcsBytes) == WireFixtures.largeTransaction)
        #expect(transaction.id.description == WireFixtures.largeTransactionID)
        #expect(Hex.encode(signed.bcsBytes) == WireFixtures.largeTransactionSigned)
        #expect(Verified.check(try SignedTransaction(bcs: signed.bcsBytes)) != nil)
    }

    private func check(_ operation: Operation, _ hex: String) throws {
        #expect(Hex.encode(operation.bcsBytes) == hex)
        #expect(try Operation(bcs: try #require(Hex.decode(hex))) == operation)
    }

    private var topUp: EscrowTopUp { EscrowTopUp(escrow: filled(0xE1), amount: 77) }

    private func multisig() throws -> Policy {
        try Policy(
            signers: [
                Policy.Signer(publicKey: testKey(1).publicKey, weight: 1),
                Policy.Signer(publicKey: testKey(2).publicKey, weight: 2),
                Policy.Signer(publicKey: testKey(3).publicKey, weight: 1),
            ], spend: 2, admin: 3)
    }

    private func quorum(_ members: [(UInt8, UInt16)], _ threshold: UInt32) throws -> Quorum {
        try Quorum(
            members: members.map { Quorum.Member(address: filled($0.0), weight: $0.1) },
            threshold: threshold)
    }

    private func fullTerms() throws -> EscrowTerms {
        EscrowTerms(
            payee: filled(0xA2), amount: 5000, release: try quorum([(0xB2, 2), (0xB1, 1)], 2),
            refund: try quorum([(0xA2, 1)], 1), arbitration: try quorum([(0xC1, 1)], 1),
            hashlock: Hex.decode(WireFixtures.hashlock).flatMap { Bytes32($0) },
            notBefore: 1_700_000_000_000, deadline: 1_700_000_600_000, onDeadline: .refund,
            arbitrationDeadline: 1_700_001_200_000)
    }

    private func plainTerms() throws -> EscrowTerms {
        EscrowTerms(
            payee: filled(0xA2), amount: 5000, release: try quorum([(0xB1, 1)], 1),
            refund: try quorum([(0xA2, 1)], 1), deadline: 1_700_000_600_000,
            onDeadline: .release)
    }
}
