internal import Execution
internal import LightClient
internal import Primitives
internal import RPC

/// What a proof is wanted of, as people write it: an address, the id of an escrow, an asset or
/// a transaction, the key of a verifier, `validator:3`, `parameters`, `history` or `history:3-9`.
struct SubjectText: Sendable {
    enum Subject: Hashable, Sendable {
        case account(Address)
        case escrow(EscrowID)
        case asset(AssetID)
        case transaction(TransactionID)
        case verifier(PublicKey)
        case validator(ValidatorIndex)
        case parameters
        /// Heights; nil for any.
        case history(from: Height?, to: Height?)
    }

    static let help: String =
        "An address, an escrow, an asset, a transaction, a verifier's key, validator:INDEX,"
        + " parameters, history or history:FROM-TO."

    let text: String
    let subject: Subject

    /// - Parameter network: The network that an id must be of; nil for any.
    /// - Throws: `CommandFault` for text that names nothing that can be proven.
    init(_ text: String, in network: NetworkPrefix?) throws(CommandFault) {
        self.text = text
        if text == "parameters" {
            subject = .parameters
        } else if text == "history" {
            subject = .history(from: nil, to: nil)
        } else if text.hasPrefix("history:") {
            subject = try SubjectText.heights(text.dropFirst("history:".count))
        } else if text.hasPrefix("validator:") {
            subject = .validator(try SubjectText.index(text.dropFirst("validator:".count)))
        } else {
            subject = try SubjectText.id(text, network)
        }
    }

    private static func index(_ text: Substring) throws(CommandFault) -> ValidatorIndex {
        guard let index = UInt16(text), index < Committee.countMax else {
            throw .usage(
                "\"validator:\(text)\": a place from 0 to \(Committee.countMax - 1) is wanted")
        }
        return ValidatorIndex(index)
    }

    private static func heights(_ text: Substring) throws(CommandFault) -> Subject {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
        guard parts.count == 2, let from = parts[0], let to = parts[1], 0 < from, from <= to else {
            throw .usage("\"history:\(text)\": two heights are wanted, as history:3-9")
        }
        return .history(from: Height(from), to: Height(to))
    }

    private static func id(
        _ text: String, _ network: NetworkPrefix?
    ) throws(CommandFault) -> Subject {
        guard let network = network ?? IDText.prefix(of: text) else {
            throw .usage("\"\(text)\" is nothing that can be proven: \(help)")
        }
        let found: (kind: HumanID.Kind, value: Bytes32)
        do throws(HumanID.Fault) {
            found = try HumanID.parse(text, in: network)
        } catch {
            throw .usage("\"\(text)\": \(error)")
        }
        return switch found.kind {
        case .address: .account(Address(found.value))
        case .escrow: .escrow(EscrowID(found.value))
        case .asset: .asset(AssetID(found.value))
        case .transaction: .transaction(TransactionID(found.value))
        case .publicKey: .verifier(PublicKey(found.value))
        default: throw .usage("\"\(text)\" is nothing that can be proven: \(help)")
        }
    }

    /// What a light client is asked.
    var question: LightClient.Question {
        switch subject {
        case .account(let address): .value(StateKey(.account, address))
        case .escrow(let id): .value(StateKey(.escrow, id))
        case .asset(let id): .value(StateKey(.asset, id))
        case .transaction(let id): .transaction(id)
        case .verifier(let key): .value(StateKey(.verifier, key))
        case .validator(let index): .value(.validator(index))
        case .parameters: .value(.parameters)
        case .history(let from, let to): .consistency(from: from, to: to)
        }
    }

    /// What a node is asked.
    func ask(_ rpc: RPCClient) async throws(RPCClientFault) -> ProofInfo {
        switch subject {
        case .account:
            try await rpc.proof("account_proof", [JSONMember("address", .string(text))])
        case .escrow: try await rpc.proof("escrow_proof", [JSONMember("id", .string(text))])
        case .asset: try await rpc.proof("asset_proof", [JSONMember("id", .string(text))])
        case .transaction:
            try await rpc.proof("transaction_proof", [JSONMember("id", .string(text))])
        case .verifier: try await rpc.proof("verifier_proof", [JSONMember("key", .string(text))])
        case .validator(let index):
            try await rpc.proof("validator_proof", [JSONMember("index", .number("\(index)"))])
        case .parameters: try await rpc.proof("parameters_proof")
        case .history(let from, let to): try await rpc.consistency(from: from, to: to)
        }
    }
}
