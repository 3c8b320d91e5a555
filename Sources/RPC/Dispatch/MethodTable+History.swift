internal import Primitives

extension MethodTable {
    private static let historyRange = 1...UInt64(RPCLimits.historyPageMax)

    /// What happened, and that nothing of it was rewritten.
    static let historyMethods = [
        Method.read(
            "account_history", "What changed in an account's balances, a page at a time.",
            [
                Parameter("address", .address, "the account's address"),
                Parameter("asset", .asset, required: false, "only this asset"),
                Parameter("fromHeight", .height, required: false, "the first block"),
                Parameter("toHeight", .height, required: false, "the last block"),
                Parameter(
                    "since", .count(0...UInt64.max), required: false,
                    "blocks of this time and later, in milliseconds since 1970"),
                Parameter(
                    "before", .count(0...UInt64.max), required: false,
                    "blocks before this time, in milliseconds since 1970"),
                Parameter(
                    "order", .choice(HistoryOrder.allCases.map(\.rawValue)), required: false,
                    "what comes first; newest if not given"),
                Parameter("after", .postingPlace, required: false, "the last page's \"next\""),
                Parameter(
                    "limit", .count(historyRange), required: false,
                    "postings on the page; \(RPCLimits.historyPageDefault) if not given"),
            ]
        ) { (arguments, backend) async throws(RPCFault) in
            try await backend.history(
                of: try arguments.id("address"), try historyQuery(arguments))
        },
        Method.read(
            "history_consistency",
            "That the history after one block begins with that after an earlier one, with a proof.",
            [
                Parameter(
                    "from", .height, required: false, "the earlier height; \"to\" if not given"),
                Parameter(
                    "to", .height, required: false,
                    "the later height; the newest that can be proven if not given"),
            ]
        ) { (arguments, backend) async throws(RPCFault) in
            let (from, to) = (try arguments.height("from"), try arguments.height("to"))
            guard from != 0, to != 0 else {
                let name = from == 0 ? "from" : "to"
                throw .invalidParameter(name, "the history begins with block 1")
            }
            if let from, let to, from > to {
                throw .invalidParameter("from", "\(from) is above \"to\", \(to)")
            }
            return try await backend.proof(of: .consistency(from: from, to: to))
        },
    ]

    private static func historyQuery(_ arguments: Arguments) throws(RPCFault) -> HistoryQuery {
        var query = HistoryQuery()
        query.asset = try arguments.asset("asset")
        query.fromHeight = try arguments.height("fromHeight") ?? 0
        query.toHeight = try arguments.height("toHeight") ?? Height(.max)
        let times = 0...UInt64.max
        query.since = Timestamp(try arguments.count("since", in: times) ?? 0)
        query.before = try arguments.count("before", in: times).map { Timestamp($0) }
        if let order = try arguments.choice("order").flatMap({ HistoryOrder(rawValue: $0) }) {
            query.order = order
        }
        query.after = try arguments.postingPlace("after")
        if let limit = try arguments.count("limit", in: historyRange) { query.limit = Int(limit) }
        return query
    }
}
