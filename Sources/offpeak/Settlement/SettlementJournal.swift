internal import Primitives

/// What a settlement has signed: on disk before the first transaction is submitted, so that a
/// second run submits the same bytes, which execute at most once.
///
/// Lines of text: `offpeak-settlement-1`, the SHA-256 of the CSV file, the network's prefix; for
/// each transaction its bytes in hexadecimal digits, a blank, and the lines of its rows with commas
/// between; `end` and their number.
struct SettlementJournal: Hashable, Sendable {
    static let format = "offpeak-settlement-1"
    /// Bytes: ten thousand rows, each paid alone and again several times.
    static let bytesMax = 64 << 20

    struct Entry: Hashable, Sendable {
        let transaction: SignedTransaction
        /// Of the CSV file.
        let lines: [Int]
    }

    let digest: Bytes32
    let prefix: NetworkPrefix
    var entries: [Entry]

    init(digest: Bytes32, prefix: NetworkPrefix, entries: [Entry] = []) {
        self.digest = digest
        self.prefix = prefix
        self.entries = entries
    }

    /// The fate of each row: that of its newest transaction.
    func rows(_ fates: [SettlementRun.Fate]) -> [Int: SettlementRun.Fate] {
        var rows: [Int: SettlementRun.Fate] = [:]
        for (entry, fate) in zip(entries, fates) {
            for line in entry.lines { rows[line] = fate }
        }
        return rows
    }

    var text: String {
        let body = entries.map { entry in
            let lines = entry.lines.map { String($0) }.joined(separator: ",")
            return "\(Hex.encode(entry.transaction.bcsBytes)) \(lines)"
        }
        let head = "\(SettlementJournal.format) \(digest) \(prefix)"
        return ([head] + body + ["end \(entries.count)"]).joined(separator: "\n") + "\n"
    }

    /// - Throws: `CommandFault` for anything that `text` doesn't write.
    init(bytes: [UInt8], file: String) throws(CommandFault) {
        let lines = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        let head = lines.first?.split(separator: " ") ?? []
        guard head.count == 3, head[0] == SettlementJournal.format,
            let digest = Hex.decode(String(head[1])).flatMap({ Bytes32($0) }),
            let prefix = try? NetworkPrefix(String(head[2])), lines.count >= 3, lines.last == "",
            lines[lines.count - 2] == "end \(lines.count - 3)"
        else {
            throw CommandFault("\(file) isn't a whole journal of a settlement; nothing is paid")
        }
        self.digest = digest
        self.prefix = prefix
        entries = []
        for (place, line) in lines[1..<(lines.count - 2)].enumerated() {
            guard let entry = SettlementJournal.entry(line) else {
                throw CommandFault("\(file): line \(place + 2) is damaged; nothing is paid")
            }
            entries.append(entry)
        }
    }

    private static func entry(_ line: Substring) -> Entry? {
        let parts = line.split(separator: " ")
        guard parts.count == 2, let bytes = Hex.decode(String(parts[0])),
            let signed = try? SignedTransaction(bcs: bytes), Verified.check(signed) != nil
        else { return nil }
        let lines = parts[1].split(separator: ",").compactMap { Int($0) }
        guard lines.count == signed.transaction.operations.count else { return nil }
        return Entry(transaction: signed, lines: lines)
    }

    /// The journal of a file, if there is one.
    /// - Throws: `CommandFault` for one of another CSV file or network.
    static func read(
        _ path: String, for file: SettlementFile, in prefix: NetworkPrefix
    ) throws(CommandFault) -> SettlementJournal? {
        do throws(CommandFault) {
            try TextFile.checkAbsent(path)
            return nil
        } catch {
            let journal = try SettlementJournal(
                bytes: try TextFile.read(path, maximum: bytesMax), file: path)
            guard journal.digest == file.digest, journal.prefix == prefix else {
                throw CommandFault(
                    """
                    \(path) is the journal of another settlement: the CSV file has changed since, \
                    or is another; to pay a new file choose another --journal
                    """)
            }
            return journal
        }
    }

    /// Checks that the entries pay what the rows of the file say, from this account and on this
    /// chain: networks may share a prefix.
    func check(
        _ file: SettlementFile, sender: Address, chainID: ChainID, _ path: String
    ) throws(CommandFault) {
        let rows = Dictionary(file.rows.map { ($0.line, $0.operation) }) { first, _ in first }
        for entry in entries {
            let body = entry.transaction.transaction
            guard body.chainID == chainID else {
                throw CommandFault(
                    """
                    \(path) holds payments on chain \(body.chainID), the node is of chain \
                    \(chainID); nothing is paid
                    """)
            }
            guard body.sender == sender,
                body.operations == entry.lines.compactMap({ rows[$0] })
            else {
                throw CommandFault(
                    "\(path) holds payments of another account or of other rows; nothing is paid")
            }
        }
    }
}
