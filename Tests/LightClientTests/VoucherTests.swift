import Consensus
import Execution
import LightClient
import Primitives
import ProofSupport
import TestSupport
import Testing

@Suite struct VoucherTests {
    private let fixture: ProofFixture
    private static let month = TransactionLimits.streamValidityMillisecondsMax

    init() throws { fixture = try ProofFixture() }

    private var now: Timestamp { fixture.header().time.clampedAdvance(by: 60_000) }

    private var payer: Address { Policy.single(fixture.payer.publicKey).address }

    private func check(
        _ voucher: Voucher, at time: Timestamp? = nil, ageMax: UInt64 = 3_600_000,
        before: UInt64 = 0, with earlier: [SignedTransaction] = [],
        wanting demand: VoucherCheck.Demand? = nil
    ) throws -> VoucherCheck.Report {
        try VoucherCheck(trusting: fixture.genesis, ageMax: ageMax, before: before)
            .check(voucher, with: earlier, now: time ?? now, wanting: demand)
    }

    private func transaction(
        stream: UInt16 = 7, sequence: UInt64 = 0, validUntil: Timestamp? = nil,
        maxFee: Amount = 5000, cosigners: [Address] = [], chainID: ChainID? = nil,
        _ operations: [Operation]? = nil
    ) -> Transaction {
        Transaction(
            chainID: chainID ?? fixture.genesis.chainID, sender: payer, stream: stream,
            sequence: SequenceNumber(sequence),
            validUntil: validUntil ?? now.clampedAdvance(by: 86_400_000), maxFee: maxFee,
            cosigners: cosigners,
            operations: operations ?? [.transfer(Transfer(to: fixture.payee, amount: 250))])
    }

    private func voucher(_ transaction: Transaction, by key: SecretKey? = nil) throws -> Voucher {
        let proof = try fixture.reader.proof(of: StateKey(.account, payer))
        return Voucher(
            SignedTransaction(signing: transaction, by: [key ?? fixture.payer]),
            reserve: fixture.anchored(.value(proof)))
    }

