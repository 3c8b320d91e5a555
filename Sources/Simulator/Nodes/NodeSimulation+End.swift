internal import Execution
internal import NodeCore
internal import Primitives

// What must hold when everything has come to its end.
extension NodeSimulation {
    mutating func checkEnd() {
        if let contradiction = history.contradiction { return oracle.fail(contradiction) }
        for host in honestHosts {
            do throws(StorageFault) {
                try checkStore(of: host)
            } catch {
                oracle.expect(host.wasDamaged, "node \(host.index) at the end: \(error)")
            }
        }
    }

    /// Recomputes everything from the rows; looks for each transaction that users know the fate
    /// of; compares balances with those that its receipts make.
    private mutating func checkStore(of host: SimulatedHost) throws(StorageFault) {
        guard host.isUp else { return oracle.fail("node \(host.index) is down at the end") }
        _ = try LedgerAudit(of: host.store)
        _ = try PostingAudit(of: host.store)
        try checkRows(of: host)
        let reader = LedgerReader(host.store)
        for id in history.final.sorted() where try reader.receipt(id) == nil {
            return oracle.fail("durability: \(id) was final, and node \(host.index) hasn't it")
        }
        for (id, reason) in history.refused.sorted(by: { $0.key < $1.key })
        where try reader.receipt(id) != nil {
            return oracle.fail(
                "refused for good as \(reason), and executed by \(host.index): \(id)")
        }
        try checkBalances(of: host, reader)
        try checkElections(of: host, reader)
    }

    /// Each row against those around it, as a running node's scrubber does.
    private func checkRows(of host: SimulatedHost) throws(StorageFault) {
        var audit = try ChainAudit(of: host.store, genesis: genesis, depth: .linked)
        try audit.checkHead()
        var walk = StoreWalk()
        while let step = try walk.step(on: host.store) {
            for row in step.rows { try audit.check(row, in: step.column) }
        }
    }

    /// A ledger of a few lines: fees and transfers by the receipts, escrows by their records.
    private mutating func checkBalances(
        of host: SimulatedHost, _ reader: LedgerReader
    ) throws(StorageFault) {
        var money: [Address: Int64] = [:]
        for user in users { money[user.address] = Int64(user.balance) }
        for (id, transaction) in history.submitted.sorted(by: { $0.key < $1.key }) {
            guard let receipt = try reader.receipt(id) else { continue }
            let body = transaction.transaction
            oracle.expect(
                (checks.times[receipt.height] ?? 0) <= body.validUntil,
                "\(id) executed after its time")
            money[body.sender, default: 0] -= Int64(receipt.fee.rawValue)
            guard receipt.outcome == .success else {
                marks.reach(.transactionFailed)
                continue
            }
            if body.sender == users[payers - 1].address { marks.reach(.multisigPaid) }
            for case .transfer(let transfer) in body.operations {
                money[body.sender, default: 0] -= Int64(transfer.amount.rawValue)
                money[transfer.to, default: 0] += Int64(transfer.amount.rawValue)
            }
            for id in receipt.escrows { try settle(id, reader, &money) }
        }
        // What owners of bonds earn isn't reckoned here.
        for user in users.prefix(payers) {
            let found = try reader.account(user.address)?.balance(of: .native).rawValue ?? 0
            oracle.expect(
                Int64(found) == money[user.address],
                "node \(host.index): user \(user.index) has \(found), "
                    + "not \(money[user.address] ?? 0)"
            )
        }
    }

    private mutating func settle(
        _ id: EscrowID, _ reader: LedgerReader, _ money: inout [Address: Int64]
    ) throws(StorageFault) {
        guard let escrow = try reader.escrow(id) else { return oracle.fail("escrow \(id) is gone") }
        let came = Int64(escrow.terms.amount.rawValue)
        let went = Int64(escrow.released.rawValue + escrow.refunded.rawValue)
        oracle.expect(
            came == Int64(escrow.held.rawValue) + went
                && (escrow.state != .closed || escrow.held == 0),
            "escrow \(id) holds \(escrow.held) of \(came) and paid \(went)")
        if let due = escrow.due, let time = try reader.summary()?.time {
            oracle.expect(due >= time, "escrow \(id) was due at \(due), it is \(time)")
        }
        money[escrow.payer, default: 0] += Int64(escrow.refunded.rawValue) - came
        if escrow.state != .closed {
            money[escrow.payer, default: 0] -= Int64(escrow.deposit.rawValue)
        }
        money[escrow.terms.payee, default: 0] += Int64(escrow.released.rawValue)
        if escrow.released > 0 { marks.reach(.escrowReleased) }
        if escrow.refunded > 0 { marks.reach(.escrowRefunded) }
        if escrow.state == .closed, !touchedEscrows.contains(id) { marks.reach(.escrowExpired) }
        if escrow.released > 0, escrow.refunded > 0 { marks.reach(.escrowArbitrated) }
    }
}
