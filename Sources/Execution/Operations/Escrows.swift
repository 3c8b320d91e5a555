internal import Primitives

// The life of an escrow. Upon
//   create:    the payer's money moves in; state open, round 0.
//   topUp:     more moves in, while open.
//   decide:    each member of the direction's quorum who signs says what he wants. When the weight
//              of equal choices reaches the threshold, and for a release `notBefore` has passed and
//              the preimage was shown, the amount moves out and the round moves on.
//              A payee who isn't the payer and wants all of it refunded, or more, refuses: it is
//              carried out at once, also while disputed.
//   withdraw:  who has decided in this round takes it back (Guarding.swift).
//   dispute:   payer or payee, where there is arbitration: state disputed, the deadline becomes the
//              arbitration deadline, decisions are void.
//   arbitrate: as decide, by the arbitration quorum, about a split of all that is held.
//   deadline:  the block moves all that is held in the direction of `onDeadline` (Expiry.swift).
// When nothing is held any more the escrow is closed, leaves the state, and its deposit goes back.
// Before its due time only people decide, from then on only the block.

extension Executor {
    mutating func createEscrow(
        _ id: EscrowID, _ terms: EscrowTerms, payer: Address
    ) throws(Stop) {
        try checkDeadlines(terms)
        try openHoldings(terms, payer: payer)
        try debit(terms.amount, of: terms.asset, from: payer, .escrowPayment(id))
        try moveEscrowed(terms.amount, of: terms.asset, isPaidIn: true)
        guard try anyEscrow(id) == nil else { throw .fault(StorageFault("escrow \(id) twice")) }
        let deposit = rules.fees.escrowDeposit
        try payDeposit(deposit, from: payer)
        escrows.write(Escrow(id: id, payer: payer, terms: terms, deposit: deposit), for: id)
    }

    /// Both parties can be paid as long as the escrow stands, whatever else they come to hold.
    private mutating func openHoldings(_ terms: EscrowTerms, payer: Address) throws(Stop) {
        guard terms.asset != .native else { return }
        guard terms.amount > 0 else { throw .failed(.zeroAmount) }
        _ = try asset(terms.asset)
        guard try account(payer)?.holding(of: terms.asset) != nil else {
            throw .failed(.insufficientFunds)
        }
        try openHolding(of: terms.asset, for: terms.payee, by: payer)
        try claim(terms.asset, for: payer)
        try claim(terms.asset, for: terms.payee)
    }

    /// Ends an escrow that holds nothing any more.
    mutating func close(_ escrow: inout Escrow) throws(Stop) {
        escrow.state = .closed
        try unclaim(escrow.terms.asset, for: escrow.payer)
        try unclaim(escrow.terms.asset, for: escrow.terms.payee)
        try returnDeposit(escrow.deposit, to: escrow.payer)
    }

    private func checkDeadlines(_ terms: EscrowTerms) throws(Stop) {
        guard terms.deadline > time else { throw .failed(.deadlinePast) }
        let last = max(terms.deadline, terms.arbitrationDeadline ?? terms.deadline)
        guard last.rawValue - time.rawValue <= rules.escrow.durationMillisecondsMax else {
            throw .failed(.deadlineTooFar)
        }
        guard (terms.arbitration == nil) == (terms.arbitrationDeadline == nil) else {
            throw .failed(.arbitrationTerms)
        }
        if let arbitrationDeadline = terms.arbitrationDeadline {
            guard arbitrationDeadline > terms.deadline else { throw .failed(.arbitrationTerms) }
        }
        if let notBefore = terms.notBefore {
            guard notBefore < terms.deadline else { throw .failed(.notBeforeTooLate) }
        }
        guard terms.hashlock == nil || terms.onDeadline == .refund else {
            throw .failed(.hashlockDefault)
        }
    }

