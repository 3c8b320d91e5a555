internal import Primitives
internal import RPC

/// What came of a transaction, as commands that send one answer.
struct Outcome: Encodable, Sendable {
    /// `txn` text.
    let transaction: String
    let state: TransactionState
    /// Absent while pending.
    let receipt: ReceiptInfo?
    /// Why it was skipped.
    let reason: String?
    let note: String?
    /// From sending to knowing; absent where nobody waited.
    let latencyMilliseconds: UInt64?

    init(_ submitted: SubmitResult) {
        transaction = submitted.id
        state = submitted.state
        receipt = nil
        reason = nil
        note = nil
        latencyMilliseconds = nil
    }

    init(_ status: TransactionStatus, latencyMilliseconds: UInt64? = nil) {
        transaction = status.id
        state = status.state
        receipt = status.receipt
        reason = status.reason
        note = status.note
        self.latencyMilliseconds = latencyMilliseconds
    }

    /// The lines for people.
    func text(_ palette: Palette) -> String {
        var sheet = Sheet(["transaction": transaction, "state": stateText(palette)])
        if let receipt {
            sheet.add("height", "\(receipt.height) (number \(receipt.index) in the block)")
            sheet.add("fee", receipt.fee.description)
            sheet.add("escrow", list: receipt.escrows)
            sheet.add("asset", list: receipt.assets)
            sheet.add("proposal", list: receipt.proposals)
        }
        sheet.add("reason", optional: reason.map { OutcomeText.skipped($0) })
        sheet.add("note", optional: note)
        sheet.add("latency", optional: latencyMilliseconds.map { "\($0) ms" })
        return sheet.text(palette)
    }

    private func stateText(_ palette: Palette) -> String {
        if let failure = receipt?.failure {
            let text = "final, failed: operation \(failure.operation): "
            return palette.paint(text + OutcomeText.failed(failure.reason), .red)
        }
        switch state {
        case .final: return palette.paint("final", .green)
        case .skipped: return palette.paint("skipped", .red)
        case .pending: return palette.paint("pending", .yellow)
        case .unknown: return palette.paint("unknown", .yellow)
        }
    }

    /// The error that a transaction without effect is; nil for one that did what it should, or may
    /// still do it.
    var fault: CommandFault? {
        if let failure = receipt?.failure {
            return CommandFault(
                """
                the transaction failed and only its fee was paid: operation \
                \(failure.operation): \(OutcomeText.failed(failure.reason)) (\(transaction))
                """, data: faultData(failure.reason))
        }
        guard state == .skipped else { return nil }
        let name = reason ?? "unknown"
        return CommandFault(
            "the transaction was skipped: \(OutcomeText.skipped(name)) (\(transaction))",
            data: faultData(name))
    }

    private func faultData(_ reason: String) -> [JSONMember] {
        var members = [
            JSONMember("transaction", .string(transaction)),
            JSONMember("state", .string(state.rawValue)), JSONMember("reason", .string(reason)),
        ]
        if let receipt {
            members.append(JSONMember("height", .number(receipt.height.description)))
            members.append(JSONMember("fee", .string(receipt.fee.description)))
        }
        return members
    }
}

/// Stable names as sentences.
enum OutcomeText {
    /// A `SkipReason`'s name with its meaning.
    static func skipped(_ name: String) -> String {
        let reason = SkipReason.allCases.first { $0.name == name }
        return reason.map { "\(name): \(sentence($0))" } ?? name
    }

    /// A failure code's name with its meaning, where it has one.
    static func failed(_ name: String) -> String {
        failures[name].map { "\(name): \($0)" } ?? name
    }

    private static func sentence(_ reason: SkipReason) -> String {
        switch reason {
        case .wrongChain: "it was signed for another network"
        case .expired: "its time is over; build it again, with a longer --valid-for if need be"
        case .validTooLong: "it is valid for longer than its stream allows; shorten --valid-for"
        case .sequenceUsed: "its sequence was used before; build it again"
        case .sequenceAhead: "an earlier transaction of its stream is missing"
        case .unknownSender: "the sender has no account yet: it begins with the first payment to it"
        case .policyMissing: "an account's policy isn't known; name its file with --policy"
        case .policyMismatch: "a policy in it belongs to none of its accounts"
        case .unknownSigner: "it is signed by a key that may not sign for its accounts"
        case .notAuthorized:
            "its signatures weigh less than the account's threshold, or than the admin threshold"
                + " that a second veto takes"
        case .feeTooLow:
            "its fee would be above the most that it allows (--max-fee)"
        case .insufficientForFee: "the balance doesn't cover the fee"
        case .tooManyStreams: "the account has no room for a further stream"
        case .invalidSignature: "a signature is wrong"
        case .limitReached:
            "it is above what the spending limit leaves; wait, or sign with admin weight"
        }
    }

