package import Execution
internal import Primitives

/// A genesis as JSON that people read and write.
///
/// ```
/// {
///   "network": "demo", "prefix": "opk", "time": 1795449600000,
///   "accounts": [
///     {"address": "opkacc1...", "balance": "1000000"},
///     {"policy": {"signers": [{"publicKey": "opkpub1...", "weight": 1}], "spend": 1, "admin": 1},
///      "balance": "1000000"}
///   ],
///   "validators": [
///     {"votingKey": "opkpub1...", "peerID": "opknod1...", "rewardAddress": "opkacc1...",
///      "stake": "1000000"}
///   ],
///   "verifiers": [
///     {"key": "opkpub1...", "peerID": "opknod1...", "rewardAddress": "opkacc1...",
///      "bond": "1000000"}
///   ],
///   "parameters": {"fees": {"treasury": "opkacc1...", ...}, "stake": {...}, "escrow": {...},
///                  "consensus": {...}, "batches": {...}, "verification": {...}}
/// }
/// ```
///
/// Amounts are decimal text in the smallest unit (plain numbers are read too), times and durations
/// milliseconds. `verifiers` may be left out, and of the parameters all but `fees.treasury`, which
/// have defaults.
package enum GenesisFile {
    /// A million accounts of some 200 bytes each.
    package static let bytesMax = 256 << 20

    /// The genesis in a file.
    /// - Throws: `HomeFault` with line, path, what is wrong and what would be right.
    package static func load(_ file: String) throws(HomeFault) -> Genesis {
        let text = try Home.readText(file, maximum: bytesMax)
        do throws(DocumentFault) {
            return try parse(text, file: file)
        } catch {
            throw HomeFault(error.description)
        }
    }

    /// The genesis that `text` describes; `file` is named in faults.
    package static func parse(_ text: String, file: String) throws(DocumentFault) -> Genesis {
        guard text.first(where: { !$0.isWhitespace }) == "{" else {
            throw DocumentFault(
                file: file, line: 1, path: "",
                message: "isn't JSON: a genesis is an object that starts with {")
        }
        let root = try Document(parsing: text, file: file)
        let fields = try root.fields([
            "network", "prefix", "time", "accounts", "validators", "verifiers", "parameters",
        ])
        let prefix = try root.required("prefix", fields).networkPrefix()
        let reader = GenesisReader(network: prefix)
        let network = try root.required("network", fields).text()
        let time = try root.required("time", fields).number(0...UInt64(1) << 53)
        let accounts = try reader.accounts(try root.required("accounts", fields))
        let validators = try reader.validators(try root.required("validators", fields))
        let verifiers = try reader.verifiers(fields["verifiers"])
        let parameters = try reader.parameters(try root.required("parameters", fields))
        do throws(GenesisFault) {
            try Genesis.checkKeys(of: accounts, validators, verifiers)
            return try Genesis(
                network: network, prefix: prefix.text, time: Timestamp(time), accounts: accounts,
                validators: validators, verifiers: verifiers, parameters: parameters)
        } catch {
            throw root.fault(error.problem, at: error.path)
        }
    }
}

/// Reads the parts of a genesis file whose ids belong to one network.
private struct GenesisReader {
    let network: NetworkPrefix

    func accounts(_ list: Document) throws(DocumentFault) -> [GenesisAccount] {
        var accounts: [GenesisAccount] = []
        for element in try list.elements(maximum: Genesis.accountsMax) {
            accounts.append(try account(element))
        }
        return accounts
    }

    private func account(_ element: Document) throws(DocumentFault) -> GenesisAccount {
        let fields = try element.fields(["address", "policy", "balance"])
        let balance = try element.required("balance", fields).amount()
        switch (fields["address"], fields["policy"]) {
        case (let address?, nil):
            let owner = GenesisAccount.Owner.address(try address.id(in: network))
            return GenesisAccount(owner: owner, balance: balance)
        case (nil, let policy?):
            return GenesisAccount(owner: .policy(try self.policy(policy)), balance: balance)
        default:
            throw element.fault("an account needs either an address or a policy")
        }
    }

    private func policy(_ element: Document) throws(DocumentFault) -> Policy {
        let fields = try element.fields(["signers", "spend", "admin"])
        let list = try element.required("signers", fields)
        var signers: [Policy.Signer] = []
        for signer in try list.elements(maximum: TransactionLimits.policySignersMax) {
            let parts = try signer.fields(["publicKey", "weight"])
            signers.append(
                Policy.Signer(
                    publicKey: try signer.required("publicKey", parts).id(in: network),
                    weight: try signer.required("weight", parts).small()))
        }
        let thresholds = UInt64(0)...UInt64(UInt32.max)
        let spend = try element.required("spend", fields).number(thresholds)
        let admin = try element.required("admin", fields).number(thresholds)
        do throws(Policy.Fault) {
            return try Policy(signers: signers, spend: UInt32(spend), admin: UInt32(admin))
        } catch {
            throw element.fault(error.description)
        }
    }

