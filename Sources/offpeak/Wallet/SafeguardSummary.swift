internal import Primitives

// Limits, guardians and recoveries as people and programs read them before they sign.
extension OperationSummary {
    /// All that the account will have: what isn't named is taken away.
    static func safeguardParts(
        _ terms: SafeguardTerms, _ prefix: NetworkPrefix
    ) -> [(String, String)] {
        let limits = terms.limits.map { limit in
            let window = TimeSpan(milliseconds: limit.windowMilliseconds)
            let asset = limit.asset == .native ? "" : "\(limit.asset):"
            return "\(asset)\(limit.amount) in \(window)"
        }
        guard let guardians = terms.guardians else {
            return [("limits", text(limits)), ("guardians", "none")]
        }
        return [
            ("limits", text(limits)), ("guardians", guardians.quorum.text(in: prefix)),
            ("delay", "\(TimeSpan(milliseconds: guardians.delayMilliseconds))"),
        ]
    }

    private static func text(_ limits: [String]) -> String {
        limits.isEmpty ? "none" : limits.joined(separator: ", ")
    }
}
