package import Primitives

/// What the ledger holds for an address. An account stays once it exists, also with nothing in it.
///
/// Wire: native, holdings, optional policy, streams, deposits, optional safeguards.
package struct Account: Hashable, Sendable, BCSCodable {
    /// An independent order of transactions. Wire: number, next, last use, deposit.
    package struct Stream: Hashable, Sendable, BCSCodable {
        package let number: UInt16
        /// The only sequence that executes.
        package var next: SequenceNumber
        /// The time of the block in which a transaction last executed on it.
        package var lastUse: Timestamp
        /// Native asset kept back for it; 0 on stream 0.
        package let deposit: Amount

        package init(
            number: UInt16, next: SequenceNumber, lastUse: Timestamp, deposit: Amount
        ) {
            self.number = number
            self.next = next
            self.lastUse = lastUse
            self.deposit = deposit
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(number)
            writer.append(next)
            writer.append(lastUse)
            writer.append(deposit)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            number = try reader.readUInt16()
            next = try reader.read()
            lastUse = try reader.read()
            deposit = try reader.read()
        }
    }

    /// The most issued assets of an account.
    package static let holdingsMax = 256

    /// What it holds of the native asset.
    package var native: Amount
    /// Sorted by asset, unique.
    package private(set) var holdings: [Holding]
    /// Who may act for it; nil until the first spend reveals it.
    package var policy: Policy?
    /// Sorted by number, unique; a stream stands here once it was used.
    package private(set) var streams: [Stream]
    /// Native asset kept back for the streams and the holdings: the sum of their deposits.
    package var deposits: Amount
    /// Spending limits and guardians; nil where there are none.
    package var safeguards: Safeguards?

    /// An account with nothing in it.
    package init(policy: Policy? = nil) {
        native = 0
        holdings = []
        self.policy = policy
        streams = []
        deposits = 0
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(native)
        writer.append(list: holdings)
        writer.append(optional: policy)
        writer.append(list: streams)
        writer.append(deposits)
        writer.append(optional: safeguards)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        native = try reader.read()
        holdings = try reader.readSortedList(
            maximum: Account.holdingsMax, elementBytes: Holding.bytes
        ) { (holding: Holding) in holding.asset }
        policy = try reader.readOptional()
        streams = try reader.readSortedList(
            maximum: TransactionLimits.streamsMax, elementBytes: 26
        ) { (stream: Stream) in stream.number }
        deposits = try reader.read()
        safeguards = try reader.readOptional()
    }
}

extension Account {
    /// How much the account holds of `asset`.
    package func balance(of asset: AssetID) -> Amount {
        asset == .native ? native : holding(of: asset)?.amount ?? 0
    }

    /// What the account has of an issued asset, or nil where it has no entry for it.
    package func holding(of asset: AssetID) -> Holding? {
        holdings.first { $0.asset == asset }
    }

    /// Puts an entry in, in place of the one of the same asset.
    package mutating func setHolding(_ holding: Holding) {
        let place = holdings.firstIndex { $0.asset >= holding.asset } ?? holdings.count
        if place < holdings.count && holdings[place].asset == holding.asset {
            holdings[place] = holding
        } else {
            precondition(holdings.count < Account.holdingsMax, "no room for \(holding.asset)")
            holdings.insert(holding, at: place)
        }
    }

    /// Takes the entry of `asset` away.
    package mutating func removeHolding(of asset: AssetID) {
        holdings.removeAll { $0.asset == asset }
    }

    /// The stream `number`, or nil before its first use.
    package func stream(_ number: UInt16) -> Stream? {
        streams.first { $0.number == number }
    }

    /// The only sequence that executes on the stream `number`.
    package func nextSequence(on number: UInt16) -> SequenceNumber {
        stream(number)?.next ?? 0
    }

