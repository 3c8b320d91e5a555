internal import Execution
internal import Mempool
internal import NodeCore
internal import Primitives

// What users do and are told.
extension NodeSimulation {
    /// Virtual milliseconds that a user waits for an answer.
    private static let patience: ClosedRange<UInt64> = 2_000...8_000

    mutating func act(_ index: Int) {
        defer { schedule(.user(index), after: random.number(in: scenario.pause)) }
        look(index)
        if users[index].isIdle {
            if !isDraining { beginErrand(index) }
        } else {
            for attempt in users[index].attempts.indices { ask(index, attempt) }
        }
    }

    // MARK: Errands

    private mutating func beginErrand(_ index: Int) {
        // An earlier thing that was given up may have used the sequence after all.
        if let host = anyHost(),
            let account = (try? LedgerReader(host.store).account(users[index].address)) ?? nil
        {
            users[index].next = max(users[index].next, account.nextSequence(on: 0))
        }
        let user = users[index]
        if let node = user.node { return beginCandidacy(of: node, by: user) }
        switch random.number(in: 0...99) {
        case 0..<60: begin(.payment, [pay(user, amount: random.number(in: 1...1_000))], user)
        case 60..<66: begin(.overspending, [pay(user, amount: 2 * user.balance)], user)
        case 66..<72: beginForgery(user)
        case 72..<80: beginDoubleSpend(user)
        case 80..<84:
            let life = random.number(in: 1...4_000)
            begin(.shortLived, [pay(user, amount: 1, validFor: life)], user)
        case 84..<92: beginEscrow(user)
        default: decideEscrow(user)
        }
    }

    mutating func begin(
        _ errand: SimulatedUser.Errand, _ transactions: [SignedTransaction], _ user: SimulatedUser
    ) {
        for transaction in transactions {
            history.submit(transaction, isForged: errand == .forgery || errand == .tooFewSigners)
        }
        users[user.index].begin(errand, transactions)
        for attempt in transactions.indices { ask(user.index, attempt) }
    }

    var wall: UInt64 { Simulation.epochMilliseconds + now }

    private mutating func pay(
        _ user: SimulatedUser, amount: UInt64, validFor life: UInt64 = 3_000_000
    ) -> SignedTransaction {
        user.signed(payment(user, amount: amount, validFor: life))
    }

    private mutating func payment(
        _ user: SimulatedUser, amount: UInt64, validFor life: UInt64 = 3_000_000
    ) -> Transaction {
        let to = users[Int(random.next() % UInt64(payers))].address
        return user.transaction(
            [.transfer(Transfer(to: to, amount: Amount(amount)))], chainID: genesis.chainID,
            validUntil: wall + life, memo: UInt64(random.next()).bcsLittleEndian)
    }

    private mutating func beginForgery(_ user: SimulatedUser) {
        if user.signers.count > 1, random.chance(500) {
            let transaction = user.underSigned(payment(user, amount: 78))
            return begin(.tooFewSigners, [transaction], user)
        }
        begin(.forgery, [user.forged(payment(user, amount: 77))], user)
    }

    private mutating func beginDoubleSpend(_ user: SimulatedUser) {
        begin(.doubleSpend, [pay(user, amount: 5), pay(user, amount: 6)], user)
    }

    private mutating func beginEscrow(_ user: SimulatedUser) {
        let count = UInt64(payers)
        let payee = users[(user.index + 1) % payers]
        let arbiter = users[Int((UInt64(user.index) + 2 + random.next() % (count - 2)) % count)]
        let due = wall + random.number(in: 3_000...30_000)
        func only(_ user: SimulatedUser) -> Quorum? {
            try? Quorum(members: [.init(address: user.address, weight: 1)], threshold: 1)
        }
        guard let release = only(user), let refund = only(payee), let arbitration = only(arbiter)
        else { return oracle.fail("a quorum of one can't be made") }
        let terms = EscrowTerms(
            payee: payee.address, amount: Amount(random.number(in: 100...5_000)),
            release: release, refund: refund, arbitration: arbitration, deadline: Timestamp(due),
            onDeadline: random.chance(500) ? .release : .refund,
            arbitrationDeadline: Timestamp(due + 10_000))
        let transaction = user.signed(
            user.transaction(
                [.escrowCreate(terms)], chainID: genesis.chainID, validUntil: wall + 3_000_000))
        escrows.append(
            SimulatedEscrow(
                id: Escrow.id(transaction: transaction.id, operation: 0), payer: user.index,
                payee: payee.index, arbiter: arbiter.index))
        begin(.escrowCreate, [transaction], user)
    }

