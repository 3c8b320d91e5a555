import Primitives

@testable import Execution

/// Bonds, evidence and verifier sets as the naive model has them: every set is made anew from all
/// stakes, every sum from its parts.
struct NaiveStake: Equatable {
    let owner: Address
    var peer: PeerID
    var bonded: UInt64
    var releases: [(amount: UInt64, due: UInt64)] = []
    var offences = 0
    /// The height from which it is free again; nil for never.
    var free: UInt64? = 0
    var punished: [(id: Digest, expiry: UInt64)] = []
    var earned: UInt64 = 0
    var isCandidate = false

    static func == (left: Self, right: Self) -> Bool { "\(left)" == "\(right)" }

    var all: UInt64 { bonded + releases.reduce(0) { $0 + $1.amount } }
    var isEmpty: Bool { all == 0 && offences == 0 }
    func isFree(at height: UInt64) -> Bool { free.map { height >= $0 } ?? false }
}

struct NaiveSet: Equatable {
    struct Member: Equatable {
        let key: PublicKey
        let bond: UInt64
    }
    let members: [Member]
}

extension NaiveLedger {
    mutating func bond(_ bond: Bond, _ sender: Address) throws {
        if committee.contains(where: { $0.peer == bond.peerID && $0.key != bond.key }) {
            throw Failed(code: .validatorBond)
        }
        var stake = stakes[bond.key] ?? NaiveStake(owner: sender, peer: bond.peerID, bonded: 0)
        if stake.owner != sender { throw Failed(code: .notBondOwner) }
        if stake.free == nil { throw Failed(code: .jailedForGood) }
        let digest = Digest.hash(
            .bond, chainID.bytes + sender.bytes + bond.key.bytes + bond.peerID.bytes)
        let claims = [(bond.key, bond.proof), (PublicKey(bond.peerID.bytes32), bond.peerProof)]
        for (key, proof) in claims
        where !SignatureClaim(publicKey: key, digest: digest, signature: proof).isValid {
            throw Failed(code: .proofWrong)
        }
        try take(bond.amount.rawValue, from: sender)
        stake.bonded += bond.amount.rawValue
        stake.peer = bond.peerID
        if stake.bonded < verification.minimumBond.rawValue { throw Failed(code: .bondTooSmall) }
        stakes[bond.key] = stake
    }

    func own(_ key: PublicKey, _ sender: Address) throws -> NaiveStake {
        guard let stake = stakes[key] else { throw Failed(code: .verifierUnknown) }
        if stake.owner != sender { throw Failed(code: .notBondOwner) }
        return stake
    }

    mutating func unbond(_ unbond: Unbond, _ sender: Address) throws {
        var stake = try own(unbond.key, sender)
        let amount = unbond.amount.rawValue
        if amount == 0 { throw Failed(code: .zeroAmount) }
        if amount > stake.bonded { throw Failed(code: .amountAboveBonded) }
        stake.bonded -= amount
        if (1..<verification.minimumBond.rawValue).contains(stake.bonded) {
            throw Failed(code: .bondTooSmall)
        }
        if stake.releases.count == 8 { throw Failed(code: .tooManyReleases) }
        stake.releases.append((amount, height + verification.unbondBlocks))
        stakes[unbond.key] = stake
    }

    mutating func withdraw(_ key: PublicKey, _ sender: Address) throws {
        var stake = try own(key, sender)
        let due = stake.releases.filter { $0.due <= height }
        if due.isEmpty { throw Failed(code: .nothingDue) }
        stake.releases.removeAll { $0.due <= height }
        balances[sender, default: 0] += due.reduce(0) { $0 + $1.amount }
        stakes[key] = stake.isEmpty ? nil : stake
    }

