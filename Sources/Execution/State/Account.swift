package import Primitives

/// What the ledger holds for an address. An account stays once it exists, also with nothing in it.
///
/// Wire: native, holdings, optional policy, streams, deposits, optional safeguards.
package struct Account: Hashable, Sendable, BCSCodable {
    /// An independent order of transactions. Wire: number, next, last use, deposit.
    package struct Stream: Hashable, Sendable, BCSCodable {
        /// Of its encoding.
        static let bytes = 26

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
    /// Who may act for it; nil until the first spend reveals it.
    package var policy: Policy?
    /// Stream 0 once it was used. It lies in the account itself: nearly all have it, and alone.
    private var defaultStream: Stream?
    /// Native asset kept back for the streams and the holdings: the sum of their deposits.
    package var deposits: Amount
    private var further: Further

    /// What few accounts have: for the others it takes the room of an address, and no time where
    /// accounts are copied.
    private struct Extras: Hashable, Sendable {
        /// Sorted by asset, unique.
        var holdings: [Holding] = []
        /// Those after stream 0, sorted by number, unique.
        var streams: [Stream] = []
        var safeguards: Safeguards?

        var isEmpty: Bool { holdings.isEmpty && streams.isEmpty && safeguards == nil }
    }

    private indirect enum Further: Hashable, Sendable {
        case nothing
        /// Never empty.
        case extras(Extras)
    }

    private var extras: Extras {
        get { if case .extras(let extras) = further { extras } else { Extras() } }
        set { further = newValue.isEmpty ? .nothing : .extras(newValue) }
    }

    private var hasExtras: Bool { if case .extras = further { true } else { false } }

    /// An account with nothing in it.
    package init(policy: Policy? = nil) {
        native = 0
        self.policy = policy
        deposits = 0
        further = .nothing
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(native)
        writer.append(list: holdings)
        writer.append(optional: policy)
        writer.appendLength(streamCount)
        if let defaultStream { writer.append(defaultStream) }
        for stream in furtherStreams { writer.append(stream) }
        writer.append(deposits)
        writer.append(optional: safeguards)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        native = try reader.read()
        var extras = Extras()
        extras.holdings = try reader.readSortedList(
            maximum: Account.holdingsMax, elementBytes: Holding.bytes
        ) { (holding: Holding) in holding.asset }
        policy = try reader.readOptional()
        (defaultStream, extras.streams) = try Account.streams(from: &reader)
        deposits = try reader.read()
        extras.safeguards = try reader.readOptional()
        further = extras.isEmpty ? .nothing : .extras(extras)
    }

    private static func streams(
        from reader: inout BCSReader
    ) throws(BCSError) -> (Stream?, [Stream]) {
        let start = reader.offset
        let count = try reader.readLength(
            maximum: TransactionLimits.streamsMax, elementBytes: Stream.bytes)
        guard count > 0 else { return (nil, []) }
        var last: Stream = try reader.read()
        let first = last.number == 0 ? last : nil
        var further: [Stream] = first == nil ? [last] : []
        for _ in 1..<count {
            let stream: Stream = try reader.read()
            guard stream.number > last.number else { throw BCSError(.unsorted, at: start) }
            further.append(stream)
            last = stream
        }
        return (first, further)
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

    /// What it holds of issued assets, sorted by asset, unique.
    package private(set) var holdings: [Holding] {
        get { if case .extras(let extras) = further { extras.holdings } else { [] } }
        set { extras.holdings = newValue }
    }

    /// Spending limits and guardians; nil where there are none.
    package var safeguards: Safeguards? {
        get { if case .extras(let extras) = further { extras.safeguards } else { nil } }
        set { if hasExtras || newValue != nil { extras.safeguards = newValue } }
    }

    private var furtherStreams: [Stream] {
        get { if case .extras(let extras) = further { extras.streams } else { [] } }
        set { if hasExtras || !newValue.isEmpty { extras.streams = newValue } }
    }

    /// Sorted by number, unique; a stream stands here once it was used.
    package var streams: [Stream] { (defaultStream.map { [$0] } ?? []) + furtherStreams }

    package var streamCount: Int { (defaultStream == nil ? 0 : 1) + furtherStreams.count }

    /// The stream `number`, or nil before its first use.
    package func stream(_ number: UInt16) -> Stream? {
        number == 0 ? defaultStream : furtherStreams.first { $0.number == number }
    }

    /// The only sequence that executes on the stream `number`.
    package func nextSequence(on number: UInt16) -> SequenceNumber {
        stream(number)?.next ?? 0
    }

    /// Moves the stream `number` on to `next` at `time`; a new one begins with `deposit`.
    package mutating func use(
        _ number: UInt16, next: SequenceNumber, at time: Timestamp, deposit: Amount
    ) {
        guard var stream = stream(number) else {
            precondition(streamCount < TransactionLimits.streamsMax, "no room for \(number)")
            return set(Stream(number: number, next: next, lastUse: time, deposit: deposit))
        }
        stream.next = next
        stream.lastUse = time
        set(stream)
    }

    private mutating func set(_ stream: Stream) {
        guard stream.number != 0 else { return defaultStream = stream }
        var streams = furtherStreams
        let place = streams.firstIndex { $0.number >= stream.number } ?? streams.count
        if place < streams.count && streams[place].number == stream.number {
            streams[place] = stream
        } else {
            streams.insert(stream, at: place)
        }
        furtherStreams = streams
    }

    /// Takes the stream `number` away.
    mutating func removeStream(_ number: UInt16) {
        if number == 0 { defaultStream = nil }
        furtherStreams.removeAll { $0.number == number }
    }

    /// Memory beside its own size that it takes, in bytes; about.
    var heapBytes: Int {
        let policyBytes = policy?.signers.heapBytes ?? 0
        return hasExtras ? policyBytes + extraBytes : policyBytes
    }

    private var extraBytes: Int {
        256 + holdings.count * MemoryLayout<Holding>.stride
            + furtherStreams.count * MemoryLayout<Stream>.stride + guardedBytes
    }

    private var guardedBytes: Int {
        guard let safeguards else { return 0 }
        let members = safeguards.guardians?.quorum.members.count ?? 0
        let policyBytes = safeguards.recovery?.policy.signers.heapBytes ?? 0
        return 128 + safeguards.limits.count * MemoryLayout<Safeguards.Limit>.stride
            + members * MemoryLayout<Quorum.Member>.stride
            + policyBytes
    }
}

extension Account {
    fileprivate typealias HoldingChange = (asset: AssetID, before: Amount, after: Amount)

    /// Of which issued assets the account holds more or less than `before` did. Holdings are
    /// sorted: only those between the common beginning and the common end are compared singly.
    fileprivate func holdingChanges(since before: Account?) -> [HoldingChange] {
        guard hasExtras || before?.hasExtras == true else { return [] }
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
    init(cachedBytesMax: Int, keepsPostings: Bool) {
        records = RecordTable(cachedBytesMax: cachedBytesMax)
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

    /// Says that the account will be read soon.
    func foresee(_ address: Address, _ step: Foresight) { records.foresee(address, step) }

    /// Ends the block: the accounts that it changed.
    mutating func takeChanges(_ body: (RecordTable<Account>.Change) -> Void) {
        records.takeChanges(body)
    }

    /// The store has every write that was handed out.
    mutating func writesApplied() { records.writesApplied() }
}
