internal import Execution
internal import Primitives
internal import RPC

/// Changes to a genesis by the names that its file spells.
enum GenesisEdit {
    /// The file of `genesis` with other stakes and, for each of `parameters`, `name=value`.
    /// - Throws: `CommandFault` for a name that isn't a parameter, or a genesis that can't be.
    static func text(
        of genesis: Genesis, stakes: [Amount], parameters: [String]
    ) throws(CommandFault) -> String {
        var tree: JSONValue
        do throws(JSONFault) {
            tree = try JSONReader.parse(
                Array(GenesisText.text(of: genesis).utf8), within: .answer)
        } catch {
            throw CommandFault("the genesis can't be read back: \(error)")
        }
        tree = replacedStakes(tree, stakes)
        for change in parameters {
            let (path, value) = try split(change)
            tree = try replaced(tree, ["parameters"] + path, value, change)
        }
        let changed = try GenesisText.parse(tree.encoded, file: "the new genesis")
        return GenesisText.text(of: changed)
    }

    private static func replacedStakes(_ tree: JSONValue, _ stakes: [Amount]) -> JSONValue {
        mapped(tree, "validators") { list in
            guard case .array(let validators) = list else { return list }
            return .array(
                zip(validators, stakes).map { validator, stake in
                    mapped(validator, "stake") { _ in .string("\(stake)") }
                })
        }
    }

    /// An object with one member's value changed.
    private static func mapped(
        _ object: JSONValue, _ name: String, _ change: (JSONValue) -> JSONValue
    ) -> JSONValue {
        guard case .object(let members) = object else { return object }
        return .object(
            members.map {
                $0.name == name ? JSONMember(name, change($0.value)) : $0
            })
    }

    private static func split(
        _ change: String
    ) throws(CommandFault) -> (path: [String], value: String) {
        let halves = change.split(separator: "=", maxSplits: 1)
        guard halves.count == 2 else {
            throw .usage("--parameter \"\(change)\": name=value is wanted")
        }
        return (halves[0].split(separator: ".").map(String.init), String(halves[1]))
    }

    /// `tree` with the value at `path` replaced by one of the same JSON type.
    private static func replaced(
        _ tree: JSONValue, _ path: [String], _ value: String, _ change: String
    ) throws(CommandFault) -> JSONValue {
        guard let name = path.first else { return try leaf(like: tree, value, change) }
        guard case .object(let members) = tree else {
            throw .usage("--parameter \"\(change)\": nothing lies below \(path[0])")
        }
        guard members.contains(where: { $0.name == name }) else {
            let known = members.map(\.name).joined(separator: ", ")
            throw .usage("--parameter \"\(change)\": unknown \"\(name)\"; known are \(known)")
        }
        var changed: [JSONMember] = []
        for member in members {
            changed.append(
                member.name == name
                    ? JSONMember(
                        name, try replaced(member.value, Array(path.dropFirst()), value, change))
                    : member)
        }
        return .object(changed)
    }

    private static func leaf(
        like old: JSONValue, _ value: String, _ change: String
    ) throws(CommandFault) -> JSONValue {
        switch old {
        case .number:
            // Other text goes on as it is: the file's own check says what is wrong.
            return value.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) ? .number(value) : .string(value)
        case .string: return .string(value)
        case .object(let members):
            let known = members.map(\.name).joined(separator: ", ")
            throw .usage("--parameter \"\(change)\": name one of its parts: \(known)")
        default: throw .usage("--parameter \"\(change)\" can't be set like this")
        }
    }
}
