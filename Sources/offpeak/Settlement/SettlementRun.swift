internal import Primitives
internal import RPC

/// Pays the rows of a settlement: signs, writes the journal, submits in order, and reports.
struct SettlementRun: Sendable {
    let options: SigningOptions
    let builder: TransactionBuilder
    let client: NodeClient
    let journalPath: String
    /// Whether rows whose transaction can't execute any more, or failed, are signed anew.
    let retries: Bool

    /// What has become of a row.
    enum Fate: Hashable, Sendable {
        case paid(Height)
        /// Executed without effect; the fee was paid.
        case failed(String)
        /// It never executed, and never will.
        case void(String)
        /// It may still execute.
        case open(String)
        /// It never executed, and another transaction may have paid the same.
        case unclear(String)
    }

    /// The rows of the transactions that are still to be signed: those without one, in groups of as
    /// many as fit; and, for a retry, those whose last one is over without effect, in the groups
    /// that they were in: what was to be paid as a whole stays a whole.
    func missing(
        _ file: SettlementFile, _ journal: SettlementJournal, _ fates: [Fate]
    ) -> [[SettlementFile.Row]] {
        let known = Set(journal.entries.flatMap(\.lines))
        let new = file.rows.filter { !known.contains($0.line) }
        var groups = stride(from: 0, to: new.count, by: TransactionLimits.operationsMax).map {
            Array(new[$0..<min($0 + TransactionLimits.operationsMax, new.count)])
        }
        guard retries else { return groups }
        for (place, (entry, fate)) in zip(journal.entries, fates).enumerated() {
            switch fate {
            case .failed, .void: break
            case .paid, .open, .unclear: continue
            }
            let later = Set(journal.entries[(place + 1)...].flatMap(\.lines))
            let lines = Set(entry.lines).subtracting(later)
            let rows = file.rows.filter { lines.contains($0.line) }
            if !rows.isEmpty { groups.append(rows) }
        }
        return groups
    }

    /// Signs transactions on the lowest sequences from `next` on that nothing which may still
    /// execute has: nobody else fills a gap before those.
    func sign(
        _ groups: [[SettlementFile.Row]], from next: SequenceNumber,
        beside open: [SettlementJournal.Entry]
    ) async throws(CommandFault) -> [SettlementJournal.Entry] {
        let taken = Set(
            open.map(\.transaction.transaction).filter { $0.stream == options.stream }
                .map(\.sequence.rawValue))
        var entries: [SettlementJournal.Entry] = []
        var sequence = next.rawValue
        for rows in groups {
            while taken.contains(sequence) { sequence = try SettlementRun.next(after: sequence) }
            var options = options
            options.sequence = sequence
            sequence = try SettlementRun.next(after: sequence)
            let builder = try TransactionBuilder(
                options, network: builder.network, client: client, keys: builder.keys)
            let file = try await builder.build(rows.map(\.operation))
                .signed(by: builder.keys.map(\.secretKey))
            entries.append(
                SettlementJournal.Entry(
                    transaction: try file.signedTransaction(), lines: rows.map(\.line)))
        }
        return entries
    }

    /// - Throws: `CommandFault` at the end of all sequences, where no sound account is.
    private static func next(after sequence: UInt64) throws(CommandFault) -> UInt64 {
        guard let next = SequenceNumber(sequence).next else {
            throw CommandFault("the node tells a sequence that can't be, \(sequence): ask another")
        }
        return next.rawValue
    }