    mutating func topUp(_ topUp: EscrowTopUp, from sender: Address) throws(Stop) {
        var escrow = try openEscrow(topUp.escrow)
        try debit(
            topUp.amount, of: escrow.terms.asset, from: sender, .escrowPayment(escrow.id))
        try moveEscrowed(topUp.amount, of: escrow.terms.asset, isPaidIn: true)
        do throws(ArithmeticOverflow) {
            escrow.held = try escrow.held.adding(topUp.amount)
            escrow.toppedUp = try escrow.toppedUp.adding(topUp.amount)
            // What came in over the whole life must stay countable.
            _ = try escrow.terms.amount.adding(escrow.toppedUp)
        } catch {
            throw .failed(.balanceOverflow)
        }
        escrows.write(escrow, for: escrow.id)
    }

    mutating func decide(_ decision: EscrowDecision, _ participants: Participants) throws(Stop) {
        if try refuse(decision, participants) { return }
        var escrow = try openEscrow(decision.escrow)
        guard decision.round == escrow.round else { throw .failed(.wrongRound) }
        guard decision.amount > 0 else { throw .failed(.zeroAmount) }
        guard decision.amount <= escrow.held else { throw .failed(.amountAboveHeld) }
        let isRelease = decision.direction == .release
        if isRelease, let notBefore = escrow.terms.notBefore, time < notBefore {
            throw .failed(.beforeNotBefore)
        }
        try show(decision.preimage, to: &escrow)
        let quorum = isRelease ? escrow.terms.release : escrow.terms.refund
        let choice: Escrow.Choice =
            isRelease ? .release(decision.amount) : .refund(decision.amount)
        try record(choice, by: participants, quorum, in: &escrow)
        if Executor.isReached(quorum, for: choice, in: escrow) {
            guard !isRelease || escrow.terms.hashlock == nil || escrow.preimage != nil else {
                throw .failed(.preimageMissing)
            }
            try pay(decision.amount, decision.direction, from: &escrow)
            try beginRound(of: &escrow)
        }
        escrows.write(escrow, for: escrow.id)
    }

    /// A payee may refuse: all that is held goes back at once, whoever decides otherwise, also
    /// after a dispute. It loses nothing but what it would have got, and nobody can tie an entry of
    /// its account to an escrow that it doesn't want.
    private mutating func refuse(
        _ decision: EscrowDecision, _ participants: Participants
    ) throws(Stop) -> Bool {
        guard decision.direction == .refund, decision.preimage == nil else { return false }
        var escrow = try liveEscrow(decision.escrow)
        // Who is both has made it: by its terms others keep it for him.
        guard escrow.payer != escrow.terms.payee,
            participants.all.contains(escrow.terms.payee), decision.round == escrow.round,
            decision.amount >= escrow.held
        else { return false }
        // More than what is held too: a top-up on the way must not turn a refusal into less.
        try pay(escrow.held, .refund, from: &escrow)
        try beginRound(of: &escrow)
        escrows.write(escrow, for: escrow.id)
        return true
    }

    private func show(_ preimage: [UInt8]?, to escrow: inout Escrow) throws(Stop) {
        guard let preimage else { return }
        guard let hashlock = escrow.terms.hashlock else { throw .failed(.preimageUnexpected) }
        guard Bytes32.sha256(preimage) == hashlock else { throw .failed(.preimageWrong) }
        escrow.preimage = preimage
    }

    mutating func dispute(_ id: EscrowID, _ participants: Participants) throws(Stop) {
        var escrow = try openEscrow(id)
        guard escrow.terms.arbitration != nil else { throw .failed(.noArbitration) }
        let isParty = participants.all.contains { $0 == escrow.payer || $0 == escrow.terms.payee }
        guard isParty else { throw .failed(.notParticipant) }
        escrow.state = .disputed
        try beginRound(of: &escrow)
        escrows.write(escrow, for: id)
    }

