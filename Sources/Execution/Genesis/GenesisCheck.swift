internal import Primitives

/// Everything that a genesis is held to, in the order in which a person reads its file.
enum GenesisCheck {
    static let networkBytesMax = 64
    static let prefixBytesMax = 8

    static func names(network: String, prefix: String) throws(GenesisFault) {
        guard (1...networkBytesMax).contains(network.utf8.count), network.utf8.allSatisfy(isName)
        else {
            throw GenesisFault(
                "network",
                "\"\(network)\" isn't a name; 1 to 64 letters, digits, '-', '_' or '.' are wanted")
        }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard (1...prefixBytesMax).contains(prefix.utf8.count),
            prefix.utf8.allSatisfy(letters.contains)
        else {
            throw GenesisFault(
                "prefix", "\"\(prefix)\" isn't a prefix; 1 to 8 lower-case letters are wanted")
        }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }

    static func accounts(_ accounts: [GenesisAccount]) throws(GenesisFault) {
        guard accounts.count <= Genesis.accountsMax else {
            throw GenesisFault(
                "accounts", "\(accounts.count) accounts, at most \(Genesis.accountsMax) allowed")
        }
        var places: [Address: Int] = [:]
        for (place, account) in accounts.enumerated() {
            if let first = places.updateValue(place, forKey: account.address) {
                throw GenesisFault(
                    "accounts[\(place)]",
                    "the account \(account.address) is already accounts[\(first)];"
                        + " name it once with the whole balance")
            }
        }
    }

    /// Nobody could sign by a key that is no point of the curve, or one of small order.
    static func keys(
        _ validators: [GenesisValidator], _ verifiers: [GenesisVerifier]
    ) throws(GenesisFault) {
        for (place, validator) in validators.enumerated() {
            try check(validator.votingKey, "validators[\(place)].votingKey")
            try check(validator.peerID.publicKey, "validators[\(place)].peerID")
        }
        for (place, verifier) in verifiers.enumerated() {
            try check(verifier.key, "verifiers[\(place)].key")
            try check(verifier.peerID.publicKey, "verifiers[\(place)].peerID")
        }
    }

    static func policies(_ accounts: [GenesisAccount]) throws(GenesisFault) {
        for (place, account) in accounts.enumerated() {
            if let key = account.policy?.unusableKey { try check(key, "accounts[\(place)].policy") }
        }
    }

    private static func check(_ key: PublicKey, _ path: String) throws(GenesisFault) {
        guard key.isUsable else {
            throw GenesisFault(path, "\(key) isn't a key: nobody can sign by it")
        }
    }

    static func validators(
        _ validators: [GenesisValidator], _ stake: StakeParameters
    ) throws(GenesisFault) {
        guard !validators.isEmpty else {
            throw GenesisFault("validators", "no validators; at least one is needed")
        }
        guard validators.count <= Committee.countMax else {
            throw GenesisFault(
                "validators",
                "\(validators.count) validators, at most \(Committee.countMax) allowed")
        }
        guard validators.count <= Int(stake.validatorsMax) else {
            throw GenesisFault(
                "validators",
                "\(validators.count) validators, but parameters.stake.validatorsMax is"
                    + " \(stake.validatorsMax)")
        }
        for (place, validator) in validators.enumerated()
        where validator.stake < stake.minimum {
            throw GenesisFault(
                "validators[\(place)].stake",
                "\(validator.stake) is below parameters.stake.minimum, \(stake.minimum)")
        }
    }

    /// No key and no node twice, validators included, and none below the minimum.
    static func verifiers(
        _ verifiers: [GenesisVerifier], beside validators: [GenesisValidator], minimum: Amount
    ) throws(GenesisFault) {
        guard verifiers.count <= VerifierSet.countMax else {
            throw GenesisFault(
                "verifiers", "\(verifiers.count) verifiers, at most \(VerifierSet.countMax) allowed"
            )
        }
        var keys = Set(validators.map(\.votingKey))
        var peers = Set(validators.map(\.peerID))
        for (place, verifier) in verifiers.enumerated() {
            let path = "verifiers[\(place)]"
            guard keys.insert(verifier.key).inserted else {
                throw GenesisFault("\(path).key", "\(verifier.key) is another's key already")
            }
            guard peers.insert(verifier.peerID).inserted else {
                throw GenesisFault("\(path).peerID", "\(verifier.peerID) is another's node already")
            }
            guard verifier.bond >= minimum else {
                throw GenesisFault(
                    "\(path).bond",
                    "\(verifier.bond) is below parameters.verification.minimumBond, \(minimum)")
            }
        }
    }

