/// Why an operation failed: the transaction then changes nothing but the fee and the sequence.
///
/// The raw values are stable: programs act on them. Wire: two bytes.
package enum FailureCode: UInt16, Error, Hashable, Sendable, CaseIterable {
    /// An amount of 0.
    case zeroAmount = 1
    /// The sender holds less than the amount.
    case insufficientFunds = 2
    /// No such asset.
    case unknownAsset = 3
    /// The receiver's balance would exceed 2^64 - 1.
    case balanceOverflow = 4
    /// The receiver has no room for a further asset.
    case tooManyAssets = 5
    /// The new policy is the one that the account has.
    case samePolicy = 6
    /// The new policy has a key by which nobody can sign: it would lock the account.
    case keyUnusable = 7

    /// No escrow with this id is open: there never was one, or it was closed. Which of the two is
    /// history, and history isn't part of the state that a result may depend on.
    case escrowUnknown = 20
    /// After a dispute only arbitration decides.
    case escrowDisputed = 22
    /// Neither the sender nor a cosigner may decide this.
    case notParticipant = 23
    /// What is held has changed since the round that the decision names.
    case wrongRound = 24
    /// More than what is held.
    case amountAboveHeld = 25
    /// Everybody who takes part has decided exactly this before.
    case alreadyDecided = 26
    /// A release before the time that the terms name.
    case beforeNotBefore = 27
    /// The release is due, but nobody has shown the hashlock's preimage.
    case preimageMissing = 28
    /// Its SHA-256 isn't the hashlock.
    case preimageWrong = 29
    /// A preimage where the terms have no hashlock.
    case preimageUnexpected = 30
    /// The terms name no arbitration.
    case noArbitration = 31
    /// Arbitration needs a dispute first.
    case notDisputed = 32
    /// The split isn't exactly what is held.
    case splitMismatch = 33

    /// The deadline isn't after the block's time.
    case deadlinePast = 40
    /// A deadline further ahead than genesis allows.
    case deadlineTooFar = 41
    /// Arbitration without its deadline, a deadline without arbitration, or one that isn't later
    /// than the escrow's own.
    case arbitrationTerms = 42
    /// Nothing could be released: `notBefore` isn't earlier than the deadline.
    case notBeforeTooLate = 43
    /// With a hashlock the default can't be a release: it would pay without the preimage.
    case hashlockDefault = 44

    /// The account has no stream with this number.
    case streamUnknown = 50
    /// What executed on the stream hasn't expired everywhere: its last use is at most 30 days ago.
    case streamInUse = 51
    /// Stream 0 stays.
    case defaultStream = 52

    /// A bond, or what would be left of it, is below the minimum.
    case bondTooSmall = 60
    /// The verifier's key or the node's hasn't signed that the sender may bond it.
    case proofWrong = 61
    /// The verifier belongs to somebody else.
    case notBondOwner = 62
    /// No verifier with this key has stake.
    case verifierUnknown = 63
    /// The node is that of a validator with another key.
    case validatorBond = 64
    /// More than what is bonded.
    case amountAboveBonded = 65
    /// As many releases as a verifier may have are pending.
    case tooManyReleases = 66
    /// No release is due.
    case nothingDue = 67
    /// The verifier has offended too often to ever count again.
    case jailedForGood = 68

    /// The evidence proves no offence.
    case evidenceInvalid = 70
    /// The offence was punished before.
    case evidenceKnown = 71
    /// The offence is too long ago.
    case evidenceExpired = 72
    /// The offender has no stake.
    case nothingToSlash = 73

    /// The symbol is the native asset's, or could be taken for it.
    case symbolReserved = 80
    /// The asset is another's.
    case notIssuer = 81
    /// More than the cap would exist, or more than 2^64 - 1.
    case aboveCap = 82
    /// Nobody issues, mints, redeems or freezes the native asset.
    case nativeAsset = 83
    /// The asset's terms don't let the issuer freeze.
    case notFreezable = 84
    /// The asset's terms don't let the issuer claw back.
    case notClawable = 85
    /// The account has no entry for the asset.
    case holdingUnknown = 86
    /// The issuer has stopped the account from spending the asset.
    case assetFrozen = 87
    /// The account is frozen, or isn't, as wanted.
    case freezeUnchanged = 88
    /// Some of the asset still exists.
    case supplyOutstanding = 89
    /// The account can't pay the deposit for what would be new in the state.
    case depositUnpaid = 90

    /// None of those who act has decided anything in this round.
    case nothingDecided = 100
    /// More than the sender's spending limit leaves in this window, which wasn't to be foreseen:
    /// an entry went and was made anew within the transaction.
    case limitExceeded = 101
    /// A limit for an account whose admin threshold is its spend threshold: it would stop nobody.
    case limitWithoutEffect = 102
    /// A window shorter than genesis allows, or longer than 30 days.
    case windowOutOfRange = 103
    /// A delay shorter than genesis allows, or longer than 90 days.
    case delayOutOfRange = 104
    /// The account among its own guardians.
    case guardianIsSelf = 105
    /// More guardians would have to sign than one transaction can carry.
    case guardiansUnreachable = 106
    /// Limits and guardians are those that the account has.
    case sameSafeguards = 107
    /// There is no such account, or it has no guardians.
    case noGuardians = 108
    /// Those who act don't reach the threshold of the guardians.
    case guardiansTooFew = 109
    /// A recovery of the account is pending.
    case recoveryPending = 110
    /// No recovery of the account is pending.
    case noRecovery = 111
    /// The delay isn't over.
    case recoveryTooEarly = 112
    /// The owner has objected to the last one less than a delay ago.
    case recoveryTooSoon = 113

    /// Genesis doesn't let the validators change this parameter.
    case notGoverned = 120
    /// The value lies outside the parameter's range.
    case valueOutOfRange = 121
    /// As many proposals as may stand at a time do.
    case tooManyProposals = 122
    /// No such proposal stands.
    case proposalUnknown = 123
    /// The votes were counted already.
    case voteClosed = 124
    /// The key is no validator's of the present committee.
    case notValidator = 125
    /// The validator has voted so already.
    case voteUnchanged = 126

    /// The verifier stands for election already.
    case alreadyCandidate = 130
    /// The verifier doesn't stand for election.
    case notCandidate = 131
    /// The verifier's jail isn't over.
    case stillJailed = 132
    /// What is bonded is below the least stake of a validator.
    case stakeTooSmall = 133

    /// The stable name, as RPC gives it.
    package var name: String { String(describing: self) }
}