    mutating func arbitrate(_ split: EscrowArbitration, _ participants: Participants) throws(Stop) {
        var escrow = try liveEscrow(split.escrow)
        guard let arbitration = escrow.terms.arbitration else { throw .failed(.noArbitration) }
        guard escrow.state == .disputed else { throw .failed(.notDisputed) }
        guard split.round == escrow.round else { throw .failed(.wrongRound) }
        let (sum, overflow) = split.toPayee.rawValue.addingReportingOverflow(
            split.toPayer.rawValue)
        guard !overflow, sum == escrow.held.rawValue else { throw .failed(.splitMismatch) }
        let choice = Escrow.Choice.split(toPayee: split.toPayee, toPayer: split.toPayer)
        try record(choice, by: participants, arbitration, in: &escrow)
        if Executor.isReached(arbitration, for: choice, in: escrow) {
            try pay(split.toPayee, .release, from: &escrow)
            try pay(split.toPayer, .refund, from: &escrow)
            try beginRound(of: &escrow)
        }
        escrows.write(escrow, for: escrow.id)
    }
}

extension Executor {
    /// The last choice of each member of `quorum` who acts.
    private func record(
        _ choice: Escrow.Choice, by participants: Participants, _ quorum: Quorum,
        in escrow: inout Escrow
    ) throws(Stop) {
        let members = participants.all.filter { quorum.weight(of: $0) != nil }
        guard !members.isEmpty else { throw .failed(.notParticipant) }
        let before = escrow.decisions
        for address in members {
            escrow.decisions.removeAll { $0.address == address }
            escrow.decisions.append(Escrow.Decision(address: address, choice: choice))
        }
        escrow.decisions.sort { $0.address < $1.address }
        guard escrow.decisions != before else { throw .failed(.alreadyDecided) }
    }

    private static func isReached(
        _ quorum: Quorum, for choice: Escrow.Choice, in escrow: Escrow
    ) -> Bool {
        var weight: UInt32 = 0
        for decision in escrow.decisions where decision.choice == choice {
            weight += UInt32(quorum.weight(of: decision.address) ?? 0)
        }
        return weight >= quorum.threshold
    }

    private mutating func beginRound(of escrow: inout Escrow) throws(Stop) {
        escrow.round += 1
        escrow.decisions = []
        if escrow.held == 0 { try close(&escrow) }
    }

    /// Moves an amount of what is held to payee or payer.
    mutating func pay(
        _ amount: Amount, _ direction: EscrowDirection, from escrow: inout Escrow
    ) throws(Stop) {
        guard amount > 0 else { return }
        let receiver = direction == .release ? escrow.terms.payee : escrow.payer
        let cause: PostingCause =
            direction == .release ? .escrowRelease(escrow.id) : .escrowRefund(escrow.id)
        try credit(amount, of: escrow.terms.asset, to: receiver, openedBy: nil, cause)
        try moveEscrowed(amount, of: escrow.terms.asset, isPaidIn: false)
        do throws(ArithmeticOverflow) {
            if rules.planted != .escrowKeepsPaid {
                escrow.held = try escrow.held.subtracting(amount)
            }
            switch direction {
            case .release: escrow.released = try escrow.released.adding(amount)
            case .refund: escrow.refunded = try escrow.refunded.adding(amount)
            }
        } catch {
            throw .fault(StorageFault("escrow \(escrow.id) holds less than it pays out"))
        }
    }

    private mutating func anyEscrow(_ id: EscrowID) throws(Stop) -> Escrow? {
        do throws(StorageFault) {
            return try escrows.read(id, source)
        } catch {
            throw .fault(error)
        }
    }

    /// An escrow that holds something and isn't due.
    mutating func liveEscrow(_ id: EscrowID) throws(Stop) -> Escrow {
        guard let escrow = try anyEscrow(id), let due = escrow.due else {
            throw .failed(.escrowUnknown)
        }
        guard time < due else { throw .failed(.deadlinePast) }
        return escrow
    }

    private mutating func openEscrow(_ id: EscrowID) throws(Stop) -> Escrow {
        let escrow = try liveEscrow(id)
        guard escrow.state == .open else { throw .failed(.escrowDisputed) }
        return escrow
    }
}