    /// The fate of each transaction of the journal.
    ///
    /// The account is asked before the transactions: a sequence that was used by then, without a
    /// receipt afterwards, was used by another one.
    func fates(
        _ journal: SettlementJournal, _ file: SettlementFile
    ) async throws(CommandFault) -> [Fate] {
        let next = try await account().next
        let time = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.chainHead()
        }.time
        var fates: [Fate] = []
        for entry in journal.entries {
            let status = try await status(of: entry)
            let body = entry.transaction.transaction
            var fate = Fate(status)
            if fate.isOpen {
                if body.validUntil < time { fate = .void("its time is over") }
                if body.sequence < next { fate = try await overtaken(entry, journal, file) }
            }
            fates.append(fate)
        }
        return fates
    }

    /// The fate of a transaction whose sequence is used, by another one as it seems.
    ///
    /// Where that one pays the same it may be of a run of this settlement with another journal, or
    /// on another machine: then nothing is called void.
    private func overtaken(
        _ entry: SettlementJournal.Entry, _ journal: SettlementJournal, _ file: SettlementFile
    ) async throws(CommandFault) -> Fate {
        let body = entry.transaction.transaction
        let sender = builder.network.text(body.sender)
        let use = try await client.find { rpc throws(RPCClientFault) in
            try await rpc.transaction(of: sender, stream: body.stream, sequence: body.sequence)
        }
        guard let use else {
            return .unclear(
                "its sequence is used; by which payment this node can't tell: ask another one")
        }
        let prefix = builder.network.prefix
        if use.id == entry.transaction.id.text(in: prefix) { return .open("it was executed") }
        let void = Fate.void("another payment has its sequence: \(use.id)")
        if journal.entries.contains(where: { $0.transaction.id.text(in: prefix) == use.id }) {
            return void
        }
        let bytes = use.transaction.flatMap { Base64.decode($0) }
        guard let other = bytes.flatMap({ try? SignedTransaction(bcs: $0) }),
            other.id.text(in: prefix) == use.id
        else {
            return .unclear(
                "\(use.id) has its sequence; what that pays this node can't tell: ask another one")
        }
        let paid = other.transaction.operations
        let same = body.operations.count { paid.contains($0) }
        let all = Set(file.rows.map(\.operation))
        guard paid.contains(where: all.contains) else { return void }
        return .unclear(
            """
            \(use.id) has its sequence and pays rows of this settlement, \(same) of these \
            \(body.operations.count): they aren't paid again; look who signed it
            """)
    }

    private func status(
        of entry: SettlementJournal.Entry
    ) async throws(CommandFault) -> TransactionStatus {
        let id = entry.transaction.id.text(in: builder.network.prefix)
        return try await client.call { rpc throws(RPCClientFault) in
            try await rpc.transaction(id)
        }
    }

    /// Next sequence and balances of the payer.
    func account() async throws(CommandFault) -> (next: SequenceNumber, info: AccountInfo) {
        let text = builder.network.text(builder.sender)
        let info = try await client.call { rpc throws(RPCClientFault) in
            try await rpc.account(text)
        }
        let used = info.streams.first { $0.stream == options.stream }
        return (used?.nextSequence ?? 0, info)
    }

    /// Submits what may still execute by its sequence, each after the one before it is final.
    /// Behind one that stays open the others wait.
    func submit(_ journal: SettlementJournal, _ fates: inout [Fate]) async {
        let places = fates.indices.filter { fates[$0].isOpen }.sorted { left, right in
            let entries = journal.entries
            return entries[left].transaction.transaction.sequence
                < entries[right].transaction.transaction.sequence
        }
        var blocking: SettlementJournal.Entry?
        for place in places {
            let entry = journal.entries[place]
            if let line = blocking?.lines.first {
                fates[place] = .open("waits for the transaction of line \(line)")
                continue
            }
            do throws(CommandFault) {
                fates[place] = try await submit(entry)
            } catch {
                fates[place] = .open("\(error)")
            }
            if fates[place].isOpen { blocking = entry }
        }
    }

    private func submit(_ entry: SettlementJournal.Entry) async throws(CommandFault) -> Fate {
        let start = WallClock.instant
        let submission = Submission(
            client: client, format: OutputFormat(isJSON: true, palette: Palette(isOn: false)))
        while let fault = try await refusal(of: entry) {
            let isBusy =
                fault.code == RPCFault.Code.overloaded.rawValue
                || fault.data?["mayRetry"] == .bool(true)
            guard isBusy,
                await client.mayRetry(after: fault, since: start)
            else { return .open(fault.message) }
        }
        let id = entry.transaction.id.text(in: builder.network.prefix)
        return Fate(try await submission.wait(for: id, since: WallClock.instant))
    }

    /// Submits; nil if the node took it.
    private func refusal(
        of entry: SettlementJournal.Entry
    ) async throws(CommandFault) -> RPCFault? {
        do throws(RPCClientFault) {
            _ = try await client.rpc.submit(entry.transaction)
            return nil
        } catch {
            guard case .fault(let fault) = error else { throw CommandFault(error) }
            return fault
        }
    }
}

extension SettlementRun.Fate {
    init(_ status: TransactionStatus) {
        if let receipt = status.receipt, status.state == .final {
            self =
                receipt.failure.map { .failed(OutcomeText.failed($0.reason)) }
                ?? .paid(receipt.height)
        } else {
            self = .open(status.reason.map { OutcomeText.skipped($0) } ?? status.note ?? "")
        }
    }

    /// Whether it may still execute.
    var isOpen: Bool { if case .open = self { true } else { false } }

    /// The word in reports.
    var word: String {
        switch self {
        case .paid: "paid"
        case .failed: "failed"
        case .void: "void"
        case .open: "open"
        case .unclear: "unclear"
        }
    }

    /// Why it isn't paid.
    var reason: String {
        switch self {
        case .paid: ""
        case .failed(let reason), .void(let reason), .open(let reason), .unclear(let reason):
            reason
        }
    }
}