    /// Decides about an escrow of the user's as some node shows it.
    private mutating func decideEscrow(_ user: SimulatedUser) {
        let mine = escrows.filter {
            !$0.isOver && [$0.payer, $0.payee, $0.arbiter].contains(user.index)
        }
        guard let known = random.element(of: mine), let host = anyHost(),
            let escrow = try? LedgerReader(host.store).escrow(known.id)
        else { return }
        guard escrow.state != .closed else { return endEscrow(known.id) }
        touchedEscrows.insert(known.id)
        guard let (errand, operation) = decision(of: user.index, known, escrow) else { return }
        let transaction = user.transaction(
            [operation], chainID: genesis.chainID, validUntil: wall + 3_000_000)
        begin(errand, [user.signed(transaction)], user)
    }

    private mutating func endEscrow(_ id: EscrowID) {
        for place in escrows.indices where escrows[place].id == id { escrows[place].isOver = true }
    }

    private mutating func decision(
        of user: Int, _ known: SimulatedEscrow, _ escrow: Escrow
    ) -> (SimulatedUser.Errand, Primitives.Operation)? {
        if escrow.state == .disputed {
            guard user == known.arbiter else { return nil }
            let part = random.number(in: 0...escrow.held.rawValue)
            let split = EscrowArbitration(
                escrow: known.id, round: escrow.round, toPayee: Amount(part),
                toPayer: Amount(escrow.held.rawValue - part))
            return (.escrowArbitrate, .escrowArbitrate(split))
        }
        guard user == known.payer || user == known.payee else { return nil }
        if random.chance(300) { return (.escrowDispute, .escrowDispute(known.id)) }
        let direction: EscrowDirection = user == known.payer ? .release : .refund
        let amount = random.number(in: 1...escrow.held.rawValue)
        let decision = EscrowDecision(
            escrow: known.id, round: escrow.round, direction: direction, amount: Amount(amount))
        return (.escrowDecide, .escrowDecide(decision))
    }

    // MARK: Asking

    /// An honest node that runs; users know whom they can believe.
    private mutating func anyHost() -> SimulatedHost? {
        random.element(of: honestHosts.filter { $0.isUp && $0.frozenUntil <= now })
    }

    /// Hands an attempt in again if nobody is being asked about it.
    private mutating func ask(_ index: Int, _ attempt: Int) {
        let state = users[index].attempts[attempt]
        guard state.fate == nil, state.requests.isEmpty, let host = anyHost() else { return }
        if state.isUncertain { marks.reach(.outcomeUnknown) }
        if random.chance(20) { spoil(state.transaction, of: index, at: host) }
        ask(index, attempt, host) { .submit($0, state.transaction) }
        // Copies at other nodes must not matter.
        if random.chance(100), let other = anyHost(), other.index != host.index {
            ask(index, attempt, other) { .submit($0, state.transaction) }
        }
    }

    /// Somebody who saw a transaction hands it in before its sender, with a signature that is
    /// wrong. Nobody waits for the answer.
    private mutating func spoil(
        _ transaction: SignedTransaction, of index: Int, at host: SimulatedHost
    ) {
        lastRequest += 1
        let spoilt = users[index].forged(transaction.transaction)
        put(.submit(RequestID(lastRequest), spoilt), to: host)
    }

    private mutating func ask(
        _ index: Int, _ attempt: Int, _ host: SimulatedHost, isSubmission: Bool = true,
        _ event: (RequestID) -> NodeEvent
    ) {
        lastRequest += 1
        questions[lastRequest] = Question(
            user: index, errand: users[index].errands, attempt: attempt, host: host.index,
            isSubmission: isSubmission)
        users[index].attempts[attempt].requests.insert(lastRequest)
        put(event(RequestID(lastRequest)), to: host)
        schedule(
            .giveUp(index, request: lastRequest),
            after: random.number(in: NodeSimulation.patience))
    }