    /// Moves the stream `number` on to `next` at `time`; a new one begins with `deposit`.
    package mutating func use(
        _ number: UInt16, next: SequenceNumber, at time: Timestamp, deposit: Amount
    ) {
        let place = streams.firstIndex { $0.number >= number } ?? streams.count
        if place < streams.count && streams[place].number == number {
            streams[place].next = next
            streams[place].lastUse = time
        } else {
            precondition(streams.count < TransactionLimits.streamsMax, "no room for \(number)")
            streams.insert(
                Stream(number: number, next: next, lastUse: time, deposit: deposit), at: place)
        }
    }

    /// Takes the stream `number` away.
    mutating func removeStream(_ number: UInt16) {
        streams.removeAll { $0.number == number }
    }
}

extension Account {
    fileprivate typealias HoldingChange = (asset: AssetID, before: Amount, after: Amount)

    /// Of which issued assets the account holds more or less than `before` did. Holdings are
    /// sorted: only those between the common beginning and the common end are compared singly.
    fileprivate func holdingChanges(since before: Account?) -> [HoldingChange] {
        let (old, new) = (before?.holdings ?? [], holdings)
        guard old != new else { return [] }
        let start = zip(old, new).prefix { $0 == $1 }.count
        let end = zip(old.dropFirst(start).reversed(), new.dropFirst(start).reversed())
            .prefix { $0 == $1 }.count
        let (gone, come) = (old[start..<old.count - end], new[start..<new.count - end])
        let changed = gone.map { held in
            let now = come.first { $0.asset == held.asset }
            return HoldingChange(held.asset, held.amount, now?.amount ?? 0)
        }
        let added = come.filter { held in !gone.contains { $0.asset == held.asset } }
        return changed + added.map { HoldingChange($0.asset, 0, $0.amount) }
    }
}

/// Accounts as the block that is being executed sees them, with the postings of what changed in
/// them.
///
/// Whatever an account holds more or less than before is noted as it is written: no operation can
/// forget what the account's owner will want to read.
struct AccountTable: Sendable {
    private var records: RecordTable<Account>
    /// What changed in this block.
    var postings: PostingJournal

    /// - Parameter keepsPostings: Whether the store has a history of accounts.
    init(cachedMax: Int, keepsPostings: Bool) {
        records = RecordTable(cachedMax: cachedMax)
        postings = PostingJournal(isKept: keepsPostings)
    }

    /// The account outside of a block.
    func peek(
        _ address: Address, _ source: any KeyValueSource
    ) throws(StorageFault) -> Account? {
        try records.peek(address, source)
    }

    /// The account as the block sees it.
    mutating func read(
        _ address: Address, _ source: any KeyValueSource
    ) throws(StorageFault) -> Account? {
        try records.read(address, source)
    }

    /// Sets an account that was read in this block, and notes what it holds more or less.
    /// - Parameters:
    ///   - cause: Why it holds more or less of `asset`; of any other it is a deposit's move.
    mutating func write(
        _ account: Account, for address: Address, _ cause: PostingCause = .deposit,
        of asset: AssetID = .native
    ) {
        let before = records.write(account, for: address)
        guard postings.isKept else { return }
        postings.note(
            address, .native, from: before?.native ?? 0, to: account.native,
            asset == .native ? cause : .deposit)
        for change in account.holdingChanges(since: before) {
            postings.note(
                address, change.asset, from: change.before, to: change.after,
                asset == change.asset ? cause : .deposit)
        }
    }

    /// What follows can be taken back.
    mutating func beginOperations() {
        records.beginOperations()
        postings.beginOperations()
    }

    /// Takes back everything since `beginOperations`.
    mutating func revertOperations() {
        records.revertOperations()
        postings.revertOperations()
    }

    /// Ends the block: the accounts that it changed.
    mutating func takeChanges() -> [RecordTable<Account>.Change] { records.takeChanges() }

    /// The store has every write that was handed out.
    mutating func writesApplied() { records.writesApplied() }
}