    /// Balances, stakes and bonds together.
    static func supply(
        _ accounts: [GenesisAccount], _ validators: [GenesisValidator],
        _ verifiers: [GenesisVerifier]
    ) throws(GenesisFault) -> Amount {
        var sum = Amount(0)
        for (place, account) in accounts.enumerated() {
            sum = try add(account.balance, to: sum, at: "accounts[\(place)].balance")
        }
        for (place, validator) in validators.enumerated() {
            sum = try add(validator.stake, to: sum, at: "validators[\(place)].stake")
        }
        for (place, verifier) in verifiers.enumerated() {
            sum = try add(verifier.bond, to: sum, at: "verifiers[\(place)].bond")
        }
        return sum
    }

    private static func add(
        _ amount: Amount, to sum: Amount, at path: String
    ) throws(GenesisFault) -> Amount {
        do throws(ArithmeticOverflow) {
            return try sum.adding(amount)
        } catch {
            throw GenesisFault(
                path, "\(amount) on top of \(sum) makes a supply above \(UInt64.max)")
        }
    }

    static func committee(
        _ chainID: ChainID, _ validators: [GenesisValidator], _ stake: StakeParameters
    ) throws(GenesisFault) -> Committee {
        let members = validators.map {
            Validator(
                votingKey: $0.votingKey, peerID: $0.peerID,
                weight: $0.stake.rawValue / stake.unit.rawValue, rewardAddress: $0.rewardAddress)
        }
        do throws(Committee.Fault) {
            return try Committee(chainID: chainID, epoch: 0, validators: members)
        } catch {
            throw GenesisFault(path(of: error), error.description)
        }
    }

    private static func path(of fault: Committee.Fault) -> String {
        switch fault {
        case .empty, .tooMany, .weightOverflow: "validators"
        case .zeroWeight(let place): "validators[\(place)].stake"
        case .duplicateKey(let place): "validators[\(place)].votingKey"
        case .duplicatePeer(let place): "validators[\(place)].peerID"
        }
    }
}

extension GenesisCheck {
    static func parameters(_ parameters: LedgerParameters) throws(GenesisFault) {
        try shares(parameters.fees.shares)
        guard parameters.fees.baseFee.rawValue < 1 << 47 else {
            throw GenesisFault(
                "parameters.fees.baseFee",
                "\(parameters.fees.baseFee): it must be below 2^47, so that it has room to rise")
        }
        try weights(parameters.fees)
        try atLeastOne(parameters.fees.targetWeight, "fees.targetWeight")
        let denominators = GovernedParameter.changeDenominatorRange
        guard denominators ~= parameters.fees.changeDenominator else {
            throw GenesisFault(
                "parameters.fees.changeDenominator",
                "\(parameters.fees.changeDenominator): \(denominators.lowerBound) to"
                    + " \(denominators.upperBound) is wanted, or one block could double the base"
                    + " fee, or what rose would hardly come down again")
        }
        try stake(parameters.stake)
        try atLeastOne(
            UInt64(parameters.escrow.expiriesPerBlockMax), "escrow.expiriesPerBlockMax")
        try atLeastOne(parameters.escrow.durationMillisecondsMax, "escrow.durationMillisecondsMax")
        try safeguards(parameters.safeguards)
        try consensus(parameters.consensus)
        try batches(parameters.batches)
        try VerificationCheck(parameters).run()
        try EpochCheck(parameters).run()
        try governance(parameters)
    }

    private static func weights(_ fees: FeeParameters) throws(GenesisFault) {
        for (name, weight) in [
            ("byteWeight", fees.byteWeight), ("signatureWeight", fees.signatureWeight),
            ("writeWeight", fees.writeWeight),
        ] where weight > FeeParameters.weightMax {
            throw GenesisFault(
                "parameters.fees.\(name)",
                "\(weight), at most \(FeeParameters.weightMax) allowed, or nobody could pay for a"
                    + " transaction")
        }
    }

    private static func shares(_ shares: FeeShares) throws(GenesisFault) {
        guard shares.sum == 1000 else {
            throw GenesisFault(
                "parameters.fees.shares", "the shares sum to \(shares.sum) permille, not to 1000")
        }
    }

    private static func stake(_ stake: StakeParameters) throws(GenesisFault) {
        try atLeastOne(stake.unit.rawValue, "stake.unit")
        try atLeastOne(stake.epochBlocks, "stake.epochBlocks")
        guard stake.minimum >= stake.unit else {
            throw GenesisFault(
                "parameters.stake.minimum",
                "\(stake.minimum) is below parameters.stake.unit, \(stake.unit):"
                    + " such a stake would weigh nothing")
        }
        guard 1...StakeParameters.validatorsLimit ~= stake.validatorsMax else {
            throw GenesisFault(
                "parameters.stake.validatorsMax",
                "\(stake.validatorsMax) lies outside 1...\(StakeParameters.validatorsLimit)")
        }
    }