    private static let failures = [
        "nothingDecided": "none of those who sign has decided anything in this round",
        "limitExceeded":
            "in it an entry of an asset goes and is made anew, and the spending limit leaves no"
            + " room for its deposit; wait, or sign with admin weight",
        "limitWithoutEffect":
            "the account's admin threshold is its spend threshold: a limit would stop nobody",
        "windowOutOfRange": "the limit's window is shorter than genesis allows, or above 30 days",
        "delayOutOfRange": "the guardians' delay is shorter than genesis allows, or above 90 days",
        "guardianIsSelf": "an account can't guard itself",
        "guardiansUnreachable": "more guardians would have to sign than one transaction carries",
        "sameSafeguards": "the account has these limits and guardians",
        "noGuardians": "there is no such account, or it has no guardians",
        "guardiansTooFew": "the guardians who sign don't reach their threshold",
        "recoveryPending": "a recovery of the account is pending; `recover veto` withdraws it",
        "noRecovery": "no recovery of the account is pending",
        "recoveryTooEarly": "the delay isn't over; `account show` tells when",
        "recoveryTooSoon": "the account objected to the last one less than a delay ago",
        "zeroAmount": "the amount is 0",
        "insufficientFunds": "the account holds less than the amount",
        "unknownAsset": "there is no such asset",
        "balanceOverflow": "the receiver's balance would exceed 2^64 - 1",
        "samePolicy": "the account has this policy already",
        "keyUnusable": "the policy has a key that isn't one: nobody can sign by it",
        "escrowUnknown": "no open escrow has this id",
        "escrowDisputed": "after a dispute only arbitration decides",
        "notParticipant": "neither the sender nor a cosigner may decide this",
        "wrongRound": "what is held has changed since the decision was made; decide again",
        "amountAboveHeld": "more than what the escrow holds",
        "alreadyDecided": "the same decision was made before",
        "beforeNotBefore": "a release before the time that the terms name",
        "preimageMissing": "the release needs the hashlock's preimage; give it with --preimage",
        "preimageWrong": "the preimage doesn't open the hashlock",
        "preimageUnexpected": "the escrow has no hashlock: leave --preimage out",
        "noArbitration": "the terms name no arbiter",
        "notDisputed": "arbitration needs a dispute first",
        "splitMismatch": "the two parts don't sum to what is held",
        "deadlinePast": "the deadline has passed",
        "deadlineTooFar": "the deadline lies further ahead than the network allows",
        "arbitrationTerms": "arbitration needs a deadline of its own, later than the escrow's",
        "notBeforeTooLate": "nothing could be released: --not-before isn't before the deadline",
        "tooManyAssets": "the receiver has no room for a further asset",
        "symbolReserved": "the symbol could be taken for the native asset's; choose another",
        "notIssuer": "only the asset's issuer may do this",
        "aboveCap": "more than the asset's cap would exist, or more than 2^64 - 1",
        "nativeAsset": "nobody issues, redeems or freezes the native asset",
        "notFreezable": "the asset's terms don't let the issuer freeze",
        "notClawable": "the asset's terms don't let the issuer claw back",
        "holdingUnknown": "the account has nothing of the asset",
        "assetFrozen": "the issuer has stopped the account from spending the asset",
        "freezeUnchanged": "the account was frozen before, or wasn't, as is wanted now",
        "supplyOutstanding": "some of the asset still exists; redeem all of it first",
        "depositUnpaid": "the account can't pay the deposit for what would be new",
        "notGoverned": "genesis doesn't let the validators change this parameter",
        "valueOutOfRange": "the value lies outside the parameter's range",
        "tooManyProposals": "as many proposals as may stand at a time do",
        "proposalUnknown": "no such proposal stands",
        "voteClosed": "the votes were counted already",
        "notValidator": "the key is no validator's of the present committee",
        "voteUnchanged": "the validator has voted so already",
        "bondTooSmall":
            "the bond, or what would be left of it, is below the network's least"
            + " (`verification.minimumBond` of its genesis)",
        "proofWrong": "the verifier's key or its node's hasn't signed that the sender may bond it",
        "verifierUnknown": "no verifier with this key has stake: bond some first",
        "amountAboveBonded": "more than what is bonded; `verifier show` tells how much that is",
        "tooManyReleases": "as many releases as a verifier may have are pending: wait for one",
        "nothingDue": "no release is due yet; `verifier show` tells when one is",
        "jailedForGood": "the verifier has offended too often to ever count again",
        "evidenceInvalid": "it proves no offence",
        "evidenceKnown": "the offence was punished before",
        "evidenceExpired": "the offence is too long ago",
        "nothingToSlash": "the offender has no stake",
        "notBondOwner": "the bond is another account's; `validator status KEY` names its owner",
        "validatorBond": "the node is that of a validator with another key",
        "alreadyCandidate": "the verifier stands for election already",
        "notCandidate": "the verifier doesn't stand for election",
        "stillJailed": "the verifier is in jail; `verifier show` tells until when",
        "stakeTooSmall": "less is bonded than a validator's least stake; bond more first",
        "streamUnknown": "the account has no stream with this number",
        "streamInUse": "the stream was used within the last 30 days: wait until they are over",
        "defaultStream": "stream 0 can't be closed",
        "hashlockDefault": "with a hashlock the default at the deadline must be a refund",
    ]
}
