internal import LightClient
internal import Primitives
internal import RPC

/// Brings a voucher to the network, or shows who was paid instead.
struct VoucherSubmission: Sendable {
    let client: NodeClient
    let format: OutputFormat
    let prefix: NetworkPrefix
    /// Where the proof of the winner goes; a name made of the winner's id if nil.
    let proofPath: String?

    /// Submits, waits, and shows what came of it.
    /// - Throws: `CommandFault` for a voucher that isn't paid; its data names the winner's proof.
    func submit(_ voucher: Voucher) async throws(CommandFault) {
        let start = WallClock.instant
        let signed = voucher.transaction
        switch await hand(signed, since: start) {
        case .taken: break
        case .later(let fault): throw VoucherSubmission.notTaken(fault)
        case .refused(let fault):
            guard VoucherSubmission.isLost(fault) else {
                throw VoucherSubmission.refusal(fault)
            }
            return try await showWinner(over: signed, since: WallClock.instant)
        }
        let taken = WallClock.instant
        let submission = Submission(client: client, format: format)
        let status = try await submission.wait(for: signed.id.text(in: prefix), since: taken)
        if status.state == .skipped, let reason = status.reason {
            if reason == SkipReason.sequenceUsed.name {
                return try await showWinner(over: signed, since: taken)
            }
            if let fault = VoucherSubmission.notNow(reason) { throw fault }
        }
        try submission.show(status, latency: WallClock.instant.millisecondsSince(start))
    }

    /// Shows what has become of a voucher, without submitting it.
    func status(_ voucher: Voucher) async throws(CommandFault) {
        let signed = voucher.transaction
        let id = signed.id.text(in: prefix)
        let status = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.transaction(id)
        }
        if status.state != .final, try await use(of: signed.transaction) != nil {
            return try await showWinner(over: signed, since: WallClock.instant)
        }
        let outcome = Outcome(status)
        format.show(outcome) { outcome.text(format.palette) }
    }

    private enum Answer {
        case taken
        case refused(RPCClientFault)
        /// The node is too busy, or lacks an earlier sequence: it may be asked again.
        case later(RPCFault)
    }

    /// Asks again while the node can't take it, until the time is over.
    private func hand(_ signed: SignedTransaction, since start: Instant) async -> Answer {
        while true {
            let answer = await answer(to: signed)
            guard case .later(let fault) = answer,
                await client.mayRetry(after: fault, since: start)
            else { return answer }
        }
    }

    private func answer(to signed: SignedTransaction) async -> Answer {
        do throws(RPCClientFault) {
            _ = try await client.rpc.submit(signed)
            return .taken
        } catch {
            guard case .fault(let fault) = error else { return .refused(error) }
            let isBusy = fault.code == RPCFault.Code.overloaded.rawValue
            let mayRetry = fault.data?["mayRetry"] == .bool(true)
            // Waiting gives nobody money.
            guard isBusy || mayRetry && VoucherSubmission.reason(of: error) != "overspent" else {
                return .refused(error)
            }
            return .later(fault)
        }
    }

    private static func notTaken(_ fault: RPCFault) -> CommandFault {
        guard fault.code != RPCFault.Code.overloaded.rawValue else {
            return CommandFault("the node was too busy all the time: ask again, or another one")
        }
        return CommandFault(.fault(fault))
    }

    private static func refusal(_ fault: RPCClientFault) -> CommandFault {
        reason(of: fault).flatMap(notNow) ?? CommandFault(fault)
    }

    /// What to say where the same voucher may be paid another time.
    private static func notNow(_ reason: String) -> CommandFault? {
        let why: String
        switch reason {
        case "overspent", SkipReason.limitReached.name, SkipReason.insufficientForFee.name:
            why = """
                the payer can't pay it now: with what waits it would cost more than the account \
                holds, or than its spending limit leaves
                """
        case SkipReason.feeTooLow.name:
            why = "the network asks for a higher fee now than the voucher allows"
        default: return nil
        }
        return CommandFault(
            why + ". It isn't lost: submit it again later",
            data: [JSONMember("reason", .string(reason))])
    }

    private static func reason(of fault: RPCClientFault) -> String? {
        guard case .fault(let refusal) = fault else { return nil }
        return refusal.data?["reason"]?.text
    }

    /// Whether a refusal says that another transaction has the sequence.
    private static func isLost(_ fault: RPCClientFault) -> Bool {
        let reason = reason(of: fault)
        return reason == SkipReason.sequenceUsed.name || reason == "sequenceTaken"
    }

    private func use(of transaction: Transaction) async throws(CommandFault) -> StreamUse? {
        let sender = transaction.sender.text(in: prefix)
        return try await client.find { rpc throws(RPCClientFault) in
            try await rpc.transaction(
                of: sender, stream: transaction.stream, sequence: transaction.sequence)
        }
    }

    /// Writes the proof of the transaction that has the sequence.
    private func showWinner(
        over signed: SignedTransaction, since start: Instant
    ) async throws(CommandFault) {
        let body = signed.transaction
        let own = signed.id.text(in: prefix)
        let use = try await poll(since: start) { () async throws(CommandFault) in
            try await self.use(of: body)
        }
        guard let use else {
            throw CommandFault(
                """
                \(own) isn't paid: another payment waits with stream \(body.stream), sequence \
                \(body.sequence); `offpeak voucher status` tells what comes of it
                """)
        }
        guard use.id != own else {
            let status = try await client.call { rpc throws(RPCClientFault) in
                try await rpc.transaction(own)
            }
            return try Submission(client: client, format: format).show(
                status, latency: WallClock.instant.millisecondsSince(start))
        }
        throw try await loss(own, body, use, since: start)
    }

    private func loss(
        _ own: String, _ body: Transaction, _ use: StreamUse, since start: Instant
    ) async throws(CommandFault) -> CommandFault {
        let subject = try SubjectText(use.id, in: prefix)
        let answer = try await poll(since: start) { () async throws(CommandFault) in
            try await proof(of: subject)
        }
        var members = [
            JSONMember("transaction", .string(own)), JSONMember("winner", .string(use.id)),
            JSONMember("height", .number("\(use.height)")),
        ]
        let what = """
            \(own) isn't paid and never will be: \(use.id) used stream \(body.stream), sequence \
            \(body.sequence) at height \(use.height)
            """
        guard let answer else {
            return CommandFault(what + "; its proof isn't ready yet, ask again", data: members)
        }
        let path = proofPath ?? "\(use.id).proof.json"
        let file = ProofFile.Content(answer: answer, transaction: use.transaction)
        try TextFile.write(OutputFormat.json(file) + "\n", to: path, replacing: true)
        members.append(JSONMember("proof", .string(path)))
        return CommandFault(
            what + "; the proof is in \(path): `offpeak verify \(path) \(use.id) --genesis FILE`",
            data: members)
    }

    /// Nil while no finalized block names a state with the receipt.
    private func proof(of subject: SubjectText) async throws(CommandFault) -> ProofInfo? {
        do throws(RPCClientFault) {
            return try await subject.ask(client.rpc)
        } catch {
            if case .fault(let fault) = error, fault.code == RPCFault.Code.unavailable.rawValue {
                return nil
            }
            throw CommandFault(error)
        }
    }

    /// Asks until there is an answer, or nil when the time is over.
    private func poll<Answer>(
        since start: Instant, _ body: () async throws(CommandFault) -> Answer?
    ) async throws(CommandFault) -> Answer? {
        while true {
            if let answer = try await body() { return answer }
            guard await client.mayRetry(since: start) else { return nil }
        }
    }
}
