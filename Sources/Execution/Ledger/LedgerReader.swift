package import Primitives

/// The ledger as a store or a snapshot of one has it: for questions from outside.
///
/// All answers of one reader on one snapshot belong to the same height.
package struct LedgerReader: Sendable {
    let source: any KeyValueSource

    package init(_ source: any KeyValueSource) { self.source = source }

    /// Height, root, time and totals; nil in a store without a ledger.
    package struct Summary: Hashable, Sendable {
        package let chainID: ChainID
        package let height: Height
        package let stateRoot: Digest
        /// Of the block at this height.
        package let time: Timestamp
        package let totals: Totals
    }

    /// What the ledger knows of itself, or nil in a store without one.
    package func summary() throws(StorageFault) -> Summary? {
        guard let head = try StoredState.head(in: source) else { return nil }
        return Summary(
            chainID: head.chainID, height: head.height, stateRoot: head.stateRoot,
            time: head.time, totals: head.totals)
    }

    /// The account, or nil for an address that was never credited.
    package func account(_ address: Address) throws(StorageFault) -> Account? {
        try StoredState.record(at: StateKey(.account, address).path, in: source)
    }

    /// The parameters in force, nil in a store without a ledger.
    package func parameters() throws(StorageFault) -> LedgerParameters? {
        try StoredState.record(at: StateKey.parameters.path, in: source)
    }

    /// The proposals that stand, by the height at which they are due.
    package func proposals() throws(StorageFault) -> [(id: ProposalID, proposal: ParameterProposal)]
    {
        var proposals: [(id: ProposalID, proposal: ParameterProposal)] = []
        for entry in try ProposalQueue.stored(in: source).entries {
            let path = StateKey(.proposal, entry.proposal).path
            guard let proposal: ParameterProposal = try StoredState.record(at: path, in: source)
            else {
                throw StorageFault("proposal \(entry.proposal) is noted but isn't there")
            }
            proposals.append((entry.proposal, proposal))
        }
        return proposals
    }

    /// The issued asset, or nil where there is none, or none any more.
    package func asset(_ id: AssetID) throws(StorageFault) -> Asset? {
        try StoredState.record(at: StateKey(.asset, id).path, in: source)
    }

    /// The escrow, also a closed one.
    package func escrow(_ id: EscrowID) throws(StorageFault) -> Escrow? {
        let live: Escrow? = try StoredState.record(
            at: StateKey(.escrow, id).path, in: source)
        if let live { return live }
        let key = StoredState.closedEscrowKey(id)
        guard let bytes = try source.value(in: .receipts, for: key) else { return nil }
        return try StoredState.decode(bytes, "the closed escrow \(id)")
    }

    /// At most `limit` escrows, closed ones too, that `address` takes part in, in order of id and
    /// beginning behind `last`.
    package func escrows(
        of address: Address, after last: EscrowID? = nil, limit: Int
    ) throws(StorageFault) -> [Escrow] {
        // The least key behind another is the other with a zero byte at its end.
        let start = last.map { StoredState.partyKey(address, $0) + [0] } ?? address.bytes
        let pairs = try source.pairs(
            in: .escrowsByParty, from: start, before: LedgerReader.end(of: address), limit: limit)
        var escrows: [Escrow] = []
        for pair in pairs {
            guard let id = EscrowID(bytes: pair.key.dropFirst(32)), let escrow = try escrow(id)
            else {
                throw StorageFault("\(Hex.encode(pair.key)) names an escrow that isn't there")
            }
            escrows.append(escrow)
        }
        return escrows
    }

    /// At most `limit` accounts that `address` guards, in order of address and beginning behind
    /// `last`.
    package func accounts(
        guardedBy address: Address, after last: Address? = nil, limit: Int
    ) throws(StorageFault) -> [(address: Address, account: Account)] {
        let start = last.map { GuardianIndex.key(address, $0) + [0] } ?? address.bytes
        let pairs = try source.pairs(
            in: .guarded, from: start, before: LedgerReader.end(of: address), limit: limit)
        var found: [(address: Address, account: Account)] = []
        for pair in pairs {
            let guarded = try GuardianIndex.entry(pair.key).account
            guard let account = try account(guarded) else {
                throw StorageFault("\(guarded) is noted as guarded, but isn't there")
            }
            found.append((guarded, account))
        }
        return found
    }

    /// The first key behind every key that begins with `address`; nil behind the last address.
    private static func end(of address: Address) -> [UInt8]? {
        var bytes = address.bytes
        guard let place = bytes.lastIndex(where: { $0 != 0xFF }) else { return nil }
        bytes[place] += 1
        return Array(bytes.prefix(place + 1))
    }

    /// A verifier with stake or with offences, also a validator by its voting key.
    package func verifier(_ key: PublicKey) throws(StorageFault) -> Verifier? {
        try StoredState.record(at: StateKey(.verifier, key).path, in: source)
    }

    /// At most `limit` verifiers with a bond, validators too, the highest bonds first and of equal
    /// ones the lower key.
    package func verifiers(
        limit: Int
    ) throws(StorageFault) -> [(key: PublicKey, verifier: Verifier)] {
        var verifiers: [(key: PublicKey, verifier: Verifier)] = []
        for entry in try BondIndex.stored(limit, source) {
            guard let verifier = try verifier(entry.key) else {
                throw StorageFault("verifier \(entry.key) is noted but isn't there")
            }
            verifiers.append((entry.key, verifier))
        }
        return verifiers
    }

    /// The receipt of an executed transaction.
    package func receipt(_ id: TransactionID) throws(StorageFault) -> Receipt? {
        guard let bytes = try source.value(in: .receipts, for: id.bytes) else { return nil }
        return try StoredState.decode(bytes, "the receipt of \(id)")
    }

    /// The transaction that used a sequence of a stream other than 0; nil where the stream that
    /// stands hasn't come so far, whatever one with its number did that was closed.
    package func transaction(
        of sender: Address, stream: UInt16, sequence: SequenceNumber
    ) throws(StorageFault) -> TransactionID? {
        guard let next = try account(sender)?.nextSequence(on: stream), sequence < next else {
            return nil
        }
        let key = StoredState.useKey(sender, stream, sequence)
        guard let bytes = try source.value(in: .receipts, for: key) else { return nil }
        guard let id = TransactionID(bytes: bytes) else {
            throw StorageFault("the use at \(Hex.encode(key)) names no transaction")
        }
        return id
    }

    /// A value that another part of the node keeps in the state.
    package func systemValue(_ name: String) throws(StorageFault) -> [UInt8]? {
        try StoredState.row(at: StateKey.system(name).path, in: source)?.value
    }
}
