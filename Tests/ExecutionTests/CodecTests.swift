import Primitives
import TestSupport
import Testing

@testable import Execution

/// What every decoder of bytes must hold to, on one value.
private func checkCodec<Value: BCSCodable & Equatable>(_ value: Value) throws {
    let bytes = value.bcsBytes
    #expect(try Value(bcs: bytes) == value)
    for count in 0..<bytes.count {
        #expect(throws: BCSError.self, "cut to \(count)") {
            try Value(bcs: Array(bytes.prefix(count)))
        }
    }
    #expect(throws: BCSError.self, "trailing byte") { try Value(bcs: bytes + [0]) }
    for bit in 0..<bytes.count * 8 {
        var flipped = bytes
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        // Either refused, or exactly what these bytes mean.
        guard let other = try? Value(bcs: flipped) else { continue }
        #expect(other.bcsBytes == flipped, "bit \(bit)")
    }
}

@Suite struct CodecTests {
    private var account: Account {
        var account = Account(policy: Person(1).policy)
        account.native = 7
        account.setHolding(
            Holding(
                asset: AssetID(Person(2).address.bytes32), amount: 9, deposit: 2, claims: 1,
                isFrozen: true))
        account.use(5, next: 3, at: 70, deposit: 11)
        account.use(0, next: 1, at: 71, deposit: 0)
        account.deposits = 11
        return account
    }

    private var verifier: Verifier {
        var verifier = Verifier(
            peerID: .zero, owner: Person(1).address, rewardAddress: Person(2).address, bonded: 3)
        verifier.releases = [.init(amount: 4, height: 5), .init(amount: 6, height: 7)]
        verifier.offences = 8
        verifier.jailedUntil = 9
        verifier.marks = [.init(id: .zero, expiry: 10)]
        verifier.rewards = 11
        verifier.isCandidate = true
        return verifier
    }

    private func escrow() throws -> Escrow {
        let quorum = try Quorum(
            members: [.init(address: Person(1).address, weight: 1)], threshold: 1)
        let terms = EscrowTerms(
            payee: Person(2).address, amount: 5, release: quorum, refund: quorum,
            arbitration: quorum, hashlock: .sha256([1, 2]), notBefore: 1, deadline: 2,
            arbitrationDeadline: 3)
        var escrow = Escrow(id: .zero, payer: Person(1).address, terms: terms)
        escrow.preimage = [1, 2]
        escrow.decisions = [
            .init(address: .zero, choice: .split(toPayee: 2, toPayer: 3)),
            .init(address: Person(1).address, choice: .refund(1)),
        ].sorted { $0.address < $1.address }
        return escrow
    }

    @Test func `records decode exactly what they encode`() throws {
        try checkCodec(account)
        try checkCodec(try escrow())
        try checkCodec(Totals(balances: 1, supply: 1))
        var asset = Asset(
            issuer: .zero,
            terms: try AssetTerms(symbol: "A1", decimals: 18, cap: 5, canFreeze: true), deposit: 3)
        asset.supply = 2
        try checkCodec(asset)
        try checkCodec(
            Receipt(
                transactionID: .zero, height: 1, index: 2, fee: 3,
                outcome: .failed(operation: 15, .wrongRound), escrows: [.zero],
                assets: [.native]))
        try checkCodec(StateKey(.account, Person(1).address))
        try checkCodec(verifier)
        try checkCodec(EpochBoundary(epoch: 3, block: .hash(.block, [1])))
        try checkCodec(try World().genesis.epochRecord)
        try checkCodec(try World(isBonded: true).genesis.verifiers[0])
        try checkCodec(
            try World(verification: .init(spread: false)).genesis.parameters.verification)
        try checkCodec(try World().genesis.parameters)
    }

    @Test func `a list of releases or marks above its limit is refused`() {
        var many = verifier
        many.releases = (0...8).map { .init(amount: 1, height: Height(UInt64($0))) }
        #expect(throws: BCSError.self) { try Verifier(bcs: many.bcsBytes) }
        many.releases.removeLast()
        #expect(throws: Never.self) { try Verifier(bcs: many.bcsBytes) }
        many.marks = (0...64).map { .init(id: .zero, expiry: Height(UInt64($0))) }
        #expect(throws: BCSError.self) { try Verifier(bcs: many.bcsBytes) }
    }

    @Test func `a node of the tree decodes exactly what it encodes`() throws {
        var node = TreeNode()
        node[3] = .leaf(path: .sha256([1]), hash: .sha256([2]))
        node[15] = .inner(hash: .sha256([3]))
        try checkCodec(node)
    }

