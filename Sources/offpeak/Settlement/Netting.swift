internal import Primitives

/// What people owe one another, reduced to what has to move.
///
/// For each asset, and for each circle of people whom obligations join: what somebody is owed less
/// what he owes is his position; positions sum to zero. Debtors with the same position as a
/// creditor pay that one; the rest is paid from the largest debtor to the largest creditor, and so
/// on: at most one transfer fewer than there are people in the circle, and so never more than there
/// were obligations. The least number there could be is hard to find (it is a partition problem);
/// this is within a factor of two, and the same for equal obligations in any order.
struct Netting {
    struct Obligation: Hashable, Sendable {
        let line: Int
        let debtor: Address
        let creditor: Address
        let asset: AssetID
        let amount: Amount
    }

    struct Transfer: Hashable, Sendable {
        let payer: Address
        let receiver: Address
        let asset: AssetID
        let amount: Amount
    }

    /// By asset, payer and receiver.
    let transfers: [Transfer]
    let obligations: Int
    let people: Int

    /// - Throws: `CSVFault` where somebody owes or is owed more than 2^64 - 1.
    init(_ obligations: [Obligation]) throws(CSVFault) {
        var owed: [AssetID: [Address: Amount]] = [:]
        var owing: [AssetID: [Address: Amount]] = [:]
        for obligation in obligations {
            try Netting.add(obligation, obligation.creditor, to: &owed)
            try Netting.add(obligation, obligation.debtor, to: &owing)
        }
        var transfers: [Transfer] = []
        for asset in owed.keys.sorted() {
            for circle in Netting.circles(obligations.filter { $0.asset == asset }) {
                transfers += Netting.transfers(
                    asset, circle, owed[asset] ?? [:], owing[asset] ?? [:])
            }
        }
        self.transfers = transfers.sorted {
            ($0.asset, $0.payer, $0.receiver) < ($1.asset, $1.payer, $1.receiver)
        }
        self.obligations = obligations.count
        people = Set(obligations.flatMap { [$0.debtor, $0.creditor] }).count
    }

    private static func add(
        _ obligation: Obligation, _ person: Address,
        to sums: inout [AssetID: [Address: Amount]]
    ) throws(CSVFault) {
        let before = sums[obligation.asset]?[person] ?? 0
        guard let sum = try? before.adding(obligation.amount) else {
            throw CSVFault(
                line: obligation.line, column: 1,
                "the obligations of one person sum to more than \(UInt64.max) up to here")
        }
        sums[obligation.asset, default: [:]][person] = sum
    }

    private struct Position {
        let person: Address
        var amount: UInt64
    }

    /// People who are joined by obligations, each circle in order.
    private static func circles(_ obligations: [Obligation]) -> [[Address]] {
        var above: [Address: Address] = [:]
        func first(of person: Address) -> Address {
            var person = person
            while let next = above[person] { person = next }
            return person
        }
        for obligation in obligations {
            let (one, other) = (first(of: obligation.debtor), first(of: obligation.creditor))
            if one != other { above[max(one, other)] = min(one, other) }
        }
        let people = Set(obligations.flatMap { [$0.debtor, $0.creditor] }).sorted()
        let circles = Dictionary(grouping: people, by: first)
        return circles.sorted { $0.key < $1.key }.map(\.value)
    }

    private static func transfers(
        _ asset: AssetID, _ people: [Address], _ owed: [Address: Amount], _ owing: [Address: Amount]
    ) -> [Transfer] {
        var creditors: [Position] = []
        var debtors: [Position] = []
        for person in people {
            let (gets, pays) = (owed[person]?.rawValue ?? 0, owing[person]?.rawValue ?? 0)
            if gets > pays { creditors.append(Position(person: person, amount: gets - pays)) }
            if pays > gets { debtors.append(Position(person: person, amount: pays - gets)) }
        }
        var found: [Transfer] = []
        func pay(_ debtor: Position, _ creditor: Position, _ amount: UInt64) {
            found.append(
                Transfer(
                    payer: debtor.person, receiver: creditor.person, asset: asset,
                    amount: Amount(amount)))
        }
        for debtor in debtors {
            guard let place = creditors.firstIndex(where: { $0.amount == debtor.amount }) else {
                continue
            }
            pay(debtor, creditors.remove(at: place), debtor.amount)
            debtors.removeAll { $0.person == debtor.person }
        }
        let larger = { (left: Position, right: Position) in
            (right.amount, left.person) < (left.amount, right.person)
        }
        creditors.sort(by: larger)
        debtors.sort(by: larger)
        var place = 0
        for var debtor in debtors {
            while debtor.amount > 0, place < creditors.count {
                let amount = min(debtor.amount, creditors[place].amount)
                pay(debtor, creditors[place], amount)
                debtor.amount -= amount
                creditors[place].amount -= amount
                if creditors[place].amount == 0 { place += 1 }
            }
        }
        return found
    }
}
