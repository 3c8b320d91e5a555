internal import ArgumentParser
internal import Primitives
internal import RPC

/// `offpeak account limits`
struct AccountLimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Bound what may leave an account with less than the admin threshold.",
        discussion: """
            The signatures must reach the admin threshold, which is also what a payment above the \
            limit takes. A window begins with the first payment after the last one ended. Fees \
            and deposits count. `offpeak account show` tells what is left.

              offpeak account limits --limit 5000/24h --policy ours.policy --unsigned --out l.json
            """)

    @Option(
        help: ArgumentHelp(
            "How much in which time, of another asset behind its id and a colon; several times.",
            valueName: "amount/time"))
    var limit: [String] = []

    @Flag(help: "Take all limits away.")
    var none = false

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        guard limit.isEmpty == none else {
            throw ValidationError("either --limit or --none is wanted")
        }
        if signing.offline {
            throw ValidationError(
                "a node must tell which guardians to keep: build with --unsigned, sign off-line")
        }
    }

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let current = try await SafeguardPlace(of: builder.sender, builder).terms
        let limits = try LimitText.parse(limit, in: builder.network.prefix)
        try await Delivery(builder: builder, format: output.format).deliver([
            .setSafeguards(SafeguardTerms(limits: limits, guardians: current.guardians))
        ])
    }
}

/// `offpeak account guardians`
struct AccountGuardiansCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guardians",
        abstract: "Name who may replace an account's keys when they are lost.",
        discussion: """
            The signatures must reach the admin threshold. Guardians who reach their threshold \
            together propose a new policy with `offpeak recover propose`; while the delay runs, \
            the account can refuse it with `offpeak recover veto`.

              offpeak account guardians --set opkacc1...,opkacc1...,opkacc1...@2 --delay 7d --key k
            """)

    @Option(
        help: ArgumentHelp(
            "Addresses with weights and the threshold, as in escrows.",
            valueName: "address:weight,...@threshold"))
    var set: String?

    @Option(
        help: ArgumentHelp("How long the account has to object.", valueName: "time"),
        transform: { try TimeSpan($0) })
    var delay: TimeSpan?

    @Flag(help: "Take all guardians away.")
    var none = false

    @OptionGroup(title: "Transaction")
    var signing: SigningOptions
    @OptionGroup(title: "Node")
    var node: NodeOptions
    @OptionGroup var output: OutputOptions

    mutating func validate() throws {
        guard (set == nil) == none else {
            throw ValidationError("either --set or --none is wanted")
        }
        guard (set == nil) == (delay == nil) else {
            throw ValidationError("--set and --delay go together")
        }
        if signing.offline {
            throw ValidationError(
                "a node must tell which limits to keep: build with --unsigned, sign off-line")
        }
    }

    func run() async throws {
        let builder = try await TransactionBuilder(signing, node)
        let current = try await SafeguardPlace(of: builder.sender, builder).terms
        var guardians: Guardians?
        if let set, let delay {
            guardians = Guardians(
                quorum: try builder.network.quorum(set), delayMilliseconds: delay.milliseconds)
        }
        try await Delivery(builder: builder, format: output.format).deliver([
            .setSafeguards(SafeguardTerms(limits: current.limits, guardians: guardians))
        ])
    }
}

/// Spending limits on the command line: `5000/24h`, or `ASSET:5000/24h`.
enum LimitText {
    /// - Throws: `CommandFault` for other text, or an asset that is named twice.
    static func parse(
        _ texts: [String], in prefix: NetworkPrefix
    ) throws(CommandFault) -> [SpendingLimit] {
        var limits: [SpendingLimit] = []
        for text in texts {
            let limit = try parse(text, in: prefix)
            guard !limits.contains(where: { $0.asset == limit.asset }) else {
                throw .usage("--limit \(text): the asset has a limit already")
            }
            limits.append(limit)
        }
        guard limits.count <= TransactionLimits.spendingLimitsMax else {
            throw .usage("at most \(TransactionLimits.spendingLimitsMax) limits are allowed")
        }
        return limits
    }

    private static func parse(
        _ text: String, in prefix: NetworkPrefix
    ) throws(CommandFault) -> SpendingLimit {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let halves = (parts.last ?? "").split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, halves.count == 2 else {
            throw .usage("--limit \"\(text)\": an amount and a time are wanted, such as 5000/24h")
        }
        var asset = AssetID.native
        if parts.count == 2 {
            asset = try IDText.parse(String(parts[0]), in: prefix)
        }
        do {
            return SpendingLimit(
                asset: asset, amount: try AmountText.parse(halves[0]),
                windowMilliseconds: try TimeSpan(halves[1]).milliseconds)
        } catch {
            throw .usage("--limit \"\(text)\": \(error)")
        }
    }
}

/// The safeguards that an account has, as the node tells: what a command leaves out stays.
struct SafeguardPlace: Sendable {
    let terms: SafeguardTerms

    init(of account: Address, _ builder: TransactionBuilder) async throws(CommandFault) {
        guard let client = builder.client else {
            throw .usage("a node must tell which safeguards the account has")
        }
        let text = builder.network.text(account)
        let info = try await client.find { rpc throws(RPCClientFault) in
            try await rpc.account(text)
        }
        try self.init(info?.safeguards, in: builder.network.prefix)
    }

    init(_ info: SafeguardsInfo?, in prefix: NetworkPrefix) throws(CommandFault) {
        var limits: [SpendingLimit] = []
        for limit in info?.limits ?? [] {
            let asset =
                limit.asset == "native"
                ? AssetID.native
                : try IDText.parse(limit.asset, in: prefix)
            limits.append(
                SpendingLimit(
                    asset: asset, amount: limit.amount,
                    windowMilliseconds: limit.windowMilliseconds))
        }
        var guardians: Guardians?
        if let known = info?.guardians {
            guardians = Guardians(
                quorum: try Quorum(known.quorum, in: prefix),
                delayMilliseconds: known.delayMilliseconds)
        }
        terms = SafeguardTerms(limits: limits, guardians: guardians)
    }
}

extension Quorum {
    /// The quorum that a node tells.
    init(_ info: QuorumInfo, in prefix: NetworkPrefix) throws(CommandFault) {
        var members: [Member] = []
        for member in info.members {
            members.append(
                Member(
                    address: try IDText.parse(member.address, in: prefix), weight: member.weight))
        }
        do throws(Fault) {
            try self.init(members: members, threshold: info.threshold)
        } catch {
            throw CommandFault("the node told an impossible quorum: \(error)")
        }
    }
}
