package import Primitives

/// Money that is neither the payer's nor the payee's until a quorum, an arbiter or the deadline
/// decides.
///
/// At every moment `terms.amount + toppedUp == held + released + refunded`.
///
/// Wire: id, payer, terms, deposit, toppedUp, held, released, refunded, round, decisions, optional
/// preimage, state.
package struct Escrow: Hashable, Sendable {
    /// Wire: variant 0 open, 1 disputed, 2 closed.
    package enum State: UInt32, Hashable, Sendable {
        /// Release and refund by their quorums.
        case open = 0
        /// Only arbitration decides.
        case disputed = 1
        /// Nothing is held; it has left the state.
        case closed = 2
    }

    package let id: EscrowID
    package let payer: Address
    package let terms: EscrowTerms
    /// Native asset of the payer's, kept back until the escrow closes.
    package let deposit: Amount
    /// What was added after the start.
    package var toppedUp: Amount
    package var held: Amount
    package var released: Amount
    package var refunded: Amount
    /// Moves on with every payout and with the dispute. Decisions name the round that they are
    /// for, and those of an earlier one are void. A top-up leaves the round alone: it takes nothing
    /// away from what was decided, and otherwise whoever adds one unit could void every release.
    package var round: UInt64
    /// This round's, sorted by address; the last one of each participant.
    package var decisions: [Decision]
    /// What opened the hashlock, once somebody has shown it.
    package var preimage: [UInt8]?
    package var state: State

    /// A new escrow that holds what its terms say.
    package init(id: EscrowID, payer: Address, terms: EscrowTerms, deposit: Amount = 0) {
        self.id = id
        self.payer = payer
        self.terms = terms
        self.deposit = deposit
        toppedUp = 0
        held = terms.amount
        released = 0
        refunded = 0
        round = 0
        decisions = []
        preimage = nil
        state = .open
    }

    /// The id of the escrow that the operation at `operation` of a transaction makes:
    /// `H(escrow, transaction id ‖ operation as four bytes, little-endian)`.
    package static func id(transaction: TransactionID, operation: Int) -> EscrowID {
        var writer = BCSWriter(capacity: 36)
        writer.append(transaction)
        writer.append(UInt32(truncatingIfNeeded: operation))
        return EscrowID(Digest.hash(.escrow, writer.bytes).bytes32)
    }

    /// When the block carries out the default; nil once closed.
    package var due: Timestamp? {
        switch state {
        case .open: terms.deadline
        case .disputed: terms.arbitrationDeadline ?? terms.deadline
        case .closed: nil
        }
    }

    /// Everybody who takes part, sorted, unique.
    package var parties: [Address] {
        var all = [payer, terms.payee]
        for quorum in [terms.release, terms.refund] { all += quorum.members.map(\.address) }
        all += terms.arbitration?.members.map(\.address) ?? []
        all.sort()
        return all.enumerated().filter { $0.offset == 0 || all[$0.offset - 1] != $0.element }
            .map(\.element)
    }

    /// Whether all money that came in is accounted for.
    package var isBalanced: Bool {
        do throws(ArithmeticOverflow) {
            let paidIn = try terms.amount.adding(toppedUp)
            return try paidIn == held.adding(released).adding(refunded)
        } catch {
            return false
        }
    }
}

extension Escrow {
    /// What a participant wants done. Wire: address, choice.
    package struct Decision: Hashable, Sendable, BCSCodable {
        package let address: Address
        package let choice: Choice

        package init(address: Address, choice: Choice) {
            self.address = address
            self.choice = choice
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(address)
            writer.append(choice)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            address = try reader.read()
            choice = try reader.read()
        }
    }

    /// Decisions count together when their choices are equal.
    ///
    /// Wire: variant 0 release or 1 refund, with an amount; 2 split, with toPayee and toPayer.
    package enum Choice: Hashable, Sendable, BCSCodable {
        case release(Amount)
        case refund(Amount)
        case split(toPayee: Amount, toPayer: Amount)

        package func encode(to writer: inout BCSWriter) {
            switch self {
            case .release(let amount):
                writer.appendVariant(0)
                writer.append(amount)
            case .refund(let amount):
                writer.appendVariant(1)
                writer.append(amount)
            case .split(let toPayee, let toPayer):
                writer.appendVariant(2)
                writer.append(toPayee)
                writer.append(toPayer)
            }
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            let start = reader.offset
            switch try reader.readULEB128() {
            case 0: self = .release(try reader.read())
            case 1: self = .refund(try reader.read())
            case 2: self = .split(toPayee: try reader.read(), toPayer: try reader.read())
            case let index: throw BCSError(.unknownVariant(index), at: start)
            }
        }
    }
}

extension Escrow: BCSCodable {
    package func encode(to writer: inout BCSWriter) {
        writer.append(id)
        writer.append(payer)
        writer.append(terms)
        writer.append(deposit)
        writer.append(toppedUp)
        writer.append(held)
        writer.append(released)
        writer.append(refunded)
        writer.append(round)
        writer.append(list: decisions)
        writer.append(preimage != nil)
        if let preimage { writer.appendBytes(preimage) }
        writer.appendVariant(state.rawValue)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        id = try reader.read()
        payer = try reader.read()
        terms = try reader.read()
        deposit = try reader.read()
        toppedUp = try reader.read()
        held = try reader.read()
        released = try reader.read()
        refunded = try reader.read()
        round = try reader.readUInt64()
        decisions = try reader.readSortedList(
            maximum: 3 * TransactionLimits.quorumMembersMax, elementBytes: 41
        ) { (decision: Decision) in decision.address }
        preimage =
            try reader.readBool()
            ? try reader.readBytes(maximum: TransactionLimits.preimageBytesMax) : nil
        let start = reader.offset
        let variant = try reader.readULEB128()
        guard let state = State(rawValue: variant) else {
            throw BCSError(.unknownVariant(variant), at: start)
        }
        self.state = state
    }
}
