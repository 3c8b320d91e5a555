internal import Primitives

// Typed reads of what questions about the past are made of.
extension Arguments {
    /// `native`, or an asset's text.
    func asset(_ name: String) throws(RPCFault) -> AssetID? {
        try text(name, "an asset") == "native" ? .native : try optionalID(name)
    }

    /// One of the words that the parameter may be.
    func choice(_ name: String) throws(RPCFault) -> String? {
        guard case .choice(let words)? = kind(of: name) else {
            preconditionFailure("the parameter \(name) is no choice")
        }
        let wanted = words.joined(separator: " or ")
        guard let text = try text(name, wanted) else { return nil }
        guard words.contains(text) else {
            throw .invalidParameter(name, "\"\(text.prefix(80))\" where \(wanted) is wanted")
        }
        return text
    }

    /// A posting's place in the chain.
    func postingPlace(_ name: String) throws(RPCFault) -> PostingPlace? {
        guard let text = try text(name, "a place, as 12-3,") else { return nil }
        guard let place = PostingPlace(text) else {
            throw .invalidParameter(
                name, "\"\(text.prefix(80))\" where a place, as 12-3, is wanted")
        }
        return place
    }
}
