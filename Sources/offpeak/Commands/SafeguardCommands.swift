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
            limit takes. A window begins with the first payment after the last one ended. Tips \
            and deposits count, the base fee doesn't. `offpeak account show` tells what is left. \
            Limits count what the account itself loses, so that what an issuer mints counts \
            against none; and a payment that all admin keys signed can still be counted against a \
            limit when somebody who passes it on takes signatures away (its id stays the same).

            Where the admin threshold takes every key, one lost key would leave limits in force \
            for ever, unless the account has guardians: such limits need --without-guardians.

              offpeak account limits --limit 5000/24h --policy ours.policy --unsigned --out l.json
            """)

    @Option(
        help: ArgumentHelp(
            "How much in which time, of another asset behind its id and a colon; several times.",
            valueName: "amount/time"))
    var limit: [String] = []

    @Flag(help: "Take all limits away.")
    var none = false

    @OptionGroup var trap: LimitTrapOption

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
        let current = try await SafeguardPlace(of: builder.sender, builder)
        let terms = SafeguardTerms(
            limits: try LimitText.parse(limit, in: builder.network.prefix),
            guardians: current.terms.guardians)
        try trap.check(terms, current.policy)
        try await Delivery(builder: builder, format: output.format)
            .deliver([.setSafeguards(terms)])
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

    @OptionGroup var trap: LimitTrapOption

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
        let current = try await SafeguardPlace(of: builder.sender, builder)
        var guardians: Guardians?
        if let set, let delay {
            guardians = Guardians(
                quorum: try builder.network.quorum(set), delayMilliseconds: delay.milliseconds)
        }
        let terms = SafeguardTerms(limits: current.terms.limits, guardians: guardians)
        try trap.check(terms, current.policy)
        for asset in current.retired {
            output.format.remark("the limit of \(asset) is left out: the asset was retired")
        }
        try await Delivery(builder: builder, format: output.format)
            .deliver([.setSafeguards(terms)])
    }
}

/// `--without-guardians`
struct LimitTrapOption: ParsableArguments {
    @Flag(help: "Have limits that nobody can lift any more once a single key is lost.")
    var withoutGuardians = false

    /// - Parameter policy: Nil where it isn't known: then nothing is refused.
    /// - Throws: `CommandFault` for limits that one lost key would leave in force for ever.
    func check(_ terms: SafeguardTerms, _ policy: Policy?) throws(CommandFault) {
        guard !withoutGuardians, !terms.limits.isEmpty, terms.guardians == nil, let policy else {
            return
        }
        let total = policy.signers.reduce(0) { $0 + UInt64($1.weight) }
        let isTrap = policy.signers.contains { signer in
            let rest = total - UInt64(signer.weight)
            return UInt64(policy.spend) <= rest && rest < UInt64(policy.admin)
        }
        guard isTrap else { return }
        throw CommandFault(
            """
            to lift limits takes the admin threshold, \(policy.admin) of \(total): once a single \
            key is lost they stay for ever, since the account has no guardians. Name some first \
            (`offpeak account guardians`), or say that you know with --without-guardians
            """)
    }
}

extension Policy {
    /// What is said of a policy that nobody can change any more once any one of its keys is lost;
    /// nil for others, and for a single key.
    var lostKeyNote: String? {
        let total = signers.reduce(0) { $0 + UInt64($1.weight) }
        let takesAll = signers.allSatisfy { total - UInt64($0.weight) < UInt64(admin) }
        guard signers.count > 1, takesAll else { return nil }
        // What is left whichever key is lost.
        let rest = total - UInt64(signers.map(\.weight).max() ?? 0)
        let others =
            rest >= UInt64(spend) ? "--admin \(rest) would leave that to the others; or " : ""
        return """
            the admin threshold, \(admin) of \(total), takes every key: once one is lost, the \
            policy, the guardians and the limits can never change again. \(others)name guardians \
            with `offpeak account guardians` while all keys are there
            """
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

/// The safeguards that an account has, as the node tells: what a command leaves out stays, but for
/// limits of assets that were retired since, which the ledger doesn't take again.
struct SafeguardPlace: Sendable {
    private(set) var terms: SafeguardTerms
    /// Ids of the assets whose limits were left out.
    private(set) var retired: [String] = []
    /// The policy in force; nil if neither the node nor a file here tells it.
    private(set) var policy: Policy?

    init(of account: Address, _ builder: TransactionBuilder) async throws(CommandFault) {
        guard let client = builder.client else {
            throw .usage("a node must tell which safeguards the account has")
        }
        let text = builder.network.text(account)
        let info = try await client.find { rpc throws(RPCClientFault) in
            try await rpc.account(text)
        }
        let prefix = builder.network.prefix
        try self.init(info?.safeguards, in: prefix)
        policy =
            try info?.policy.map { (known) throws(CommandFault) in try Policy(known, in: prefix) }
            ?? builder.knownPolicy(of: account)
        var limits: [SpendingLimit] = []
        for limit in terms.limits {
            let name = AssetText.text(limit.asset, in: prefix)
            if limit.asset != .native {
                let asset = try await client.find { rpc throws(RPCClientFault) in
                    try await rpc.asset(name)
                }
                guard asset != nil else {
                    retired.append(name)
                    continue
                }
            }
            limits.append(limit)
        }
        terms = SafeguardTerms(limits: limits, guardians: terms.guardians)
    }

    private init(_ info: SafeguardsInfo?, in prefix: NetworkPrefix) throws(CommandFault) {
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
