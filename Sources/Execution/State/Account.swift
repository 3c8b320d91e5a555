package import Primitives

/// What the ledger holds for an address. An account stays once it exists, also with nothing in it.
///
/// Wire: balances, optional policy, streams, deposits, optional safeguards.
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

    /// An independent order of transactions. Wire: number, next.
    package struct Stream: Hashable, Sendable, BCSCodable {
        package let number: UInt16
        /// The only sequence that executes.
        package var next: SequenceNumber

        package init(number: UInt16, next: SequenceNumber) {
            self.number = number
            self.next = next
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(number)
            writer.append(next)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            number = try reader.readUInt16()
            next = try reader.read()
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
    /// Native asset kept back for the streams.
    package var deposits: Amount
    /// Spending limits and guardians; nil where there are none.
    package var safeguards: Safeguards?

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
        writer.append(optional: safeguards)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        balances = try reader.readSortedList(
            maximum: Account.balancesMax, elementBytes: 40
        ) { (balance: Balance) in balance.asset }
        policy = try reader.readOptional()
        streams = try reader.readSortedList(
            maximum: TransactionLimits.streamsMax, elementBytes: 10
        ) { (stream: Stream) in stream.number }
        deposits = try reader.read()
        safeguards = try reader.readOptional()
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

    /// Moves the stream `number` on to `next`.
    package mutating func setNextSequence(_ next: SequenceNumber, on number: UInt16) {
        let place = streams.firstIndex { $0.number >= number } ?? streams.count
        if place < streams.count && streams[place].number == number {
            streams[place].next = next
        } else {
            precondition(streams.count < TransactionLimits.streamsMax, "no room for \(number)")
            streams.insert(Stream(number: number, next: next), at: place)
        }
    }
}