    /// A governed parameter begins within the range that proposals are held to.
    private static func governance(_ parameters: LedgerParameters) throws(GenesisFault) {
        let governance = parameters.governance
        for (left, right) in zip(governance.governed, governance.governed.dropFirst())
        where left == right {
            throw GenesisFault("parameters.governance.governed", "\(left.name) is named twice")
        }
        for parameter in governance.governed {
            let range = parameters.range(of: parameter)
            let value = parameters.value(of: parameter)
            guard range.contains(value) else {
                throw GenesisFault(
                    "parameters.\(parameter.name)",
                    "\(value) lies outside \(range.lowerBound)...\(range.upperBound), which a"
                        + " governed one is held to")
            }
        }
        try atLeastOne(governance.voteBlocks, "governance.voteBlocks")
        for (name, blocks) in [
            ("voteBlocks", governance.voteBlocks), ("delayBlocks", governance.delayBlocks),
        ] where blocks > GovernanceParameters.blocksMax {
            throw GenesisFault(
                "parameters.governance.\(name)",
                "\(blocks), at most \(GovernanceParameters.blocksMax) allowed")
        }
        guard (501...1000).contains(governance.approvalPermille) else {
            throw GenesisFault(
                "parameters.governance.approvalPermille",
                "\(governance.approvalPermille) lies outside 501...1000")
        }
    }

    private static func safeguards(_ safeguards: SafeguardParameters) throws(GenesisFault) {
        let windowMax = TransactionLimits.limitWindowMillisecondsMax
        guard 1...windowMax ~= safeguards.windowMillisecondsMin else {
            throw GenesisFault(
                "parameters.safeguards.windowMillisecondsMin",
                "\(safeguards.windowMillisecondsMin) ms lies outside 1...\(windowMax), 30 days")
        }
        let delayMax = TransactionLimits.recoveryDelayMillisecondsMax
        guard 1...delayMax ~= safeguards.delayMillisecondsMin else {
            throw GenesisFault(
                "parameters.safeguards.delayMillisecondsMin",
                "\(safeguards.delayMillisecondsMin) ms lies outside 1...\(delayMax), 90 days")
        }
    }

    private static func consensus(_ consensus: ConsensusParameters) throws(GenesisFault) {
        try atLeastOne(consensus.deltaBaseMilliseconds, "consensus.deltaBaseMilliseconds")
        guard consensus.deltaMaxMilliseconds >= consensus.deltaBaseMilliseconds else {
            throw GenesisFault(
                "parameters.consensus.deltaMaxMilliseconds",
                "\(consensus.deltaMaxMilliseconds) is below deltaBaseMilliseconds,"
                    + " \(consensus.deltaBaseMilliseconds)")
        }
        try atMostAnHour(consensus.deltaMaxMilliseconds, "deltaMaxMilliseconds")
        try atMostAnHour(consensus.idleMilliseconds, "idleMilliseconds")
        try atMostAnHour(consensus.maxDelayMilliseconds, "maxDelayMilliseconds")
        try atMostAnHour(consensus.maxDriftMilliseconds, "maxDriftMilliseconds")
        try atLeastOne(consensus.idleMilliseconds, "consensus.idleMilliseconds")
        try atLeastOne(consensus.maxDelayMilliseconds, "consensus.maxDelayMilliseconds")
        try atLeastOne(consensus.executionLagMax, "consensus.executionLagMax")
        guard consensus.executionLagMax <= ConsensusParameters.executionLagLimit else {
            throw GenesisFault(
                "parameters.consensus.executionLagMax",
                "\(consensus.executionLagMax) blocks: voters can compare at most "
                    + "\(ConsensusParameters.executionLagLimit)")
        }
    }

    private static func batches(_ batches: BatchParameters) throws(GenesisFault) {
        try atLeastOne(UInt64(batches.transactionsMax), "batches.transactionsMax")
        try atLeastOne(batches.expiryBlocks, "batches.expiryBlocks")
        let bytes = UInt32(TransactionLimits.bytesMax)...BatchParameters.bytesLimit
        guard bytes.contains(batches.bytesMax) else {
            throw GenesisFault(
                "parameters.batches.bytesMax",
                "\(batches.bytesMax) lies outside \(bytes.lowerBound)...\(bytes.upperBound)")
        }
        guard batches.transactionsMax <= BatchParameters.transactionsLimit else {
            throw GenesisFault(
                "parameters.batches.transactionsMax",
                "\(batches.transactionsMax), at most \(BatchParameters.transactionsLimit) allowed")
        }
    }

    private static func atLeastOne(_ value: UInt64, _ path: String) throws(GenesisFault) {
        guard value > 0 else {
            throw GenesisFault("parameters.\(path)", "0; at least 1 is needed")
        }
    }

    private static func atMostAnHour(_ value: UInt64, _ name: String) throws(GenesisFault) {
        guard value <= 3_600_000 else {
            throw GenesisFault(
                "parameters.consensus.\(name)",
                "\(value) ms; at most an hour, 3600000 ms, is allowed")
        }
    }
}
