internal import Primitives
internal import RPC

/// Brings a transaction to where the options want it: a file, or the network and its receipt.
struct Delivery: Sendable {
    let builder: TransactionBuilder
    let format: OutputFormat

    /// Builds, signs, and writes or sends a transaction of `operations`, and shows what came of it.
    func deliver(_ operations: [Operation]) async throws(CommandFault) {
        let unsigned = try await builder.build(operations)
        let options = builder.options
        let file =
            options.unsigned
            ? unsigned : try unsigned.signed(by: builder.keys.map(\.secretKey))
        guard !options.isForFile, let client = builder.client else {
            return try Delivery.write(file, to: options.out ?? "-", format)
        }
        try await Submission(client: client, format: format)
            .submit(file, isWaiting: !options.noWait)
    }

    /// Writes a transaction file and shows what it is; to stdout, the file is the answer.
    static func write(
        _ file: TransactionFile, to path: String, replacing: Bool = false,
        _ format: OutputFormat
    ) throws(CommandFault) {
        try TextFile.write(file.text, to: path, replacing: replacing)
        guard path != "-" else { return }
        let summary = TransactionSummary(file)
        format.show(Written(file: path, transaction: summary)) {
            summary.text(format.palette) + "\n\nwritten to \(path.visible)"
        }
    }

    /// A file that was written.
    private struct Written: Encodable {
        let file: String
        let transaction: TransactionSummary
    }
}

/// Sends a transaction to a node and waits for its receipt.
struct Submission: Sendable {
    let client: NodeClient
    let format: OutputFormat

    /// Checks what can be checked here, sends, waits if asked to, and shows what came of it.
    func submit(_ file: TransactionFile, isWaiting: Bool) async throws(CommandFault) {
        let signed = try file.signedTransaction()
        let known = try await KnownLedger(of: file, client)
        try WeightCheck.check(file, WeightCheck.parts(of: file, known: known))
        let start = WallClock.instant
        let submitted = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.submit(signed)
        }
        guard isWaiting else { return show(Outcome(submitted)) }
        let status = try await wait(
            for: file.transaction.id.text(in: file.prefix), since: WallClock.instant)
        try show(status, latency: WallClock.instant.millisecondsSince(start))
    }

    /// Asks until the transaction is final or skipped.
    /// - Throws: `CommandFault` when the time is over.
    func wait(
        for id: String, since start: Instant
    ) async throws(CommandFault) -> TransactionStatus {
        var last: TransactionStatus?
        while true {
            let passed = WallClock.instant.millisecondsSince(start)
            guard passed < client.timeout.milliseconds else {
                throw Submission.notFinal(id, client.timeout, last)
            }
            let rest = client.timeout.milliseconds - passed
            let status = try await client.call { rpc throws(RPCClientFault) in
                try await rpc.wait(for: id, atMostMilliseconds: rest)
            }
            switch status.state {
            case .final, .skipped: return status
            case .pending, .unknown: last = status
            }
        }
    }

    private static func notFinal(
        _ id: String, _ timeout: TimeSpan, _ last: TransactionStatus?
    ) -> CommandFault {
        let note = last?.note.map { " (\($0))" } ?? ""
        return CommandFault(
            """
            \(id) isn't final after \(timeout)\(note); it may still become so until its time is \
            over: `offpeak query tx \(id)` tells
            """,
            data: [
                JSONMember("transaction", .string(id)),
                JSONMember("state", .string((last?.state ?? .unknown).rawValue)),
            ])
    }

    private func show(_ outcome: Outcome) {
        format.show(outcome) { outcome.text(format.palette) }
    }

    func show(_ status: TransactionStatus, latency: UInt64) throws(CommandFault) {
        let outcome = Outcome(status, latencyMilliseconds: latency)
        if let fault = outcome.fault { throw fault }
        show(outcome)
    }
}