    private func fault(_ body: () throws -> VoucherCheck.Report) -> VoucherFault? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? VoucherFault
        }
    }

    @Test func `a sound voucher is taken, and the report says what it takes`() throws {
        let sound = try voucher(transaction())
        let report = try check(
            sound, wanting: .init(receiver: fixture.payee, amount: 250))
        let deposit = fixture.genesis.parameters.fees.streamDeposit
        #expect(report.next == 0 && report.age == 60_000 && report.height == 3)
        #expect(report.deposit == deposit && report.needed.rawValue == 5250 + deposit.rawValue)
        #expect(report.feeMin.rawValue == UInt64(sound.transaction.byteCount) + 300)
        // What the check believes, the ledger does.
        var ledger = fixture.ledger
        let verified = try #require(Verified.check(sound.transaction))
        let outcome = try ledger.execute(
            ExecutableBlock(
                height: 4, digest: .zero, time: now, proposer: ValidatorIndex(0),
                batches: [
                    .init(
                        owner: ValidatorIndex(1), period: 0, chunks: [], transactions: [verified])
                ]))
        guard case .executed(let receipt)? = outcome.results.first else {
            Issue.record("\(outcome.results)")
            return
        }
        #expect(receipt.outcome == .success && receipt.fee == report.feeMin)
    }

    @Test func `no voucher with one byte changed, lost or more is taken`() throws {
        let sound = try voucher(transaction())
        let bytes = sound.bcsBytes
        func taken(_ bytes: [UInt8]) -> Bool {
            guard let changed = try? Voucher(bcs: bytes) else { return false }
            return (try? check(changed)) != nil
        }
        #expect(taken(bytes))
        var generator = SeededGenerator(seed: 3)
        for place in bytes.indices {
            for change in [1, 0x80, UInt8(generator.next() % 255 + 1)] {
                var changed = bytes
                changed[place] ^= change
                #expect(!taken(changed), "byte \(place) ^ \(change), seed 3")
            }
            #expect(!taken(Array(bytes[..<place])))
        }
        #expect(!taken(bytes + [0]))
    }

    @Test func `times are held to at their bounds`() throws {
        let end = now.clampedAdvance(by: 5000)
        let short = try voucher(transaction(validUntil: end))
        _ = try check(short, at: end)
        #expect(fault { try check(short, at: end.clampedAdvance(by: 1)) } == .refused(.expired))
        let long = try voucher(transaction(validUntil: now.clampedAdvance(by: Self.month)))
        _ = try check(long)
        let tooLong = try voucher(transaction(validUntil: now.clampedAdvance(by: Self.month + 1)))
        #expect(fault { try check(tooLong) } == .refused(.validTooLong))
        let sound = try voucher(transaction())
        _ = try check(sound, ageMax: 60_000)
        #expect(
            fault { try check(sound, ageMax: 59_999) } == .old(age: 60_000, maximum: 59_999))
        let proven = fixture.header().time
        let early = proven.clampedRetreat(by: VoucherCheck.clockMillisecondsMax)
        _ = try check(sound, at: early)
        #expect(
            fault { try check(sound, at: early.clampedRetreat(by: 1)) }
                == .fromFuture(VoucherCheck.clockMillisecondsMax + 1))
    }

    @Test func `other networks, streams, sequences, signers and deeds are refused`() throws {
        let payee = fixture.payee
        let cases: [(Transaction, VoucherFault)] = [
            (transaction(chainID: .zero), .refused(.wrongChain)),
            (transaction(stream: 0, sequence: 3), .defaultStream),
            (transaction(sequence: 1), .ahead(next: 0, sequence: 1)),
            (transaction(cosigners: [payee]), .cosigners),
            (transaction([.closeStream(7)]), .notPayment),
            (transaction([.setPolicy(.single(fixture.payer.publicKey))]), .notPayment),
            (
                transaction([
                    .transfer(Transfer(to: payee, amount: 250)),
                    .transfer(Transfer(to: payee, amount: 0)),
                ]), .notPayment
            ),
            (transaction(maxFee: 10), .refused(.feeTooLow)),
        ]
        for (transaction, expected) in cases {
            let made = try voucher(transaction)
            #expect(fault { try check(made) } == expected)
        }
        #expect(try check(voucher(transaction(sequence: 2)), before: 2).missing == 2)
        let stranger = try voucher(transaction(), by: ProofFixture.validator(0))
        #expect(fault { try check(stranger) } == .refused(.unknownSigner))
        let bare = Voucher(try voucher(transaction()).transaction, reserve: nil)
        #expect(fault { try check(bare) } == .noReserve)
        let other = try ProofFixture(network: "strange")
        let foreign = Voucher(
            bare.transaction,
            reserve: other.anchored(
                .value(try other.reader.proof(of: StateKey(.account, payer)))))
        guard case .reserve(.otherChain)? = fault({ try check(foreign) }) else {
            Issue.record("a proof of another network")
            return
        }
        let wrong = Voucher(
            bare.transaction,
            reserve: fixture.anchored(
                .value(try fixture.reader.proof(of: StateKey(.account, payee)))))
        #expect(fault { try check(wrong) } == .reserve(.otherQuestion))
    }

    @Test func `a sequence that was used when the proof was made is refused`() throws {
        var fixture = fixture
        try fixture.pay(on: 7)
        let proof = try fixture.reader.proof(of: StateKey(.account, payer))
        let reserve = fixture.anchored(.value(proof))
        let checker = VoucherCheck(trusting: fixture.genesis, ageMax: 3_600_000)
        func made(_ sequence: UInt64) -> Voucher {
            Voucher(
                SignedTransaction(signing: transaction(sequence: sequence), by: [fixture.payer]),
                reserve: reserve)
        }
        #expect(throws: VoucherFault.refused(.sequenceUsed)) {
            try checker.check(made(0), now: now)
        }
        let next = try checker.check(made(1), now: now)
        #expect(next.next == 1 && next.deposit == 0)
    }

    @Test func `all that it can take must have been there, and the right one gets enough`() throws {
        let held = try #require(try fixture.reader.account(payer)).balance(of: .native).rawValue
        let deposit = fixture.genesis.parameters.fees.streamDeposit.rawValue
        func paying(_ amount: UInt64) throws -> Voucher {
            try voucher(
                transaction([.transfer(Transfer(to: fixture.payee, amount: Amount(amount)))]))
        }
        let most = held - 5000 - deposit
        _ = try check(paying(most))
        #expect(
            fault { try check(paying(most + 1)) }
                == .uncovered(asset: .native, needed: Amount(held + 1), held: Amount(held)))
        #expect(
            fault { try check(paying(.max)) }
                == .uncovered(asset: .native, needed: Amount(.max), held: Amount(held)))
        let strange = AssetID(Bytes32.sha256([1]))
        let other = try voucher(
            transaction([.transfer(Transfer(to: fixture.payee, asset: strange, amount: 1))]))
        #expect(fault { try check(other) } == .uncovered(asset: strange, needed: 1, held: 0))
        let sound = try paying(250)
        for (demand, found) in [
            (VoucherCheck.Demand(receiver: fixture.payee, amount: 251), Amount(250)),
            (.init(receiver: payer), 0), (.init(receiver: fixture.payee, asset: strange), 0),
        ] {
            guard
                case .paysOther(demand.asset, found, _)? = fault({
                    try check(sound, wanting: demand)
                })
            else {
                Issue.record("\(demand)")
                continue
            }
        }
    }

    @Test func `who holds an asset that its issuer has frozen can't pay with it`() throws {
        var fixture = try ProofFixture(network: "frozen")
        let asset = try issue(on: &fixture, canFreeze: true)
        for (freeze, isFrozen) in [(nil, false), (true, true), (false, false)] {
            let operation =
                freeze.map {
                    Operation.freeze(Freeze(asset: asset, holder: payer, isFrozen: $0))
                } ?? .mint(Mint(asset: asset, to: payer, amount: 500))
            guard case .executed(let receipt)? = try fixture.run([operation]),
                receipt.outcome == .success
            else {
                Issue.record("\(operation)")
                return
            }
            let proof = try fixture.reader.proof(of: StateKey(.account, payer))
            let reserve = fixture.anchored(.value(proof))
            let paying = Transaction(
                chainID: fixture.genesis.chainID, sender: payer, stream: 7, sequence: 0,
                validUntil: reserve.header.time.clampedAdvance(by: 86_400_000), maxFee: 5000,
                operations: [
                    .transfer(Transfer(to: fixture.payee, asset: asset, amount: 500))
                ])
            let voucher = Voucher(
                SignedTransaction(signing: paying, by: [fixture.payer]), reserve: reserve)
            let check = VoucherCheck(trusting: fixture.genesis, ageMax: 3_600_000)
            let found = fault { try check.check(voucher, now: reserve.header.time) }
            #expect(found == (isFrozen ? .frozen(asset) : nil), "\(operation)")
        }
    }

    /// An asset that the payer issues.
    private func issue(
        on fixture: inout ProofFixture, canFreeze: Bool = false
    ) throws -> AssetID {
        let terms = try AssetTerms(symbol: "TOK", decimals: 2, canFreeze: canFreeze)
        guard case .executed(let issue)? = try fixture.run([.issueAsset(terms)]) else {
            throw Unlimited()
        }
        return try #require(issue.assets.first)
    }

    /// The payer may spend 500 of an asset of its own an hour, and of the native one what is said,
    /// unless the other key signs too.
    /// - Parameter native: Of the deposits for a new stream and for an entry.
    private func limited(
        _ native: (_ stream: UInt64, _ entry: UInt64) -> UInt64
    ) throws -> (ProofFixture, AssetID, SecretKey) {
        var fixture = try ProofFixture(network: "limited")
        let asset = try issue(on: &fixture)
        let other = TestKeys.key(seed: ProofFixture.seed, index: 52)
        let policy = try Policy(
            signers: [fixture.payer, other].map { .init(publicKey: $0.publicKey, weight: 1) },
            spend: 1, admin: 2)
        let fees = fixture.genesis.parameters.fees
        let amount = native(fees.streamDeposit.rawValue, fees.holdingDeposit.rawValue)
        let limits = [(asset, 500), (AssetID.native, amount)].map { asset, amount in
            SpendingLimit(asset: asset, amount: Amount(amount), windowMilliseconds: 3_600_000)
        }
        guard
            case .executed(let receipt)? = try fixture.run([
                .mint(Mint(asset: asset, to: payer, amount: 900)), .setPolicy(policy),
                .setSafeguards(SafeguardTerms(limits: limits.sorted { $0.asset < $1.asset })),
            ]), receipt.outcome == .success
        else { throw Unlimited() }
        return (fixture, asset, other)
    }

    private struct Unlimited: Error {}

    @Test func `whoever opens a stream pays for it, and counts it unless all keys sign`() throws {
        let (fixture, _, other) = try limited { stream, _ in stream - 1 }
        let proof = try fixture.reader.proof(of: StateKey(.account, payer))
        let reserve = fixture.anchored(.value(proof))
        func paying(_ sequence: UInt64, by keys: [SecretKey]) -> Voucher {
            let body = Transaction(
                chainID: fixture.genesis.chainID, sender: payer, stream: 7,
                sequence: SequenceNumber(sequence),
                validUntil: reserve.header.time.clampedAdvance(by: 86_400_000), maxFee: 5000,
                operations: [.transfer(Transfer(to: fixture.payee, amount: 10))])
            return Voucher(SignedTransaction(signing: body, by: keys), reserve: reserve)
        }
        let check = VoucherCheck(trusting: fixture.genesis, ageMax: 3_600_000)
        func found(_ voucher: Voucher, _ earlier: [Voucher] = []) -> VoucherFault? {
            fault {
                try check.check(
                    voucher, with: earlier.map(\.transaction), now: reserve.header.time)
            }
        }
        let (alone, both) = ([fixture.payer], [fixture.payer, other])
        let stream = fixture.genesis.parameters.fees.streamDeposit.rawValue
        #expect(
            found(paying(0, by: alone))
                == .limited(
                    asset: .native, needed: Amount(stream + 10), room: Amount(stream - 1)))
        #expect(found(paying(0, by: both)) == nil)
        #expect(found(paying(1, by: alone), [paying(0, by: both)]) == nil)
    }

    /// Deposits for receivers' entries count too, each once, also of vouchers before it.
    @Test func `the payer's spending limits have room for what vouchers take together`() throws {
        let (fixture, asset, other) = try limited { $0 + 2 * $1 + 10 }
        let proof = try fixture.reader.proof(of: StateKey(.account, payer))
        let reserve = fixture.anchored(.value(proof))
        let receivers =
            [fixture.payee]
            + (60...61).map {
                Policy.single(TestKeys.key(seed: ProofFixture.seed, index: $0).publicKey).address
            }
        func paying(
            _ transfers: [(UInt64, Int, AssetID)], _ sequence: UInt64 = 0, isAdmin: Bool = false
        ) -> Voucher {
            let body = Transaction(
                chainID: fixture.genesis.chainID, sender: payer, stream: 7,
                sequence: SequenceNumber(sequence),
                validUntil: reserve.header.time.clampedAdvance(by: 86_400_000), maxFee: 5000,
                operations: transfers.map {
                    .transfer(Transfer(to: receivers[$1], asset: $2, amount: Amount($0)))
                })
            let keys = [fixture.payer] + (isAdmin ? [other] : [])
            return Voucher(SignedTransaction(signing: body, by: keys), reserve: reserve)
        }
        func isTaken(_ voucher: Voucher, with earlier: [Voucher] = []) -> Bool {
            let check = VoucherCheck(trusting: fixture.genesis, ageMax: 3_600_000)
            let found = fault {
                try check.check(
                    voucher, with: earlier.map(\.transaction), now: reserve.header.time)
            }
            if case .limited? = found { return false }
            #expect(found == nil)
            return found == nil
        }
        let native = AssetID.native
        let two = paying([(1, 0, asset), (1, 1, asset)])
        #expect(isTaken(two))
        #expect(!isTaken(paying([(1, 0, asset), (1, 1, asset), (1, 2, asset)])))
        #expect(isTaken(paying([(1, 0, asset), (1, 2, asset), (10, 1, native)])))
        #expect(!isTaken(paying([(1, 0, asset), (1, 2, asset), (11, 1, native)])))
        #expect(isTaken(paying([(500, 0, asset)])) && !isTaken(paying([(501, 0, asset)])))
        #expect(isTaken(paying([(501, 0, asset), (5000, 1, native)], isAdmin: true)))
        // An entry may go and come back between two vouchers: each counts its own.
        let one = paying([(1, 0, asset)])
        #expect(isTaken(paying([(499, 0, asset), (10, 1, native)], 1), with: [one]))
        #expect(!isTaken(paying([(500, 0, asset)], 1), with: [one]))
        #expect(!isTaken(paying([(1, 0, asset), (11, 1, native)], 1), with: [one]))
        #expect(!isTaken(paying([(1, 0, asset), (1, 1, asset)], 1), with: [one]))
        #expect(isTaken(paying([(10, 1, native)], 1), with: [two]))
        #expect(!isTaken(paying([(1, 0, asset)], 1), with: [two]))
        // Each as it comes, in whatever order they are shown, and whatever the last one takes.
        let three: [(UInt64, Int, AssetID)] = [(1, 0, asset), (1, 1, asset), (1, 2, asset)]
        #expect(!isTaken(paying(three, 1, isAdmin: true), with: [paying(three)]))
        // What doesn't count opens no entries for those behind it.
        let fees = fixture.genesis.parameters.fees
        let rest = fees.streamDeposit.rawValue + 10 - fees.holdingDeposit.rawValue
        let before = paying(three, isAdmin: true)
        #expect(isTaken(paying(three + [(rest, 0, native)], 1), with: [before]))
        #expect(!isTaken(paying(three + [(rest + 1, 0, native)], 1), with: [before]))
        let halves = [paying([(300, 0, asset)]), paying([(201, 0, asset)], 1)]
        for earlier in [halves, halves.reversed()] {
            #expect(!isTaken(paying([(1, 1, native)], 2), with: earlier))
            #expect(!isTaken(paying([(1, 1, native)], 2, isAdmin: true), with: earlier))
        }
        let less = [paying([(300, 0, asset)]), paying([(200, 0, asset)], 1)]
        #expect(isTaken(paying([(1, 1, native)], 2), with: less.reversed()))
        // Whoever passes on one that all keys signed can make it count, if the limit has room.
        let all = paying([(300, 0, asset)], isAdmin: true)
        #expect(isTaken(paying([(200, 0, asset)], 1), with: [all]))
        #expect(!isTaken(paying([(201, 0, asset)], 1), with: [all]))
        #expect(isTaken(paying([(201, 0, asset)], 1, isAdmin: true), with: [all]))
        let tooMuch = paying([(501, 0, asset)], isAdmin: true)
        #expect(isTaken(paying([(201, 0, asset)], 1), with: [tooMuch]))
        // Of two copies the one that the limits bind counts, in whatever order they come.
        let bound = paying([(300, 0, asset)])
        for copies in [[all, bound], [bound, all]] {
            #expect(!isTaken(paying([(201, 0, asset)], 1), with: copies))
        }
    }

    @Test func `what the vouchers before it take counts, and they must be sound`() throws {
        let held = try #require(try fixture.reader.account(payer)).balance(of: .native).rawValue
        let deposit = fixture.genesis.parameters.fees.streamDeposit.rawValue
        func paying(_ amount: UInt64, _ sequence: UInt64) throws -> Voucher {
            try voucher(
                transaction(
                    sequence: sequence,
                    [.transfer(Transfer(to: fixture.payee, amount: Amount(amount)))]))
        }
        let first = try paying(700, 0).transaction
        let second = try paying(90, 1).transaction
        let most = held - deposit - 3 * 5000 - 700 - 90
        for earlier in [[first, second], [second, first, first]] {
            let report = try check(paying(most, 2), with: earlier)
            #expect(report.missing == 0 && report.covers.count == 1)
            #expect(report.covers[0].before == 10_790)
            #expect(report.needed.rawValue == most + 5000 + deposit)
        }
        let third = try paying(most + 1, 2)
        #expect(
            fault { try check(third, with: [first, second]) }
                == .uncovered(asset: .native, needed: Amount(held + 1), held: Amount(held)))
        // Alone it seems covered: the report says that nothing is known.
        #expect(try check(third, before: 2).missing == 2)
        #expect(try check(third, before: 1, with: [second]).missing == 1)
        #expect(fault { try check(third, with: [first]) } == .ahead(next: 0, sequence: 2))
        // Later ones, and itself, say nothing.
        let sound = try paying(5, 1)
        let later = try paying(1, 3).transaction
        #expect(try check(sound, with: [first, later, sound.transaction]).missing == 0)
        // Those that don't go together.
        let rival = try paying(6, 1).transaction
        #expect(fault { try check(sound, with: [first, rival]) } == .twice(1))
        let other = try paying(701, 0).transaction
        #expect(fault { try check(sound, with: [first, other]) } == .twice(0))
        let strange = try voucher(transaction(stream: 8)).transaction
        #expect(fault { try check(sound, with: [strange]) } == .otherStream)
        let forged = SignedTransaction(
            transaction: first.transaction, policies: first.policies,
            authorizations: rival.authorizations)
        #expect(fault { try check(sound, with: [forged]) } == .earlier(0, .signature))
        // Nobody makes a payment look like one of two without the payer's signature.
        for body in [rival.transaction, other.transaction] {
            let made = SignedTransaction(
                transaction: body, authorizations: first.authorizations)
            #expect(
                fault { try check(sound, with: [first, made]) }
                    == .earlier(body.sequence, .signature))
        }
        let expired = try voucher(transaction(validUntil: now.clampedRetreat(by: 1))).transaction
        #expect(
            fault { try check(sound, with: [expired]) } == .earlier(0, .refused(.expired)))
        let closing = try voucher(transaction([.closeStream(7)])).transaction
        #expect(fault { try check(sound, with: [closing]) } == .earlier(0, .notPayment))
    }

    @Test func `what may make a good voucher fail is told`() throws {
        #expect(try check(voucher(transaction())).doubts == [])
        // An asset to others than who asks.
        var fixture = try ProofFixture(network: "doubts", governed: [.holdingDeposit])
        let asset = try issue(on: &fixture)
        try fixture.run([.mint(Mint(asset: asset, to: payer, amount: 900))])
        func doubts(
            for receiver: Address?, of wanted: AssetID? = nil
        ) throws -> [VoucherCheck.Doubt] {
            let proof = try fixture.reader.proof(of: StateKey(.account, payer))
            let reserve = fixture.anchored(.value(proof))
            let paying = Transaction(
                chainID: fixture.genesis.chainID, sender: payer, stream: 7, sequence: 0,
                validUntil: reserve.header.time.clampedAdvance(by: 86_400_000), maxFee: 5000,
                operations: [
                    .transfer(Transfer(to: fixture.payee, asset: asset, amount: 5)),
                    .transfer(Transfer(to: payer, amount: 5)),
                    .transfer(Transfer(to: fixture.payee, amount: 5)),
                ])
            let voucher = Voucher(
                SignedTransaction(signing: paying, by: [fixture.payer]), reserve: reserve)
            return try VoucherCheck(trusting: fixture.genesis, ageMax: 3_600_000).check(
                voucher, now: reserve.header.time,
                wanting: receiver.map { .init(receiver: $0, asset: wanted ?? .native) }
            ).doubts
        }
        #expect(try doubts(for: nil) == [.fees, .receivers])
        #expect(try doubts(for: payer) == [.fees, .receivers])
        #expect(try doubts(for: fixture.payee, of: asset) == [.fees])
        #expect(try doubts(for: fixture.payee, of: nil) == [.fees, .receivers])
        // A recovery that is ready before the voucher expires.
        let delay = fixture.genesis.parameters.safeguards.delayMillisecondsMin
        let guardians = Guardians(
            quorum: try Quorum(
                members: [.init(address: fixture.payee, weight: 1)], threshold: 1),
            delayMilliseconds: delay)
        try fixture.run([.setSafeguards(SafeguardTerms(guardians: guardians))])
        let proposal = RecoveryProposal(
            account: payer, policy: .single(TestKeys.key(seed: 1, index: 1).publicKey))
        let guardian = TestKeys.key(seed: ProofFixture.seed, index: 51)
        guard
            case .executed(let receipt)? = try fixture.run(
                [.proposeRecovery(proposal)], with: guardian), receipt.outcome == .success
        else {
            Issue.record("not executed")
            return
        }
        let start = fixture.ledger.time.clampedAdvance(by: delay)
        #expect(try doubts(for: nil) == [.fees, .receivers, .keys(from: start)])
    }

    @Test func `a voucher comes back from its text and from its code`() throws {
        let sound = try voucher(transaction())
        let network = try NetworkPrefix("opk")
        let text = sound.text(in: network)
        #expect(text.hasPrefix("opkvou1"))
        let read = try CheckedText.decode(text, bytesMax: Voucher.bytesMax)
        #expect(try Voucher(bcs: read.bytes) == sound)
        // With four validators payment and proof fit one code.
        let code = try #require(QRCode(text.uppercased(), level: .low))
        #expect(code.version <= 32, "version \(code.version) for \(text.count) characters")
        let bare = Voucher(sound.transaction, reserve: nil).text(in: network)
        #expect(try #require(QRCode(bare.uppercased(), level: .medium)).version <= 15)
    }

    @Test func `a trusted block takes the place of the genesis for what is anchored in it`() throws
    {
        let key = StateKey(.account, payer)
        let anchored = try #require(voucher(transaction()).reserve)
        let header = anchored.header
        let trusted = Checkpoint(height: header.height, digest: header.digest)
        let proven = try trusted.verify(anchored.bcsBytes, asking: .value(key))
        #expect(
            try proven
                == LightClient(trusting: fixture.genesis).verify(anchored, asking: .value(key)))
        let client = LightClient(trusting: fixture.genesis, through: trusted)
        try trusted.check(proven, by: client)
        for (height, digest) in [
            (header.height, Digest.zero), (header.height.clampedAdvance(by: 1), header.digest),
        ] {
            let other = Checkpoint(height: height, digest: digest)
            #expect(throws: ProofFault.self) {
                try other.verify(anchored.bcsBytes, asking: .value(key))
            }
            #expect(throws: ProofFault.self) { try other.check(proven, by: client) }
        }
        // A later block of the same validators shows nothing of an earlier one.
        let earlier = Checkpoint(height: header.height.clampedRetreat(by: 1), digest: .zero)
        let last = fixture.genesis.epochs.last(of: 0)
        #expect(throws: ProofFault.notThroughTrusted(earlier.height, last: last)) {
            try earlier.check(
                proven, by: LightClient(trusting: fixture.genesis, through: earlier))
        }
        #expect(throws: ProofFault.otherQuestion) {
            try trusted.verify(anchored.bcsBytes, asking: .value(.parameters))
        }
        // Of the header and the claim, no byte may change; signatures aren't needed.
        let bytes = anchored.bcsBytes
        let unsigned = anchored.finalization.bcsBytes.count
        for place in 0..<(bytes.count - unsigned) {
            var changed = bytes
            changed[place] ^= 1
            #expect(throws: ProofFault.self, "byte \(place)") {
                try trusted.verify(changed, asking: .value(key))
            }
        }
    }
}
