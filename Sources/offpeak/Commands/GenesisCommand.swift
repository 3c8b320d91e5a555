internal import ArgumentParser
internal import Execution
internal import Primitives
internal import RPC

/// `offpeak genesis`
struct GenesisCommand: AsyncParsableCommand {
    static let configuration = group(
        "genesis", "What a network starts from.",
        [GenesisNewCommand.self, CheckCommand.self, ShowCommand.self])

    /// `offpeak genesis check`
    struct CheckCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Check a genesis file and tell its chain id.",
            discussion: "A fault is told with its line, its path and what would be right.")

        @Argument(help: "The genesis file (- for stdin).")
        var file: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            let genesis = try GenesisText.read(file)
            let summary = GenesisSummary(genesis)
            let format = output.format
            format.show(summary) {
                "\(file) is sound. Chain id: "
                    + format.palette.paint(summary.chainID, .bold)
            }
        }
    }

    /// `offpeak genesis show`
    struct ShowCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "A genesis file as tables.")

        @Argument(help: "The genesis file (- for stdin).")
        var file: String

        @Option(help: "How many accounts to list.")
        var accounts = 20

        @OptionGroup var output: OutputOptions

        mutating func validate() throws {
            guard accounts >= 0 else {
                throw ValidationError("--accounts \(accounts): 0 or more are wanted")
            }
        }

        func run() throws {
            let genesis = try GenesisText.read(file)
            let prefix = try NetworkContext.prefix(genesis.prefix)
            let format = output.format
            format.show(GenesisSummary(genesis)) {
                GenesisTables(genesis: genesis, prefix: prefix, palette: format.palette)
                    .text(accountsMax: accounts)
            }
        }
    }
}

/// A genesis in short, for programs.
struct GenesisSummary: Encodable, Sendable {
    let network: String
    let prefix: String
    let chainID: String
    let time: UInt64
    let supply: String
    let accounts: Int
    let validators: Int
    let verifiers: Int
    let totalWeight: UInt64
    let quorum: UInt64

    init(_ genesis: Genesis) {
        network = genesis.network
        prefix = genesis.prefix
        chainID = genesis.chainID.description
        time = genesis.time.rawValue
        supply = genesis.supply.description
        accounts = genesis.accounts.count
        validators = genesis.validators.count
        verifiers = genesis.verifiers.count
        totalWeight = genesis.committee.totalWeight
        quorum = genesis.committee.quorum
    }
}

/// A genesis for people.
private struct GenesisTables {
    let genesis: Genesis
    let prefix: NetworkPrefix
    let palette: Palette

    func text(accountsMax: Int) -> String {
        let head = Sheet([
            "network": genesis.network,
            "prefix": genesis.prefix,
            "chain": "\(genesis.chainID)",
            "time": ISOTime.text(genesis.time),
            "supply": "\(genesis.supply)",
        ]).text(palette)
        let hidden = genesis.accounts.count - accountsMax
        let rest = hidden > 0 ? "\n(\(hidden) more accounts)" : ""
        let others = genesis.verifiers.isEmpty ? [] : [verifiers]
        let parts = [head, validators] + others + [accounts(accountsMax) + rest, parameters]
        return parts.joined(separator: "\n\n")
    }

    private var validators: String {
        Table(
            [
                .number("INDEX"), .number("STAKE"), .number("WEIGHT"), .text("VOTING KEY"),
                .text("PEER"), .text("REWARDS TO"),
            ],
            zip(genesis.validators, genesis.committee.validators).enumerated().map { place, both in
                [
                    "\(place)", "\(both.0.stake)", "\(both.1.weight)",
                    both.0.votingKey.text(in: prefix), both.0.peerID.text(in: prefix),
                    both.0.rewardAddress.text(in: prefix),
                ]
            }
        ).text(palette)
    }

    private var verifiers: String {
        Table(
            [.number("BOND"), .text("VERIFIER"), .text("PEER"), .text("REWARDS TO")],
            genesis.verifiers.map { verifier in
                [
                    "\(verifier.bond)", verifier.key.text(in: prefix),
                    verifier.peerID.text(in: prefix), verifier.rewardAddress.text(in: prefix),
                ]
            }
        ).text(palette)
    }

    private func accounts(_ most: Int) -> String {
        Table(
            [.text("ACCOUNT"), .number("BALANCE"), .text("POLICY")],
            genesis.accounts.prefix(most).map { account in
                [
                    account.address.text(in: prefix), "\(account.balance)",
                    account.policy.map { "\($0.spend) of \($0.signers.count) signers" } ?? "-",
                ]
            }
        ).text(palette, empty: "(no accounts)")
    }

    private var parameters: String {
        let fees = genesis.parameters.fees
        let shares = fees.shares
        let escrow = genesis.parameters.escrow
        let stake = genesis.parameters.stake
        let consensus = genesis.parameters.consensus
        let batches = genesis.parameters.batches
        var sheet = Sheet(["fee": "\(fees.baseFee) for each unit of weight"])
        sheet.add(
            "of weight",
            list: [
                "\(fees.byteWeight) a byte", "\(fees.signatureWeight) a signature",
                "\(fees.writeWeight) an operation",
            ])
        sheet.add(
            "fee shares",
            list: [
                "owner \(shares.owner) of 1000", "verifiers \(shares.verifiers)",
                "proposer \(shares.proposer)", "treasury \(shares.treasury)",
            ])
        sheet.add("treasury", fees.treasury.text(in: prefix))
        sheet.add("deposits", list: RPC.FeeParameters(fees).deposits)
        sheet.add("stake", "at least \(stake.minimum), \(stake.unit) for each vote")
        let duration = TimeSpan(milliseconds: escrow.durationMillisecondsMax)
        sheet.add("escrow", "at most \(duration), \(escrow.expiriesPerBlockMax) expiries a block")
        let safeguards = genesis.parameters.safeguards
        let window = TimeSpan(milliseconds: safeguards.windowMillisecondsMin)
        sheet.add("spending limits", "for \(window) or longer")
        let delay = TimeSpan(milliseconds: safeguards.delayMillisecondsMin)
        sheet.add("recoveries", "after \(delay) or longer")
        let delays = (consensus.deltaBaseMilliseconds, consensus.deltaMaxMilliseconds)
        sheet.add("message delay", "\(delays.0) to \(delays.1) ms")
        sheet.add("idle", "\(consensus.idleMilliseconds) ms")
        let bytes = AnswerText.bytes(UInt64(batches.bytesMax))
        sheet.add("batches", "at most \(batches.transactionsMax) transactions, \(bytes)")
        let verification = genesis.parameters.verification
        sheet.add(
            "signatures",
            verification.spread ? "checked by bonds above a third" : "checked by every validator")
        sheet.add(
            "verifiers",
            list: [
                "bond at least \(verification.minimumBond)",
                "sets for \(verification.periodBlocks) blocks",
                "unbonding takes \(verification.unbondBlocks) blocks",
            ])
        let staking = genesis.parameters.stake
        sheet.add(
            "epochs",
            list: [
                "of \(staking.epochBlocks) blocks", "at most \(staking.validatorsMax) validators",
                "stake at least \(staking.minimum)",
            ])
        sheet.add(
            "slashing",
            list: [
                "first \(verification.slashPermille) of 1000",
                "again \(verification.repeatSlashPermille)",
                "reporter gets \(verification.reporterPermille) of 1000 of it",
            ])
        return sheet.text(palette)
    }
}
