import Primitives

@testable import Execution

/// Bonds as many people might move them, and evidence, true and false.
extension RandomTraffic {
    /// Mostly who owns the verifier.
    mutating func owner(of verifier: Person, _ model: NaiveLedger) -> Person? {
        guard let stake = model.stakes[verifier.key.publicKey], chance(85) else { return nil }
        return people.first { $0.address == stake.owner }
    }

    mutating func bondOperation(
        _ verifier: Person, _ sender: Address, _ model: NaiveLedger
    ) -> Operation {
        let stake = model.stakes[verifier.key.publicKey]
        let key = chance(95) ? verifier.key.publicKey : validators[0].key.publicKey
        switch below(52) {
        case 0...14: return .bond(bond(verifier, sender, model))
        case 15...25:
            let bonded = stake?.bonded ?? 1
            let amounts = [bonded, bonded + 1, bonded / 2, bonded / 9 + 1, 0]
            return .unbond(Unbond(key: key, amount: Amount(amounts[below(5)])))
        case 26...35: return .withdraw(key)
        case 36...44: return .declareCandidate(key)
        case 45...47: return .withdrawCandidacy(key)
        default:
            // A few offend again and again, the others hardly ever.
            let offender = chance(80) ? verifiers[below(4)].key.publicKey : key
            return .reportEvidence(evidence(about: offender, model))
        }
    }

    private mutating func bond(
        _ verifier: Person, _ sender: Address, _ model: NaiveLedger
    ) -> Bond {
        let least = model.verification.minimumBond.rawValue
        let amounts = [least - 1, least, least + 1, 1, 0, least * UInt64(below(50)), .max]
        let signer = chance(92) ? verifier : people[0]
        let node = chance(80) ? verifier : verifiers[below(verifiers.count)]
        let made = Bond(
            amount: Amount(amounts[below(amounts.count)]), chainID: model.chainID,
            sender: chance(95) ? sender : people[0].address, key: signer.key, peerKey: node.key)
        return Bond(
            key: chance(97) ? verifier.key.publicKey : validators[1].key.publicKey,
            peerID: chance(97) ? made.peerID : PeerID(validators[2].key.publicKey),
            amount: made.amount, proof: made.proof, peerProof: made.peerProof)
    }

    private mutating func evidence(about key: PublicKey, _ model: NaiveLedger) -> [UInt8] {
        let ages = [0, 1, model.verification.unbondBlocks, model.verification.unbondBlocks + 1]
        let age = min(model.height, ages[below(4)])
        let kind = OffenceKind.allCases[below(4)]
        var evidence = FakeJudge.evidence(
            Offence(key, kind, number: UInt8(below(6)), at: model.height - age))
        if chance(20) { evidence[below(evidence.count)] ^= 1 }
        return evidence
    }
}
