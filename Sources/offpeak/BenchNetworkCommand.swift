internal import ArgumentParser
internal import Glibc
internal import Primitives
internal import RPC

/// `offpeak bench`, or `offpeak bench network`: the load generator.
struct BenchNetworkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network",
        abstract: "Load a network with transfers and measure it.",
        discussion: """
            Transfers are signed beforehand. Without --rate the network is kept saturated; with \
            it transfers have fixed moments, and latency counts from there. --local measures a \
            network of its own, which is removed afterwards; --validators a running one, whose \
            wallet --key pays for the accounts.

            With --verifiers, nodes without a vote check signatures for the validators; each has \
            half of the validators' stake bonded. With --spread off every validator checks every \
            signature, as in other ledgers.
            """)

    @Option(help: "Validators of a network of its own.")
    var local: Int?

    @Option(help: "Nodes of that network that check for the validators, and have no vote.")
    var verifiers = 0

    @Option(help: "Whether checks are spread over bonded nodes, on or off.")
    var spread = OnOff.on

    @Option(help: "Second of the measured time in which the verifiers are killed.")
    var killVerifiersAt: Double?

    @Option(
        parsing: .upToNextOption, help: "RPC addresses of a running network's nodes, HOST:PORT.")
    var validators: [String] = []

    @Option(help: "Key file of the wallet that pays for the accounts of a running network.")
    var key: String?

    @Option(help: "How long to measure.")
    var seconds = 20.0

    @Option(help: "How long to load before that.")
    var warmUp = 3.0

    @Option(help: "Transfers a second; without it, as many as the network takes.")
    var rate: Double?

    @Option(help: "Accounts that transfers go between.")
    var accounts = 10_000

    @Option(
        help: """
            Transfers under way at once, without --rate (default: 2000, or all accounts; 8000 \
            divided by the nodes where --local runs more than four).
            """)
    var inFlight: Int?

    @Option(help: "Requests under way to each node.")
    var connections = 2

    @Option(help: "Transfers to sign beforehand.")
    var transactions: Int?

    @Option(help: "The number that the accounts' keys are made from.")
    var seed: UInt64?

    @OptionGroup var output: OutputOptions

    private static let inFlightUsual = 2000
    /// Signed beyond what is expected to be sent, so that the last moment has transfers too.
    private static let spare = 200
    /// Signed for each second at saturation: two processors can't finalize more.
    private static let saturationMax = 8000.0

    func validate() throws {
        guard (local == nil) != validators.isEmpty else {
            throw ValidationError("either --local N or --validators HOST:PORT ... is wanted")
        }
        guard 0.1...86_400 ~= seconds, 0...3600 ~= warmUp else {
            throw ValidationError("--seconds 0.1 to 86400 and --warm-up 0 to 3600 are possible")
        }
        guard rate.map({ 0.1...1_000_000 ~= $0 }) ?? true else {
            throw ValidationError("--rate \(rate ?? 0): 0.1 to 1000000 are possible")
        }
        guard 2...1_000_000 ~= accounts, 1...256 ~= connections,
            inFlight.map({ RPCLimits.batchMax...max(RPCLimits.batchMax, accounts) ~= $0 }) ?? true
        else {
            throw ValidationError(
                """
                --accounts 2 to 1000000, --connections 1 to 256 and --in-flight \
                \(RPCLimits.batchMax) to the number of accounts are possible
                """)
        }
        guard transactions.map({ 1...50_000_000 ~= $0 }) ?? true else {
            throw ValidationError("--transactions 1 to 50000000 are possible")
        }
        guard validators.isEmpty || key != nil else {
            throw ValidationError("--validators needs --key, the wallet that pays")
        }
        try validateVerifiers()
    }

    private func validateVerifiers() throws {
        guard local != nil || (verifiers == 0 && spread == .on) else {
            throw ValidationError("--verifiers and --spread are for a network of its own: --local")
        }
        guard let killVerifiersAt else { return }
        guard verifiers > 0, killVerifiersAt >= 1, killVerifiersAt < seconds else {
            throw ValidationError(
                """
                --kill-verifiers-at \(killVerifiersAt): from 1 to below --seconds \(seconds) is \
                possible, with --verifiers
                """)
        }
    }

    func run() async throws {
        let progress = BenchProgress(isQuiet: output.json)
        let report =
            if let local {
                try await BenchLocal(
                    plan: plan, validators: local, verifiers: verifiers,
                    spreads: spread == .on,
                    killsVerifiersAfter: killVerifiersAt.map { .seconds($0) }, progress: progress
                ).run()
            } else {
                try await BenchRemote(
                    plan: plan, nodes: validators, keyFile: key ?? "", progress: progress
                ).run()
            }
        progress.finish()
        output.format.show(report) { report.text(output.format.palette) }
        if let fault = report.fault { throw CommandFault("the figures don't hold: \(fault)") }
    }

    /// Not more than there are accounts: an account's next transfer waits for the one before.
    private var underWay: Int {
        // Nodes of one machine share its cores: more of them are saturated by less.
        let usual = min(
            BenchNetworkCommand.inFlightUsual,
            4 * BenchNetworkCommand.inFlightUsual / max(4, (local ?? 0) + verifiers))
        return inFlight ?? max(RPCLimits.batchMax, min(usual, accounts))
    }

    private var plan: BenchPlan {
        let expected = rate ?? BenchNetworkCommand.saturationMax
        return BenchPlan(
            seed: seed ?? UInt64.random(in: 0...UInt64(Int64.max)), accounts: accounts,
            pace: rate.map { .rate($0) } ?? .saturation(inFlight: underWay),
            connections: connections, warmUp: .seconds(warmUp), measured: .seconds(seconds),
            transfers: transactions
                ?? Int(expected * (seconds + warmUp)) + BenchNetworkCommand.spare)
    }
}

/// A switch on the command line.
enum OnOff: String, CaseIterable, ExpressibleByArgument {
    case on, off
}

/// What is to be measured.
struct BenchPlan: Sendable {
    let seed: UInt64
    let accounts: Int
    let pace: BenchLoad.Pace
    let connections: Int
    let warmUp: Duration
    let measured: Duration
    /// How many are signed beforehand.
    let transfers: Int
}

/// How far a measurement is: a bar on a terminal, a line for each step elsewhere, nothing for
/// programs.
struct BenchProgress: Sendable {
    let isQuiet: Bool
    private let terminal = Terminal.errors

    private static let width = 40

    /// A step begins.
    func step(_ text: String) {
        guard !isQuiet else { return }
        terminal.write(terminal.isInteractive ? "\r\u{1B}[K\(text)" : "\(text)\n")
    }

    /// A share (0...1) of the step `text` is done.
    func share(_ share: Double, _ text: String) {
        guard !isQuiet, terminal.isInteractive else { return }
        let filled = Int(min(1, max(0, share)) * Double(BenchProgress.width))
        let bar =
            String(repeating: "█", count: filled)
            + String(repeating: "░", count: BenchProgress.width - filled)
        terminal.write("\r\u{1B}[K\(bar) \(text)")
    }

    func finish() {
        if !isQuiet, terminal.isInteractive { terminal.write("\r\u{1B}[K") }
    }
}
