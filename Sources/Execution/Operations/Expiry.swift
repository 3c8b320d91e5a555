internal import Primitives

extension Executor {
    /// The defaults that are due at the block's time, in order of deadline and id, at most as many
    /// as genesis allows a block: the others wait for the next one.
    mutating func carryOutDeadlines() throws(StorageFault) -> [EscrowExpiry] {
        if rules.planted == .deadlineIgnored { return [] }
        let due = try deadlines.due(
            at: time, limit: Int(rules.escrow.expiriesPerBlockMax), source)
        var expiries: [EscrowExpiry] = []
        for entry in due { expiries.append(try expire(entry)) }
        return expiries
    }

    private mutating func expire(
        _ entry: DeadlineIndex.Entry
    ) throws(StorageFault) -> EscrowExpiry {
        guard var escrow = try escrows.read(entry.escrow, source), escrow.due == entry.due else {
            throw StorageFault(
                "escrow \(entry.escrow) is noted as due at \(entry.due), but the state doesn't say"
                    + " so; move the store away and let the node fetch the chain again")
        }
        let expiry = EscrowExpiry(
            escrow: escrow.id, direction: escrow.terms.onDeadline, amount: escrow.held)
        do throws(Stop) {
            try pay(expiry.amount, expiry.direction, from: &escrow)
            try close(&escrow)
        } catch {
            throw StorageFault("escrow \(escrow.id) can't carry out its default: \(error)")
        }
        escrow.round += 1
        escrow.decisions = []
        escrows.write(escrow, for: escrow.id)
        return expiry
    }
}
