package import Primitives

/// What the ledger holds for an address. An account stays once it exists, also with nothing in it.
///
/// Wire: balances, optional policy, streams, deposits.
package struct Account: Hashable, Sendable, BCSCodable {
    /// How much of an asset. Wire: asset, amount.
    package struct Balance: Hashable, Sendable, BCSCodable {
        package let asset: AssetID
        package var amount: Amount

        package init(asset: AssetID, amount: Amount) {
            self.asset = asset
            self.amount = amount
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(asset)
            writer.append(amount)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            asset = try reader.read()
            amount = try reader.read()
        }
    }

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

    /// The most assets of an account.
    package static let balancesMax = 1024

    /// Sorted by asset, unique, none of 0.
    package private(set) var balances: [Balance]
    /// Who may act for it; nil until the first spend reveals it.
    package var policy: Policy?
    /// Sorted by number, unique; a stream stands here once it was used.
    package private(set) var streams: [Stream]
    /// Native asset kept back for the streams: the sum of their deposits.
    package var deposits: Amount

    /// An account with nothing in it.
    package init(policy: Policy? = nil) {
        balances = []
        self.policy = policy
        streams = []
        deposits = 0
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(list: balances)
        writer.append(optional: policy)
        writer.append(list: streams)
        writer.append(deposits)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        balances = try reader.readSortedList(
            maximum: Account.balancesMax, elementBytes: 40
        ) { (balance: Balance) in balance.asset }
        policy = try reader.readOptional()
        streams = try reader.readSortedList(
            maximum: TransactionLimits.streamsMax, elementBytes: 26
        ) { (stream: Stream) in stream.number }
        deposits = try reader.read()
    }
}

extension Account {
    /// How much the account holds of `asset`.
    package func balance(of asset: AssetID) -> Amount {
        balances.first { $0.asset == asset }?.amount ?? 0
    }

    /// Sets what the account holds of `asset`; 0 takes the entry away.
    package mutating func setBalance(_ amount: Amount, of asset: AssetID) {
        let place = balances.firstIndex { $0.asset >= asset } ?? balances.count
        let isThere = place < balances.count && balances[place].asset == asset
        switch (isThere, amount > 0) {
        case (true, true): balances[place].amount = amount
        case (true, false): balances.remove(at: place)
        case (false, true):
            balances.insert(Balance(asset: asset, amount: amount), at: place)
        case (false, false): break
        }
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
