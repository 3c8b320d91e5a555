/// Ids as people see them: bech32m whose prefix is the network's and three letters for the kind, so
/// that an address is never taken for a key or for an address of another network.
///
/// Example: `opkacc1...` is an address of the network `opk`.
public enum HumanID {
    /// What an id names; the raw value is the three letters.
    public enum Kind: String, CaseIterable, Sendable {
        case address = "acc"
        case publicKey = "pub"
        case transaction = "txn"
        case block = "blk"
        case escrow = "esc"
        case peer = "nod"
        case batch = "bat"
        case asset = "ast"
        case proposal = "prp"

        /// The kind in a sentence, with its article.
        public var noun: String {
            switch self {
            case .address: "an address"
            case .publicKey: "a public key"
            case .transaction: "a transaction id"
            case .block: "a block id"
            case .escrow: "an escrow id"
            case .peer: "a peer id"
            case .batch: "a batch id"
            case .asset: "an asset id"
            case .proposal: "a proposal id"
            }
        }

        /// What text of this kind starts with in `network`.
        public func start(in network: NetworkPrefix) -> String { network.text + rawValue + "1" }
    }

    /// Why text isn't the wanted id.
    public enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        /// Not bech32m at all; the id should start with `wanted`.
        case malformed(Bech32m.Fault, wanted: String)
        /// 64 hexadecimal digits, which don't say what they name.
        case hexadecimal(wanted: String)
        /// A prefix that ends in no kind.
        case unknownKind(prefix: String, wanted: String)
        case wrongKind(Kind, found: String, wanted: Kind, wantedStart: String)
        case wrongNetwork(found: String, wanted: String)
        case wrongLength(Int)

        public var description: String {
            switch self {
            case .malformed(let fault, let wanted):
                "\(fault.description) (wanted: text that starts with \(wanted))"
            case .hexadecimal(let wanted):
                "hexadecimal digits don't say what they name; write it as \(wanted)..."
            case .unknownKind(let prefix, let wanted):
                "\"\(prefix)\" is no known kind; wanted is text that starts with \(wanted)"
            case .wrongKind(let kind, let found, let wanted, let wantedStart):
                "this is \(kind.noun) (\(found)...), \(wanted.noun) (\(wantedStart)...) is wanted"
            case .wrongNetwork(let found, let wanted):
                "this id belongs to the network \"\(found)\", this network is \"\(wanted)\""
            case .wrongLength(let count): "the id holds \(count) bytes, 32 are wanted"
            }
        }
    }

    /// `value` as text of `kind`.
    public static func text(
        _ value: Bytes32, as kind: Kind, in network: NetworkPrefix
    ) -> String {
        Bech32m.encode(prefix: network.text + kind.rawValue, value.bytes)
    }

    /// The 32 bytes of text of exactly `kind` and `network`.
    public static func parse(
        _ text: some StringProtocol, as kind: Kind, in network: NetworkPrefix
    ) throws(Fault) -> Bytes32 {
        let found = try parse(text, in: network, wanting: kind.start(in: network))
        guard found.kind == kind else {
            throw .wrongKind(
                found.kind, found: found.kind.start(in: network), wanted: kind,
                wantedStart: kind.start(in: network))
        }
        return found.value
    }

    /// What text of any kind in `network` names.
    public static func parse(
        _ text: some StringProtocol, in network: NetworkPrefix
    ) throws(Fault) -> (kind: Kind, value: Bytes32) {
        try parse(text, in: network, wanting: network.text)
    }

    private static func parse(
        _ text: some StringProtocol, in network: NetworkPrefix, wanting start: String
    ) throws(Fault) -> (kind: Kind, value: Bytes32) {
        let (prefix, bytes) = try decode(text, wanting: start)
        guard let kind = Kind(rawValue: String(prefix.suffix(3))) else {
            throw .unknownKind(prefix: prefix, wanted: start)
        }
        let found = String(prefix.dropLast(3))
        guard found == network.text else {
            throw .wrongNetwork(found: found, wanted: network.text)
        }
        guard let value = Bytes32(bytes) else { throw .wrongLength(bytes.count) }
        return (kind, value)
    }

    private static func decode(
        _ text: some StringProtocol, wanting start: String
    ) throws(Fault) -> (prefix: String, bytes: [UInt8]) {
        if text.utf8.count == 64, Hex.decode(text) != nil { throw .hexadecimal(wanted: start) }
        do throws(Bech32m.Fault) {
            return try Bech32m.decode(text)
        } catch {
            throw .malformed(error, wanted: start)
        }
    }
}

/// An identifier that has a text for people of its own.
public protocol HumanIdentifier: Identifier32 {
    static var humanKind: HumanID.Kind { get }
}

extension HumanIdentifier {
    /// The bech32m text in `network`.
    public func text(in network: NetworkPrefix) -> String {
        HumanID.text(bytes32, as: Self.humanKind, in: network)
    }

    /// The identifier that `text` names in `network`.
    /// - Throws: `HumanID.Fault` for text of another kind or network, or damaged text.
    public init(text: some StringProtocol, in network: NetworkPrefix) throws(HumanID.Fault) {
        self.init(try HumanID.parse(text, as: Self.humanKind, in: network))
    }
}

extension Address: HumanIdentifier {
    public static var humanKind: HumanID.Kind { .address }
}

extension PublicKey: HumanIdentifier {
    public static var humanKind: HumanID.Kind { .publicKey }
}

extension PeerID: HumanIdentifier {
    public static var humanKind: HumanID.Kind { .peer }
}

extension TransactionID: HumanIdentifier {
    public static var humanKind: HumanID.Kind { .transaction }
}

extension EscrowID: HumanIdentifier {
    public static var humanKind: HumanID.Kind { .escrow }
}

extension AssetID: HumanIdentifier {
    public static var humanKind: HumanID.Kind { .asset }
}

extension ProposalID: HumanIdentifier {
    public static var humanKind: HumanID.Kind { .proposal }
}
