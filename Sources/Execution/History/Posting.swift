package import Primitives

/// A change of what an account holds of an asset, as its owner reads it in a statement.
///
/// A row of the column `postings`. Key: address, height (8 bytes, big-endian), place (4 bytes,
/// big-endian). Value: optional asset (absent for the native one), whether it is a credit, amount,
/// balance, time, kind, optional party, optional transaction.
package struct Posting: Hashable, Sendable {
    package let address: Address
    package let place: PostingPlace
    package let asset: AssetID
    /// Whether the account holds more than before.
    package let isCredit: Bool
    /// Above 0.
    package let amount: Amount
    /// What the account holds of the asset afterwards.
    package let balance: Amount
    /// Of the block.
    package let time: Timestamp
    package let cause: PostingCause
    /// Nil for what the block did by itself.
    package let transaction: TransactionID?

    package init(
        address: Address, place: PostingPlace, asset: AssetID, isCredit: Bool, amount: Amount,
        balance: Amount, time: Timestamp, cause: PostingCause, transaction: TransactionID?
    ) {
        self.address = address
        self.place = place
        self.asset = asset
        self.isCredit = isCredit
        self.amount = amount
        self.balance = balance
        self.time = time
        self.cause = cause
        self.transaction = transaction
    }

    /// What the account held before; nil for a posting that doesn't add up.
    package var balanceBefore: Amount? {
        isCredit ? try? balance.subtracting(amount) : try? balance.adding(amount)
    }

    /// Puts its row into the store.
    func write(into writes: inout WriteSet) {
        writes.put(in: .postings, key: appendKey, value: appendValue)
    }

    private func appendKey(to writer: inout BCSWriter) {
        writer.append(address)
        writer.appendBigEndian(place.height.rawValue)
        writer.appendBigEndian(place.index)
    }

    private func appendValue(to writer: inout BCSWriter) {
        writer.append(optional: asset == .native ? nil : asset)
        writer.append(isCredit)
        writer.append(amount)
        writer.append(balance)
        writer.append(time)
        writer.append(cause.kind.rawValue)
        writer.append(optional: cause.party)
        writer.append(optional: transaction)
    }

    /// The posting of a row.
    /// - Throws: `StorageFault` for a row that no posting has.
    package init(_ row: KeyValue) throws(StorageFault) {
        let what = "the posting at \(Hex.encode(row.key))"
        guard row.key.count == 44, let address = Address(bytes: row.key.prefix(32)),
            let place = PostingPlace(bytes: row.key.suffix(12))
        else { throw StorageFault("\(what) lies where none can lie") }
        do throws(BCSError) {
            var reader = BCSReader(row.value)
            try self.init(address, place, &reader)
            try reader.finish()
        } catch {
            throw StoredState.damaged(what, error)
        }
    }

    private init(
        _ address: Address, _ place: PostingPlace, _ reader: inout BCSReader
    ) throws(BCSError) {
        self.address = address
        self.place = place
        asset = try reader.readOptional() ?? .native
        isCredit = try reader.readBool()
        amount = try reader.read()
        balance = try reader.read()
        time = try reader.read()
        let start = reader.offset
        let raw = try reader.readUInt8()
        guard let kind = PostingKind(rawValue: raw) else {
            throw BCSError(.invalidValue("posting kind \(raw)"), at: start)
        }
        cause = PostingCause(kind, try reader.readOptional())
        transaction = try reader.readOptional()
    }
}

/// What a change of a balance is. Wire: one byte; the raw values are stable.
package enum PostingKind: UInt8, Hashable, Sendable, CaseIterable {
    /// What genesis gave.
    case genesis = 0
    /// The fee of a transaction, tip included.
    case fee = 1
    /// Kept back for what the account adds to the state, or given back.
    case deposit = 2
    case transfer = 3
    /// Into an escrow.
    case escrowPayment = 4
    /// Out of an escrow, to the payee.
    case escrowRelease = 5
    /// Out of an escrow, to the payer.
    case escrowRefund = 6
    /// Into the bond of a verifier.
    case bond = 7
    /// Out of the bond of a verifier.
    case withdrawal = 8
    /// A validator's part of fees.
    case validatorReward = 9
    /// A verifier's part of fees.
    case verifierReward = 10
    /// What is left of fees.
    case treasuryShare = 11
    /// For evidence.
    case evidenceReward = 12
    /// The treasury's part of a bond that was slashed.
    case slashing = 13
    /// Units of an issued asset that its issuer made.
    case mint = 14
    /// Units of an issued asset that its holder took out of existence.
    case redemption = 15
    /// Units of an issued asset that its issuer took out of existence.
    case clawback = 16
}

/// Who is on the other side of a posting. Wire: variant 0 address, 1 escrow, 2 verifier's key.
package enum PostingParty: Hashable, Sendable, BCSCodable {
    case account(Address)
    case escrow(EscrowID)
    case verifier(PublicKey)

    package func encode(to writer: inout BCSWriter) {
        switch self {
        case .account(let address):
            writer.appendVariant(0)
            writer.append(address)
        case .escrow(let id):
            writer.appendVariant(1)
            writer.append(id)
        case .verifier(let key):
            writer.appendVariant(2)
            writer.append(key)
        }
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0: self = .account(try reader.read())
        case 1: self = .escrow(try reader.read())
        case 2: self = .verifier(try reader.read())
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
    }
}

/// Why a balance changes: what every change must say.
package struct PostingCause: Hashable, Sendable {
    package let kind: PostingKind
    package let party: PostingParty?

    package init(_ kind: PostingKind, _ party: PostingParty? = nil) {
        self.kind = kind
        self.party = party
    }

    static let fee = PostingCause(.fee)
    static let deposit = PostingCause(.deposit)
    static let validatorReward = PostingCause(.validatorReward)
    static let treasuryShare = PostingCause(.treasuryShare)

    static func transfer(with other: Address) -> PostingCause {
        PostingCause(.transfer, .account(other))
    }

    static func mint(by issuer: Address) -> PostingCause {
        PostingCause(.mint, .account(issuer))
    }

    static func redemption(to issuer: Address?) -> PostingCause {
        PostingCause(.redemption, issuer.map { .account($0) })
    }

    static func clawback(by issuer: Address) -> PostingCause {
        PostingCause(.clawback, .account(issuer))
    }

    static func escrowPayment(_ id: EscrowID) -> PostingCause {
        PostingCause(.escrowPayment, .escrow(id))
    }

    static func escrowRelease(_ id: EscrowID) -> PostingCause {
        PostingCause(.escrowRelease, .escrow(id))
    }

    static func escrowRefund(_ id: EscrowID) -> PostingCause {
        PostingCause(.escrowRefund, .escrow(id))
    }

    static func bond(_ key: PublicKey) -> PostingCause { PostingCause(.bond, .verifier(key)) }

    static func withdrawal(_ key: PublicKey) -> PostingCause {
        PostingCause(.withdrawal, .verifier(key))
    }

    static func verifierReward(_ key: PublicKey) -> PostingCause {
        PostingCause(.verifierReward, .verifier(key))
    }

    static func evidenceReward(_ offender: PublicKey) -> PostingCause {
        PostingCause(.evidenceReward, .verifier(offender))
    }

    static func slashing(_ offender: PublicKey) -> PostingCause {
        PostingCause(.slashing, .verifier(offender))
    }
}