    func validators(_ list: Document) throws(DocumentFault) -> [GenesisValidator] {
        var validators: [GenesisValidator] = []
        for element in try list.elements(maximum: Committee.countMax) {
            let fields = try element.fields(["votingKey", "peerID", "rewardAddress", "stake"])
            validators.append(
                GenesisValidator(
                    votingKey: try element.required("votingKey", fields).id(in: network),
                    peerID: try element.required("peerID", fields).id(in: network),
                    rewardAddress: try element.required("rewardAddress", fields).id(in: network),
                    stake: try element.required("stake", fields).amount()))
        }
        return validators
    }

    func verifiers(_ list: Document?) throws(DocumentFault) -> [GenesisVerifier] {
        var verifiers: [GenesisVerifier] = []
        for element in try list?.elements(maximum: VerifierSet.countMax) ?? [] {
            let fields = try element.fields(["key", "peerID", "rewardAddress", "bond"])
            verifiers.append(
                GenesisVerifier(
                    key: try element.required("key", fields).id(in: network),
                    peerID: try element.required("peerID", fields).id(in: network),
                    rewardAddress: try element.required("rewardAddress", fields).id(in: network),
                    bond: try element.required("bond", fields).amount()))
        }
        return verifiers
    }

    func parameters(_ section: Document) throws(DocumentFault) -> LedgerParameters {
        let fields = try section.fields([
            "fees", "stake", "escrow", "consensus", "batches", "verification", "governance",
            "safeguards",
        ])
        return LedgerParameters(
            fees: try fees(try section.required("fees", fields)),
            stake: try stake(fields["stake"]), escrow: try escrow(fields["escrow"]),
            consensus: try consensus(fields["consensus"]), batches: try batches(fields["batches"]),
            verification: try verification(fields["verification"]),
            governance: try governance(fields["governance"]),
            safeguards: try safeguards(fields["safeguards"]))
    }

    private func governance(_ section: Document?) throws(DocumentFault) -> GovernanceParameters {
        let usual = GovernanceParameters()
        let fields =
            try section?.fields([
                "governed", "voteBlocks", "delayBlocks", "approvalPermille", "deposit",
            ]) ?? [:]
        var governed: [GovernedParameter] = []
        let most = GovernedParameter.allCases.count
        for element in try fields["governed"]?.elements(maximum: most) ?? [] {
            guard let parameter = GovernedParameter(name: try element.text()) else {
                let names = GovernedParameter.allCases.map(\.name).joined(separator: ", ")
                throw element.fault("no parameter that can be governed; there are \(names)")
            }
            governed.append(parameter)
        }
        let numbers = NumberFields(fields: fields)
        return GovernanceParameters(
            governed: governed, voteBlocks: try numbers.value("voteBlocks", usual.voteBlocks),
            delayBlocks: try numbers.value("delayBlocks", usual.delayBlocks),
            approvalPermille: try numbers.value("approvalPermille", usual.approvalPermille),
            deposit: Amount(try numbers.value("deposit", usual.deposit.rawValue)))
    }

    private func safeguards(_ section: Document?) throws(DocumentFault) -> SafeguardParameters {
        let usual = SafeguardParameters()
        let numbers = try NumberFields(
            section, ["windowMillisecondsMin", "delayMillisecondsMin"])
        return SafeguardParameters(
            windowMillisecondsMin: try numbers.value(
                "windowMillisecondsMin", usual.windowMillisecondsMin),
            delayMillisecondsMin: try numbers.value(
                "delayMillisecondsMin", usual.delayMillisecondsMin))
    }

    private func fees(_ section: Document) throws(DocumentFault) -> FeeParameters {
        let fields = try section.fields([
            "baseFee", "byteWeight", "signatureWeight", "writeWeight", "streamDeposit",
            "escrowDeposit", "holdingDeposit", "assetDeposit", "targetWeight",
            "changeDenominator", "shares", "treasury",
        ])
        let treasury: Address = try section.required("treasury", fields).id(in: network)
        let usual = FeeParameters(treasury: treasury)
        let numbers = NumberFields(fields: fields)
        return FeeParameters(
            baseFee: Amount(try numbers.value("baseFee", usual.baseFee.rawValue)),
            byteWeight: try numbers.value("byteWeight", usual.byteWeight),
            signatureWeight: try numbers.value("signatureWeight", usual.signatureWeight),
            writeWeight: try numbers.value("writeWeight", usual.writeWeight),
            streamDeposit: Amount(
                try numbers.value("streamDeposit", usual.streamDeposit.rawValue)),
            escrowDeposit: Amount(
                try numbers.value("escrowDeposit", usual.escrowDeposit.rawValue)),
            holdingDeposit: Amount(
                try numbers.value("holdingDeposit", usual.holdingDeposit.rawValue)),
            assetDeposit: Amount(try numbers.value("assetDeposit", usual.assetDeposit.rawValue)),
            targetWeight: try numbers.value("targetWeight", usual.targetWeight),
            changeDenominator: try numbers.value("changeDenominator", usual.changeDenominator),
            shares: try shares(fields["shares"]), treasury: treasury)
    }