    mutating func report(_ evidence: [UInt8], _ sender: Address) throws {
        guard let offence = FakeJudge.offence(evidence) else {
            throw Failed(code: .evidenceInvalid)
        }
        let expiry = offence.height.rawValue + verification.unbondBlocks
        if height > expiry { throw Failed(code: .evidenceExpired) }
        guard var stake = stakes[offence.offender] else { throw Failed(code: .nothingToSlash) }
        if stake.punished.contains(where: { $0.id == offence.id }) {
            throw Failed(code: .evidenceKnown)
        }
        if stake.all == 0 { throw Failed(code: .nothingToSlash) }
        let before = stake.all
        let permille = UInt64(
            stake.offences == 0 ? verification.slashPermille : verification.repeatSlashPermille)
        func rest(_ amount: UInt64) -> UInt64 { amount * (1000 - permille) / 1000 }
        stake.bonded = rest(stake.bonded)
        stake.releases = stake.releases.map { (rest($0.amount), $0.due) }.filter { $0.0 > 0 }
        stake.offences += 1
        if offence.kind != .equivocatingOwner {
            stake.free = stake.offences < 3 ? height + verification.unbondBlocks : nil
            stake.isCandidate = false
        }
        stake.punished = stake.punished.filter { $0.expiry >= height } + [(offence.id, expiry)]
        let reward = (before - stake.all) * UInt64(verification.reporterPermille) / 1000
        balances[sender, default: 0] += reward
        balances[fees.treasury, default: 0] += before - stake.all - reward
        stakes[offence.offender] = stake
    }

    /// The sets that become known with the block's end.
    mutating func determineSets() {
        for period in 0...(height + lag + 1) / verification.periodBlocks where sets[period] == nil {
            let first = period * verification.periodBlocks
            sets[period] = makeSet(committees[Int(first / epochBlocks)])
        }
    }

    private func makeSet(_ committee: [NaiveSeat]) -> NaiveSet {
        var members = committee.map { seat in
            let isFree = stakes[seat.key]?.isFree(at: height) ?? true
            return NaiveSet.Member(key: seat.key, bond: isFree ? seat.weight : 0)
        }
        let voting = Set(committee.map(\.key))
        var peers = Set(committee.map(\.peer))
        let ranked = stakes.filter { !voting.contains($0.key) }.sorted {
            ($1.value.bonded / stakeUnit, $0.key) < ($0.value.bonded / stakeUnit, $1.key)
        }
        var others: [NaiveSet.Member] = []
        for (key, stake) in ranked
        where stake.isFree(at: height) && stake.bonded >= verification.minimumBond.rawValue
            && peers.insert(stake.peer).inserted
        {
            others.append(NaiveSet.Member(key: key, bond: stake.bonded / stakeUnit))
        }
        members += others.sorted { $0.key < $1.key }
        if members.allSatisfy({ $0.bond == 0 }) {
            members = committee.map { NaiveSet.Member(key: $0.key, bond: $0.weight) }
        }
        return NaiveSet(members: members)
    }

    /// What each of a chunk's verifiers has earned, and what nobody has.
    mutating func pay(_ pool: UInt64, _ chunks: [ExecutableBlock.ChunkCredit], period: UInt64) {
        let transactions = chunks.reduce(0) { $0 + UInt64($1.transactions) }
        for chunk in chunks where transactions > 0 {
            let part = pool * UInt64(chunk.transactions) / transactions
            let members = chunk.verifiers.compactMap { sets[period]?.members[Int($0.rawValue)] }
            let bonds = members.reduce(0) { $0 + $1.bond }
            for member in members where member.bond > 0 {
                earned[member.key, default: 0] += part * member.bond / bonds
            }
        }
    }

    /// Pays out what was earned; of those in jail, to the treasury.
    mutating func payEarned() {
        for (key, amount) in earned where amount > 0 {
            let receiver = stakes[key]?.isFree(at: height) == true ? stakes[key]?.owner : nil
            balances[receiver ?? fees.treasury, default: 0] += amount
            if receiver != nil { stakes[key]?.earned += amount }
        }
        earned = [:]
    }
}
