import Primitives
import TestSupport

@testable import Execution

/// Transactions as many people might send them: mostly sound, often not.
struct RandomTraffic {
    var generator: SeededGenerator
    let people: [Person]
    let secret: [UInt8] = [1, 2, 3]
    /// The escrow that the next transaction is about.
    private var focus: EscrowID?
    /// The guarded account that it is about.
    var ward: Address?
    /// Keys of verifiers, and of validators that shall be slashed.
    let verifiers: [Person]
    let validators: [Person]

    init(seed: UInt64, people: [Person], verifiers: [Person], validators: [Person]) {
        generator = SeededGenerator(seed: seed)
        self.people = people
        self.verifiers = verifiers
        self.validators = validators
    }

    mutating func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
    mutating func person() -> Person { people[below(people.count)] }

    mutating func amount(around middle: UInt64) -> Amount {
        switch below(20) {
        case 0: 0
        case 1: Amount(.max)
        case 2: Amount(generator.next())
        case 3...6: Amount(middle)
        default: Amount(generator.next() % (middle + 1))
        }
    }

    private mutating func quorum() throws -> Quorum {
        let members = Set((0...below(3)).map { _ in person().address }).sorted().map {
            Quorum.Member(address: $0, weight: UInt16(below(3) + 1))
        }
        let weight = members.reduce(0) { $0 + Int($1.weight) }
        return try Quorum(members: members, threshold: UInt32(below(weight) + 1))
    }

    private mutating func terms(_ model: NaiveLedger) throws -> EscrowTerms {
        let time = model.time
        let deadline = time + UInt64(below(30_000))
        let arbitration = chance(60) ? try quorum() : nil
        let isLocked = chance(25)
        return EscrowTerms(
            payee: person().address, asset: asset(model, nativePercent: 60),
            amount: amount(around: 5000), release: try quorum(),
            refund: try quorum(), arbitration: arbitration,
            hashlock: isLocked ? .sha256(secret) : nil,
            notBefore: chance(20) ? Timestamp(time.advanced(by: -100)) : nil,
            deadline: Timestamp(deadline),
            onDeadline: !isLocked && chance(50) ? .release : .refund,
            arbitrationDeadline: arbitration == nil ? nil : Timestamp(deadline + 10_000))
    }

    private mutating func operation(_ model: NaiveLedger) throws -> Operation {
        guard let focus, chance(90) else {
            if chance(30) { return .escrowCreate(try terms(model)) }
            let asset = asset(model, nativePercent: 50)
            let middle: UInt64 = asset == .native ? 3000 : 300
            return .transfer(
                Transfer(to: person().address, asset: asset, amount: amount(around: middle)))
        }
        let id = chance(97) ? focus : EscrowID(.sha256([UInt8(below(9))]))
        let trust = model.trusts[id]
        let held = trust?.held ?? 5
        let round = (trust?.round ?? 0) &+ (chance(95) ? 0 : 1)
        if trust?.disputed == true, chance(20) {
            return .escrowDecide(
                EscrowDecision(escrow: id, round: round, direction: .refund, amount: Amount(.max)))
        }
        if trust == nil, chance(60) {
            return .escrowTopUp(EscrowTopUp(escrow: id, amount: amount(around: 100)))
        }
        switch below(10) {
        case 0: return .escrowTopUp(EscrowTopUp(escrow: id, amount: amount(around: 100)))
        case 1 where chance(50):
            return .escrowWithdrawDecision(EscrowWithdrawal(escrow: id, round: round))
        case 1: return .escrowDispute(id)
        case 2...4 where trust?.disputed == true || chance(5):
            let toPayee = chance(90) ? held / 2 : UInt64(below(10))
            return .escrowArbitrate(
                EscrowArbitration(
                    escrow: id, round: round, toPayee: Amount(toPayee),
                    toPayer: Amount(held - min(held, toPayee))))
        default:
            let some = [held, held / 2 + 1][below(2)]
            return .escrowDecide(
                EscrowDecision(
                    escrow: id, round: round, direction: chance(60) ? .release : .refund,
                    amount: chance(90) ? Amount(some) : amount(around: some),
                    preimage: chance(15) ? (chance(80) ? secret : [9]) : nil))
        }
    }

