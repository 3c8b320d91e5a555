internal import Primitives

/// A quorum as people write it: `address:weight,address:weight@threshold`.
///
/// A weight left out is 1; a threshold left out is all weights together.
enum QuorumText {
    /// - Throws: `CommandFault` that names the part that is wrong.
    static func parse(_ text: String, in prefix: NetworkPrefix) throws(CommandFault) -> Quorum {
        let halves = text.split(separator: "@", omittingEmptySubsequences: false)
        guard halves.count <= 2 else {
            throw .usage("quorum \"\(text)\": one @ in front of the threshold, not several")
        }
        let members = try members(halves[0], in: prefix)
        let threshold =
            if halves.count == 2 {
                try number(UInt32.self, halves[1], "threshold", of: text)
            } else {
                members.reduce(UInt32(0)) { $0 &+ UInt32($1.weight) }
            }
        do throws(Quorum.Fault) {
            return try Quorum(members: members, threshold: threshold)
        } catch {
            throw .usage("quorum \"\(text)\": \(error.text(in: prefix))")
        }
    }

    private static func members(
        _ text: Substring, in prefix: NetworkPrefix
    ) throws(CommandFault) -> [Quorum.Member] {
        var members: [Quorum.Member] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let (name, weight) = try WeightedText.parse(part)
            let address: Address = try IDText.parse(name, in: prefix)
            members.append(Quorum.Member(address: address, weight: weight))
        }
        return members
    }

    private static func number<Number: FixedWidthInteger>(
        _: Number.Type, _ digits: Substring, _ what: String, of text: String
    ) throws(CommandFault) -> Number {
        guard let number = Number(digits) else {
            throw .usage("quorum \"\(text)\": \"\(digits)\" isn't a \(what), a whole number is")
        }
        return number
    }
}

extension Quorum.Fault {
    /// The fault with addresses as people write them.
    func text(in prefix: NetworkPrefix) -> String {
        switch self {
        case .zeroWeight(let address):
            "member \(address.text(in: prefix)) has weight 0, at least 1 is needed"
        case .duplicateMember(let address):
            "member \(address.text(in: prefix)) is named twice; name it once with its whole weight"
        default: description
        }
    }
}

/// `name:weight`, the weight 1 where it is left out.
enum WeightedText {
    static func parse(
        _ text: some StringProtocol
    ) throws(CommandFault) -> (name: String, weight: UInt16) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let name = parts.first, !name.isEmpty else {
            throw .usage("\"\(text)\" isn't name:weight, such as opkacc1...:2")
        }
        guard parts.count == 2 else { return (String(name), 1) }
        guard let weight = UInt16(parts[1]), weight > 0 else {
            throw .usage("\"\(text)\": the weight \"\(parts[1])\" isn't a number from 1 to 65535")
        }
        return (String(name), weight)
    }
}

/// Ids on the command line.
enum IDText {
    /// The id that `text` names in the network `prefix`.
    /// - Throws: `CommandFault` that says what the text is instead.
    static func parse<ID: HumanIdentifier>(
        _ text: String, in prefix: NetworkPrefix
    ) throws(CommandFault) -> ID {
        do throws(HumanID.Fault) {
            return try ID(text: text, in: prefix)
        } catch {
            throw .usage("\"\(text)\": \(error)")
        }
    }

    /// 32 bytes in hexadecimal digits, for what has no text of its own.
    static func parse(hex text: String, _ what: String) throws(CommandFault) -> Bytes32 {
        guard let bytes = Hex.decode(text), let value = Bytes32(bytes) else {
            throw .usage("\"\(text)\" isn't \(what): 64 hexadecimal digits are wanted")
        }
        return value
    }

    /// The network that an account's address is of.
    static func network(of address: String) throws(CommandFault) -> NetworkPrefix {
        guard let network = prefix(of: address) else {
            throw .usage(
                """
                "\(address)" isn't an address: the network's prefix, acc, 1 and 58 letters and \
                digits are wanted, as opkacc1...; `offpeak key show` tells that of a key
                """)
        }
        let _: Address = try parse(address, in: network)
        return network
    }

    /// The prefix of an id of whatever network, or nil for text that isn't an id.
    static func prefix(of text: String) -> NetworkPrefix? {
        guard let decoded = try? Bech32m.decode(text) else { return nil }
        return try? NetworkPrefix(String(decoded.prefix.dropLast(3)))
    }
}