    private func shares(_ section: Document?) throws(DocumentFault) -> FeeShares {
        let usual = FeeShares()
        let numbers = try NumberFields(section, ["owner", "verifiers", "proposer", "treasury"])
        return FeeShares(
            owner: try numbers.value("owner", usual.owner),
            verifiers: try numbers.value("verifiers", usual.verifiers),
            proposer: try numbers.value("proposer", usual.proposer),
            treasury: try numbers.value("treasury", usual.treasury))
    }

    private func stake(_ section: Document?) throws(DocumentFault) -> StakeParameters {
        let usual = StakeParameters()
        let numbers = try NumberFields(
            section, ["minimum", "unit", "epochBlocks", "validatorsMax"])
        return StakeParameters(
            minimum: Amount(try numbers.value("minimum", usual.minimum.rawValue)),
            unit: Amount(try numbers.value("unit", usual.unit.rawValue)),
            epochBlocks: try numbers.value("epochBlocks", usual.epochBlocks),
            validatorsMax: try numbers.value("validatorsMax", usual.validatorsMax))
    }

    private func escrow(_ section: Document?) throws(DocumentFault) -> EscrowParameters {
        let usual = EscrowParameters()
        let numbers = try NumberFields(
            section, ["expiriesPerBlockMax", "durationMillisecondsMax"])
        return EscrowParameters(
            expiriesPerBlockMax: try numbers.value(
                "expiriesPerBlockMax", usual.expiriesPerBlockMax),
            durationMillisecondsMax: try numbers.value(
                "durationMillisecondsMax", usual.durationMillisecondsMax))
    }

    private func consensus(_ section: Document?) throws(DocumentFault) -> ConsensusParameters {
        let usual = ConsensusParameters()
        let numbers = try NumberFields(
            section,
            [
                "deltaBaseMilliseconds", "deltaMaxMilliseconds", "idleMilliseconds",
                "maxDelayMilliseconds", "maxDriftMilliseconds", "executionLagMax",
            ])
        return ConsensusParameters(
            deltaBaseMilliseconds: try numbers.value(
                "deltaBaseMilliseconds", usual.deltaBaseMilliseconds),
            deltaMaxMilliseconds: try numbers.value(
                "deltaMaxMilliseconds", usual.deltaMaxMilliseconds),
            idleMilliseconds: try numbers.value("idleMilliseconds", usual.idleMilliseconds),
            maxDelayMilliseconds: try numbers.value(
                "maxDelayMilliseconds", usual.maxDelayMilliseconds),
            maxDriftMilliseconds: try numbers.value(
                "maxDriftMilliseconds", usual.maxDriftMilliseconds),
            executionLagMax: try numbers.value("executionLagMax", usual.executionLagMax))
    }

    private func batches(_ section: Document?) throws(DocumentFault) -> BatchParameters {
        let usual = BatchParameters()
        let numbers = try NumberFields(section, ["transactionsMax", "bytesMax", "expiryBlocks"])
        return BatchParameters(
            transactionsMax: try numbers.value("transactionsMax", usual.transactionsMax),
            bytesMax: try numbers.value("bytesMax", usual.bytesMax),
            expiryBlocks: try numbers.value("expiryBlocks", usual.expiryBlocks))
    }

    private func verification(
        _ section: Document?
    ) throws(DocumentFault) -> VerificationParameters {
        let usual = VerificationParameters()
        let fields = try section?.fields([
            "spread", "periodBlocks", "termBlocks", "complaintBlocks", "minimumBond",
            "unbondBlocks", "slashPermille", "repeatSlashPermille", "reporterPermille",
        ])
        let numbers = NumberFields(fields: fields ?? [:])
        return VerificationParameters(
            spread: try fields?["spread"]?.boolean() ?? usual.spread,
            periodBlocks: try numbers.value("periodBlocks", usual.periodBlocks),
            termBlocks: try numbers.value("termBlocks", usual.termBlocks),
            complaintBlocks: try numbers.value("complaintBlocks", usual.complaintBlocks),
            minimumBond: Amount(try numbers.value("minimumBond", usual.minimumBond.rawValue)),
            unbondBlocks: try numbers.value("unbondBlocks", usual.unbondBlocks),
            slashPermille: try numbers.value("slashPermille", usual.slashPermille),
            repeatSlashPermille: try numbers.value(
                "repeatSlashPermille", usual.repeatSlashPermille),
            reporterPermille: try numbers.value("reporterPermille", usual.reporterPermille))
    }
}

/// Numbers of a section, with what holds where one is left out.
private struct NumberFields {
    private let fields: [String: Document]

    init(fields: [String: Document]) { self.fields = fields }

    init(_ section: Document?, _ known: [String]) throws(DocumentFault) {
        fields = try section?.fields(known) ?? [:]
    }

    func value<Value: FixedWidthInteger & UnsignedInteger>(
        _ name: String, _ usual: Value
    ) throws(DocumentFault) -> Value {
        guard let field = fields[name] else { return usual }
        return Value(try field.number(0...UInt64(Value.max)))
    }
}