    /// Those who may decide, or everybody.
    private mutating func circle(of trust: NaiveLedger.Trust?) -> [Person] {
        guard let trust, chance(90) else { return people }
        if trust.disputed, chance(20) {
            let payee = people.filter { $0.address == trust.terms.payee }
            return payee.isEmpty ? people : payee
        }
        let quorum =
            trust.disputed
            ? trust.terms.arbitration : chance(60) ? trust.terms.release : trust.terms.refund
        return people.filter { quorum?.weight(of: $0.address) != nil }
    }

    /// The reward address of all validators.
    var validatorOwner: Person { people[0] }

    mutating func transaction(
        _ model: NaiveLedger, chainID: ChainID
    ) throws -> SignedTransaction {
        let ids = model.trusts.keys.sorted()
        focus = !ids.isEmpty && chance(65) ? ids[below(ids.count)] : nil
        if let last = model.closed.last, chance(5) { focus = last }
        let bonded = chance(85) ? verifiers : validators
        let verifier = chance(25) ? bonded[below(bonded.count)] : nil
        let asset = verifier == nil && chance(25) ? asset(model, nativePercent: 5) : nil
        let governs = verifier == nil && asset == nil && chance(6)
        let isSafeguard = verifier == nil && asset == nil && !governs && chance(22)
        if isSafeguard { focus = nil }
        ward = nil
        let guardians = isSafeguard && chance(60) ? guardians(model) : nil
        let circle = guardians ?? circle(of: focus.flatMap { model.trusts[$0] })
        let limited = isSafeguard && guardians == nil && chance(60) ? limited(model) : nil
        let sender =
            verifier.flatMap { owner(of: $0, model) } ?? asset.flatMap { issuer(of: $0, model) }
            ?? (governs ? validatorOwner : nil) ?? limited ?? circle[below(circle.count)]
        var cosigners = (guardians ?? []).filter { $0.address != sender.address && chance(85) }
        while cosigners.count < 4, chance(50) {
            let other = circle[below(circle.count)]
            if other.address != sender.address,
                !cosigners.contains(where: { $0.address == other.address })
            {
                cosigners.append(other)
            }
        }
        let stream = chance(80) ? 0 : UInt16(below(3))
        let next = model.next[sender.address]?[stream] ?? 0
        let sequence = chance(95) ? next : UInt64(below(Int(next) + 3))
        var operations: [Operation] = []
        for _ in 0...(isSafeguard && chance(75) ? 0 : below(3)) {
            if let verifier {
                operations.append(bondOperation(verifier, sender.address, model))
            } else if governs {
                operations.append(governanceOperation(model))
            } else if let asset {
                operations.append(try assetOperation(asset, model))
            } else if isSafeguard {
                operations.append(try safeguardOperation(sender.address, model))
            } else {
                operations.append(chance(4) ? closing() : try operation(model))
            }
        }
        let transaction = Transaction(
            chainID: chainID, sender: sender.address, stream: stream,
            sequence: SequenceNumber(sequence),
            validUntil: Timestamp(model.time + UInt64(below(200_000)) - 500),
            maxFee: chance(97) ? Amount(20_000 * min(model.baseFee / 65_536 + 1, 8)) : 400,
            tip: Amount(UInt64(below(50))),
            cosigners: cosigners.map(\.address), operations: operations)
        return signed(transaction, [sender] + cosigners, model)
    }

    /// Signatures are made up: what they say is taken as checked.
    private mutating func signed(
        _ transaction: Transaction, _ parties: [Person], _ model: NaiveLedger
    ) -> SignedTransaction {
        let isChange = transaction.operations.contains(where: \.needsAdmin)
        let isAdmin = chance(isChange ? 90 : 25)
        let keys = parties.flatMap { self.signers(of: $0, isAdmin: isAdmin, model) }
        var signers = Set(keys).sorted()
        if chance(3) { signers.removeLast() }
        if chance(2) || signers.isEmpty {
            if let stranger = people.first(where: { !signers.contains($0.key.publicKey) }) {
                signers.append(stranger.key.publicKey)
            }
        }
        let revealed = parties.filter {
            model.policies[$0.address] != nil ? chance(5) : chance(60)
        }
        return SignedTransaction(
            transaction: transaction, policies: revealed.map(\.policy),
            authorizations: signers.map {
                Authorization(
                    publicKey: $0, signature: Signature(r: .zero, s: .zero))
            })
    }
}
