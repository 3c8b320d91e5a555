internal import ArgumentParser
internal import Execution
internal import Primitives
internal import Runtime

/// `offpeak genesis new`
struct GenesisNewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make the genesis file of a new network.",
        discussion: """
            A validator is a home folder made by `offpeak init` on this machine, or its keys: \
            HOME, HOME,STAKE, or VOTINGKEY,PEERID,STAKE, each with the address for its rewards as \
            a last part if that isn't the voting key's own.

              offpeak genesis new --network example --validator node0,5000000 \
            --validator opkpub1...,opknod1...,5000000 --account opkacc1...=1000000000 \
            --parameter consensus.idleMilliseconds=500 --out genesis.json
            """)

    /// A validator's stake where none is given.
    private static let standardStake = Amount(1_000_000)

    @Option(help: "The network's name: letters, digits, '-', '_' and '.'.")
    var network: String

    @Option(help: "What the network's ids begin with: 1 to 8 small letters.")
    var prefix = PrefixOptions.standard

    @Option(help: ArgumentHelp("A validator; several times.", valueName: "home-or-keys"))
    var validator: [String]

    @Option(
        help: ArgumentHelp(
            "An account: an address or a policy file, and its balance; several times.",
            valueName: "account=balance"))
    var account: [String] = []

    @Option(
        help: ArgumentHelp(
            "Who receives the treasury's share of fees (default: the first account).",
            valueName: "address"))
    var treasury: String?

    @Option(
        help: ArgumentHelp(
            "A parameter other than its default, such as fees.baseFee=2; several times.",
            valueName: "name=value"))
    var parameter: [String] = []

    @Option(
        help: ArgumentHelp("The time of height 0 (default: now).", valueName: "time"),
        transform: { try TimeText($0) })
    var time: TimeText?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to write (default: stdout).", valueName: "file"))
    var out: String?

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let prefix = try NetworkContext.prefix(prefix)
        var validators: [GenesisValidator] = []
        for text in validator { validators.append(try parseValidator(text, prefix)) }
        var accounts: [GenesisAccount] = []
        for text in account { accounts.append(try parseAccount(text, prefix)) }
        let genesis = try genesis(
            validators, accounts, treasury: try treasury(prefix, accounts, validators))
        let text = try GenesisEdit.text(
            of: genesis, stakes: validators.map(\.stake), parameters: parameter)
        guard let out, out != "-" else { return Terminal.output.write(text) }
        let changed = try GenesisText.parse(Array(text.utf8), file: out)
        try TextFile.write(text, to: out)
        let format = output.format
        format.show(GenesisSummary(changed)) {
            "wrote \(out). Chain id: " + format.palette.paint("\(changed.chainID)", .bold)
        }
    }

    /// The genesis with every stake at its default: whether the given ones are enough depends on
    /// parameters that are set later.
    private func genesis(
        _ validators: [GenesisValidator], _ accounts: [GenesisAccount], treasury: Address
    ) throws(CommandFault) -> Genesis {
        let now = WallClock.now
        let start: Timestamp
        do throws(TextFault) {
            start = try time?.resolved(at: now) ?? now
        } catch {
            throw .usage("--time: \(error)")
        }
        do throws(GenesisFault) {
            return try Genesis(
                network: network, prefix: prefix, time: start, accounts: accounts,
                validators: validators.map {
                    GenesisValidator(
                        votingKey: $0.votingKey, peerID: $0.peerID,
                        rewardAddress: $0.rewardAddress,
                        stake: GenesisNewCommand.standardStake)
                },
                parameters: LedgerParameters(fees: .init(treasury: treasury)))
        } catch {
            throw CommandFault(error.description)
        }
    }

    private func treasury(
        _ prefix: NetworkPrefix, _ accounts: [GenesisAccount], _ validators: [GenesisValidator]
    ) throws(CommandFault) -> Address {
        if let treasury { return try IDText.parse(treasury, in: prefix) }
        return accounts.first?.address ?? validators.first?.rewardAddress ?? .zero
    }

    private func parseAccount(
        _ text: String, _ prefix: NetworkPrefix
    ) throws(CommandFault) -> GenesisAccount {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw .usage("--account \"\(text)\": address=balance is wanted")
        }
        let owner: GenesisAccount.Owner =
            if IDText.prefix(of: String(parts[0])) != nil {
                .address(try IDText.parse(String(parts[0]), in: prefix))
            } else {
                .policy(try PolicyFile.read(String(parts[0])).policy)
            }
        return GenesisAccount(owner: owner, balance: try amount(parts[1], of: text))
    }

    private func amount(_ digits: Substring, of text: String) throws(CommandFault) -> Amount {
        do throws(AmountText.Fault) {
            return try AmountText.parse(digits)
        } catch {
            throw .usage("\"\(text)\": \(error)")
        }
    }
}

// Validators.
extension GenesisNewCommand {
    private func parseValidator(
        _ text: String, _ prefix: NetworkPrefix
    ) throws(CommandFault) -> GenesisValidator {
        var parts = text.split(separator: ",", omittingEmptySubsequences: false)[...]
        let keys = try validatorKeys(&parts, of: text, prefix)
        let stake = try parts.popFirst().map { digits throws(CommandFault) in
            try amount(digits, of: text)
        }
        let reward: Address? = try parts.popFirst().map { name throws(CommandFault) in
            try IDText.parse(String(name), in: prefix)
        }
        guard parts.isEmpty else {
            throw .usage(
                "--validator \"\(text)\": too many parts; HOME,STAKE,REWARDADDRESS or "
                    + "VOTINGKEY,PEERID,STAKE,REWARDADDRESS is wanted")
        }
        return GenesisValidator(
            votingKey: keys.voting, peerID: keys.peer,
            rewardAddress: reward ?? Policy.single(keys.voting).address,
            stake: stake ?? GenesisNewCommand.standardStake)
    }

    /// Takes the keys from the front of `parts`: one part for a home, two for keys.
    private func validatorKeys(
        _ parts: inout ArraySlice<Substring>, of text: String, _ prefix: NetworkPrefix
    ) throws(CommandFault) -> (voting: PublicKey, peer: PeerID) {
        let first = String(parts.popFirst() ?? "")
        guard IDText.prefix(of: first) == nil else {
            guard let peer = parts.popFirst() else {
                throw .usage("--validator \"\(text)\": the peer id is missing after the key")
            }
            return (
                try IDText.parse(first, in: prefix), try IDText.parse(String(peer), in: prefix)
            )
        }
        let home = Home(first)
        let voting = try KeyStoreFile.read(home.validatorKey, as: .voting)
        let identity = try KeyStoreFile.read(home.identityKey, as: .identity)
        return (voting.secretKey.publicKey, PeerID(identity.secretKey.publicKey))
    }
}
