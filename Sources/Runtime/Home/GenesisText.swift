package import Execution
internal import Primitives

extension GenesisFile {
    /// The file's text for a genesis: always the same for the same genesis, one account, validator
    /// or verifier a line, every parameter with its value.
    package static func text(of genesis: Genesis) -> String {
        let ids = IDText(prefix: genesis.prefix)
        let accounts = genesis.accounts.map { "    " + line(of: $0, ids) }
        let validators = genesis.validators.map { "    " + line(of: $0, ids) }
        let verifiers = genesis.verifiers.map { "    " + line(of: $0, ids) }
        return """
            {
              "network": "\(genesis.network)",
              "prefix": "\(genesis.prefix)",
              "time": \(genesis.time),
              "accounts": \(list(accounts)),
              "validators": \(list(validators)),
              "verifiers": \(list(verifiers)),
              "parameters": {
            \(parameters(genesis.parameters, ids))
              }
            }

            """
    }

    private static func list(_ lines: [String]) -> String {
        lines.isEmpty ? "[]" : "[\n" + lines.joined(separator: ",\n") + "\n  ]"
    }

    private static func line(of account: GenesisAccount, _ ids: IDText) -> String {
        switch account.owner {
        case .address(let address):
            return object([("address", ids(address)), ("balance", quoted(account.balance))])
        case .policy(let policy):
            let signers = policy.signers.map { signer in
                object([("publicKey", ids(signer.publicKey)), ("weight", "\(signer.weight)")])
            }
            let text = object([
                ("signers", "[" + signers.joined(separator: ", ") + "]"),
                ("spend", "\(policy.spend)"), ("admin", "\(policy.admin)"),
            ])
            return object([("policy", text), ("balance", quoted(account.balance))])
        }
    }

    private static func line(of validator: GenesisValidator, _ ids: IDText) -> String {
        object([
            ("votingKey", ids(validator.votingKey)), ("peerID", ids(validator.peerID)),
            ("rewardAddress", ids(validator.rewardAddress)), ("stake", quoted(validator.stake)),
        ])
    }

    private static func line(of verifier: GenesisVerifier, _ ids: IDText) -> String {
        object([
            ("key", ids(verifier.key)), ("peerID", ids(verifier.peerID)),
            ("rewardAddress", ids(verifier.rewardAddress)), ("bond", quoted(verifier.bond)),
        ])
    }

    private static func parameters(_ parameters: LedgerParameters, _ ids: IDText) -> String {
        let consensus = parameters.consensus
        let sections = [
            ("fees", fees(parameters.fees, ids)),
            (
                "stake",
                [
                    ("minimum", quoted(parameters.stake.minimum)),
                    ("unit", quoted(parameters.stake.unit)),
                    ("epochBlocks", "\(parameters.stake.epochBlocks)"),
                    ("validatorsMax", "\(parameters.stake.validatorsMax)"),
                ]
            ),
            (
                "escrow",
                [
                    ("expiriesPerBlockMax", "\(parameters.escrow.expiriesPerBlockMax)"),
                    ("durationMillisecondsMax", "\(parameters.escrow.durationMillisecondsMax)"),
                ]
            ),
            (
                "consensus",
                [
                    ("deltaBaseMilliseconds", "\(consensus.deltaBaseMilliseconds)"),
                    ("deltaMaxMilliseconds", "\(consensus.deltaMaxMilliseconds)"),
                    ("idleMilliseconds", "\(consensus.idleMilliseconds)"),
                    ("maxDelayMilliseconds", "\(consensus.maxDelayMilliseconds)"),
                    ("maxDriftMilliseconds", "\(consensus.maxDriftMilliseconds)"),
                    ("executionLagMax", "\(consensus.executionLagMax)"),
                ]
            ),
            (
                "batches",
                [
                    ("transactionsMax", "\(parameters.batches.transactionsMax)"),
                    ("bytesMax", "\(parameters.batches.bytesMax)"),
                    ("expiryBlocks", "\(parameters.batches.expiryBlocks)"),
                ]
            ),
            ("verification", verification(parameters.verification)),
            ("governance", governance(parameters.governance)),
            (
                "safeguards",
                [
                    (
                        "windowMillisecondsMin",
                        "\(parameters.safeguards.windowMillisecondsMin)"
                    ),
                    ("delayMillisecondsMin", "\(parameters.safeguards.delayMillisecondsMin)"),
                ]
            ),
        ]
        return sections.map { "    \"\($0.0)\": \(object($0.1))" }.joined(separator: ",\n")
    }

    private static func fees(_ fees: FeeParameters, _ ids: IDText) -> [(String, String)] {
        [
            ("baseFee", quoted(fees.baseFee)), ("byteWeight", "\(fees.byteWeight)"),
            ("signatureWeight", "\(fees.signatureWeight)"),
            ("writeWeight", "\(fees.writeWeight)"),
            ("streamDeposit", quoted(fees.streamDeposit)),
            ("escrowDeposit", quoted(fees.escrowDeposit)),
            ("holdingDeposit", quoted(fees.holdingDeposit)),
            ("assetDeposit", quoted(fees.assetDeposit)),
            ("targetWeight", "\(fees.targetWeight)"),
            ("changeDenominator", "\(fees.changeDenominator)"),
            (
                "shares",
                object([
                    ("owner", "\(fees.shares.owner)"), ("verifiers", "\(fees.shares.verifiers)"),
                    ("proposer", "\(fees.shares.proposer)"),
                    ("treasury", "\(fees.shares.treasury)"),
                ])
            ),
            ("treasury", ids(fees.treasury)),
        ]
    }

    private static func verification(
        _ verification: VerificationParameters
    ) -> [(String, String)] {
        [
            ("spread", "\(verification.spread)"), ("periodBlocks", "\(verification.periodBlocks)"),
            ("termBlocks", "\(verification.termBlocks)"),
            ("complaintBlocks", "\(verification.complaintBlocks)"),
            ("minimumBond", quoted(verification.minimumBond)),
            ("unbondBlocks", "\(verification.unbondBlocks)"),
            ("slashPermille", "\(verification.slashPermille)"),
            ("repeatSlashPermille", "\(verification.repeatSlashPermille)"),
            ("reporterPermille", "\(verification.reporterPermille)"),
        ]
    }

    private static func governance(_ governance: GovernanceParameters) -> [(String, String)] {
        let names = governance.governed.map { "\"\($0.name)\"" }
        return [
            ("governed", "[" + names.joined(separator: ", ") + "]"),
            ("voteBlocks", "\(governance.voteBlocks)"),
            ("delayBlocks", "\(governance.delayBlocks)"),
            ("approvalPermille", "\(governance.approvalPermille)"),
            ("deposit", quoted(governance.deposit)),
        ]
    }

    /// Values that are JSON already.
    private static func object(_ pairs: [(String, String)]) -> String {
        "{" + pairs.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
    }

    private static func quoted(_ amount: Amount) -> String { "\"\(amount)\"" }
}

/// Ids as quoted text of one network.
private struct IDText {
    let prefix: String

    func callAsFunction<ID: HumanIdentifier>(_ id: ID) -> String {
        "\"\(Bech32m.encode(prefix: prefix + ID.humanKind.rawValue, id.bytes))\""
    }
}