    mutating func giveUp(_ index: Int, _ request: UInt64) {
        guard let question = close(request) else { return }
        if isCurrent(question) { users[index].attempts[question.attempt].isUncertain = true }
        put(.cancelWait(RequestID(request)), to: hosts[question.host])
    }

    /// Takes a question off the list; nil if it was answered or given up before.
    mutating func close(_ request: UInt64) -> Question? {
        guard let question = questions.removeValue(forKey: request) else { return nil }
        if isCurrent(question) {
            users[question.user].attempts[question.attempt].requests.remove(request)
        }
        return question
    }

    /// Whether the errand that a question was about still goes on.
    func isCurrent(_ question: Question) -> Bool {
        users[question.user].errands == question.errand && !users[question.user].isIdle
    }

    // MARK: Answers

    mutating func take(_ reply: NodeReply, to request: UInt64, from host: SimulatedHost) {
        guard let question = close(request), isCurrent(question) else { return }
        let (index, attempt) = (question.user, question.attempt)
        guard host.isHonest, users[index].attempts[attempt].transaction.id == reply.transactionID
        else { return }
        if question.isSubmission, case .settled(_, .final) = reply {
            marks.reach(.duplicateSettled)
        }
        switch reply {
        case .submitted(_, let outcome): take(outcome, index, attempt, host)
        case .settled(_, let fate), .fate(_, let fate): take(fate, index, attempt, host)
        }
    }

    private mutating func take(
        _ outcome: SubmitOutcome, _ index: Int, _ attempt: Int, _ host: SimulatedHost
    ) {
        switch outcome {
        case .accepted:
            users[index].attempts[attempt].isUncertain = true
            let id = users[index].attempts[attempt].transaction.id
            ask(index, attempt, host, isSubmission: false) { .wait($0, id) }
        case .refused(let reason):
            marks.reach(reason == .invalidSignature ? .forgedRefused : .paymentRefused)
            if NodeOracle.isDefinite(reason) { settle(index, attempt, .refused(reason)) }
            if reason == .insufficientForFee { giveUpOverspending(index) }
        case .busy: marks.reach(.paymentBusy)
        case .overspent: giveUpOverspending(index)
        case .conflict: break
        }
    }

    /// Who wants to pay what he hasn't got asks in vain until he has it.
    private mutating func giveUpOverspending(_ index: Int) {
        guard users[index].errand == .overspending, random.chance(500) else { return }
        marks.reach(.paymentRefused)
        users[index].finish()
    }

    private mutating func take(
        _ fate: Fate, _ index: Int, _ attempt: Int, _ host: SimulatedHost
    ) {
        switch fate {
        case .final:
            checks.told(users[index].attempts[attempt].transaction, by: host, &oracle)
            settle(index, attempt, .final)
        case .skipped(let reason):
            if NodeOracle.isDefinite(reason) { settle(index, attempt, .refused(reason)) }
        case .pending, .unknown: break
        }
    }

    private mutating func settle(_ index: Int, _ attempt: Int, _ fate: SimulatedUser.Fate) {
        guard users[index].attempts[attempt].fate == nil else { return }
        users[index].attempts[attempt].fate = fate
        history.tell(users[index].attempts[attempt].transaction.id, fate)
        guard users[index].isDone else { return }
        if users[index].errand == .doubleSpend {
            let finals = users[index].attempts.count { $0.fate == .final }
            oracle.expect(finals <= 1, "user \(index) spent twice")
            if finals == 1 { marks.reach(.doubleSpendLost) }
        }
        if users[index].errand == .candidacy, fate == .final { noteCandidacy(users[index]) }
        users[index].finish()
    }

    // MARK: Reading

    /// A user looks at some node: what was shown never goes back.
    private mutating func look(_ index: Int) {
        guard random.chance(100), let host = anyHost() else { return }
        checks.look(at: host, &oracle)
    }
}

extension NodeReply {
    fileprivate var transactionID: TransactionID {
        switch self {
        case .submitted(let id, _), .settled(let id, _), .fate(let id, _): id
        }
    }
}
