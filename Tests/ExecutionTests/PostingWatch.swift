import Primitives
import TestSupport
import Testing

@testable import Execution

/// Postings as blocks hand them out, held against balances that somebody else keeps.
struct PostingWatch {
    /// What random traffic brings up in one of the runs at least.
    static let expectedKinds: Set<PostingKind> = [
        .fee, .deposit, .transfer, .escrowPayment, .escrowRelease, .escrowRefund, .bond,
        .withdrawal, .validatorReward, .verifierReward, .treasuryShare, .evidenceReward, .slashing,
        .mint, .redemption, .clawback,
    ]

    private var postings: [Address: [Posting]] = [:]
    /// As the postings leave them, without those of 0.
    private var balances: [Address: [AssetID: UInt64]] = [:]
    private(set) var kinds: Set<PostingKind> = []

    /// Begins with what genesis gave.
    init(_ store: MemoryStore) throws {
        for row in try store.pairs(in: .postings, from: [], before: nil, limit: .max) {
            add(try Posting(row))
        }
    }

    private mutating func add(_ posting: Posting) {
        postings[posting.address, default: []].append(posting)
        let balance = posting.balance.rawValue
        balances[posting.address, default: [:]][posting.asset] = balance > 0 ? balance : nil
        kinds.insert(posting.cause.kind)
    }

    /// Where a block's postings don't make `wanted` of the balances before it.
    mutating func differences(
        _ outcome: BlockOutcome, _ wanted: [Address: [AssetID: UInt64]]
    ) throws -> [String] {
        var differences: [String] = []
        let executed = outcome.results.compactMap { result -> TransactionID? in
            guard case .executed(let receipt) = result else { return nil }
            return receipt.transactionID
        }
        var places: [PostingPlace] = []
        for change in outcome.writes.changes where change.column == .postings {
            let posting = try Posting(KeyValue(key: change.key, value: change.value ?? []))
            let before = balances[posting.address]?[posting.asset] ?? 0
            if posting.balanceBefore?.rawValue != before {
                differences.append("\(posting) after \(before)")
            }
            if let id = posting.transaction, !executed.contains(id) {
                differences.append("\(posting) of a transaction that wasn't executed")
            }
            places.append(posting.place)
            add(posting)
        }
        let indexes = (0..<places.count).map {
            PostingPlace(height: outcome.height, index: UInt32($0))
        }
        if places != indexes { differences.append("places \(places)") }
        for address in Set(wanted.keys).union(balances.keys)
        where wanted[address] ?? [:] != balances[address] ?? [:] {
            let (found, held) = (balances[address] ?? [:], wanted[address] ?? [:])
            differences.append("\(address): postings leave \(found), not \(held)")
        }
        return differences
    }

    /// For random ranges: the balance before, and what the pages of the range add up to, make the
    /// balance after. And the store as a whole is sound.
    func checkRanges(_ store: MemoryStore, _ addresses: [Address], seed: UInt64) throws {
        let audit = try PostingAudit(of: store)
        #expect(audit.postings == postings.values.reduce(0) { $0 + UInt64($1.count) })
        let reader = LedgerReader(store)
        let newest = try #require(try reader.summary()).height.rawValue
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let address = addresses[Int(generator.next() % UInt64(addresses.count))]
            let bounds = [generator.next() % (newest + 2), generator.next() % (newest + 2)].sorted()
            var query = PostingQuery(of: address)
            query.from = Height(bounds[0])
            query.through = Height(bounds[1])
            query.order = generator.next() % 2 == 0 ? .newest : .oldest
            var sum: Int64 = 0
            repeat {
                let page = try reader.postings(query, limit: Int(generator.next() % 40) + 1)
                for posting in page.postings where posting.asset == .native {
                    let amount = Int64(posting.amount.rawValue)
                    sum += posting.isCredit ? amount : -amount
                }
                query.after = page.next
            } while query.after != nil
            let opening = balance(of: address) { $0 < bounds[0] }
            let closing = balance(of: address) { $0 <= bounds[1] }
            #expect(opening + sum == closing, "seed \(seed): \(bounds) of \(address)")
        }
    }

    private func balance(of address: Address, _ isWanted: (UInt64) -> Bool) -> Int64 {
        let last = postings[address]?.last {
            $0.asset == .native && isWanted($0.place.height.rawValue)
        }
        return Int64(last?.balance.rawValue ?? 0)
    }
}

extension NaiveLedger {
    /// What each account holds of which assets, without those of which it holds nothing.
    var amounts: [Address: [AssetID: UInt64]] {
        var amounts = balances.mapValues { $0 > 0 ? [AssetID.native: $0] : [:] }
        for (address, entries) in holdings {
            for (asset, holding) in entries where holding.amount > 0 {
                amounts[address, default: [:]][asset] = holding.amount
            }
        }
        return amounts
    }
}