    @Test func `a genesis decodes exactly what it encodes`() throws {
        let bytes = try World().genesis.bcsBytes
        for count in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: BCSError.self) { try Genesis(bcs: Array(bytes.prefix(count))) }
        }
        #expect(throws: BCSError.self) { try Genesis(bcs: bytes + [0]) }
        for bit in stride(from: 0, to: bytes.count * 8, by: 5) {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            guard let other = try? Genesis(bcs: flipped) else { continue }
            #expect(other.bcsBytes == flipped, "bit \(bit)")
        }
    }

    @Test func `holdings and streams stay sorted`() throws {
        var generator = SeededGenerator(seed: 5)
        var account = Account()
        var balances: [AssetID: Amount] = [:]
        var streams: [UInt16: SequenceNumber] = [:]
        for _ in 0..<500 {
            let asset = AssetID(Bytes32.sha256([UInt8(generator.next() % 20)]))
            let amount = Amount(generator.next() % 3)
            if amount > 0 {
                account.setHolding(Holding(asset: asset, amount: amount, deposit: 0))
            } else {
                account.removeHolding(of: asset)
            }
            balances[asset] = amount > 0 ? amount : nil
            let stream = UInt16(generator.next() % 30)
            streams[stream] = SequenceNumber(generator.next())
            account.use(stream, next: streams[stream] ?? 0, at: 1, deposit: 2)
        }
        #expect(account.holdings.map(\.asset) == balances.keys.sorted())
        #expect(account.streams.map(\.number) == streams.keys.sorted())
        for (asset, amount) in balances { #expect(account.balance(of: asset) == amount) }
        for (stream, next) in streams { #expect(account.nextSequence(on: stream) == next) }
        #expect(try Account(bcs: account.bcsBytes) == account)
    }

    @Test func `failure codes and skip reasons keep their numbers`() {
        let codes: [(FailureCode, UInt16)] = [
            (.zeroAmount, 1), (.insufficientFunds, 2), (.unknownAsset, 3), (.balanceOverflow, 4),
            (.tooManyAssets, 5), (.samePolicy, 6), (.keyUnusable, 7),
            (.escrowUnknown, 20), (.escrowDisputed, 22),
            (.notParticipant, 23), (.wrongRound, 24), (.amountAboveHeld, 25),
            (.alreadyDecided, 26), (.beforeNotBefore, 27), (.preimageMissing, 28),
            (.preimageWrong, 29), (.preimageUnexpected, 30), (.noArbitration, 31),
            (.notDisputed, 32), (.splitMismatch, 33), (.deadlinePast, 40), (.deadlineTooFar, 41),
            (.arbitrationTerms, 42), (.notBeforeTooLate, 43), (.hashlockDefault, 44),
            (.streamUnknown, 50), (.streamInUse, 51), (.defaultStream, 52),
            (.bondTooSmall, 60), (.proofWrong, 61), (.notBondOwner, 62), (.verifierUnknown, 63),
            (.validatorBond, 64), (.amountAboveBonded, 65), (.tooManyReleases, 66),
            (.nothingDue, 67), (.jailedForGood, 68), (.evidenceInvalid, 70), (.evidenceKnown, 71),
            (.evidenceExpired, 72), (.nothingToSlash, 73), (.symbolReserved, 80),
            (.notIssuer, 81), (.aboveCap, 82), (.nativeAsset, 83), (.notFreezable, 84),
            (.notClawable, 85), (.holdingUnknown, 86), (.assetFrozen, 87),
            (.freezeUnchanged, 88), (.supplyOutstanding, 89), (.depositUnpaid, 90),
            (.notGoverned, 120), (.valueOutOfRange, 121), (.tooManyProposals, 122),
            (.proposalUnknown, 123), (.voteClosed, 124), (.notValidator, 125),
            (.voteUnchanged, 126), (.alreadyCandidate, 130), (.notCandidate, 131),
            (.stillJailed, 132), (.stakeTooSmall, 133),
            (.nothingDecided, 100),
            (.limitExceeded, 101), (.limitWithoutEffect, 102), (.windowOutOfRange, 103),
            (.delayOutOfRange, 104), (.guardianIsSelf, 105), (.guardiansUnreachable, 106),
            (.sameSafeguards, 107), (.noGuardians, 108), (.guardiansTooFew, 109),
            (.recoveryPending, 110), (.noRecovery, 111), (.recoveryTooEarly, 112),
            (.recoveryTooSoon, 113),
        ]
        #expect(codes.count == FailureCode.allCases.count)
        for (code, raw) in codes { #expect(code.rawValue == raw, "\(code.name)") }
    }
}
