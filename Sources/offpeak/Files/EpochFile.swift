internal import Execution
internal import LightClient
internal import Primitives
internal import RPC

/// Steps from epoch to epoch in a file: what `offpeak query epochs` wrote, or a node answered to
/// `epoch_proofs`, with or without JSON-RPC's wrapping.
enum EpochFile {
    /// Bytes: some 30,000 steps of four validators, or 500 of 512.
    static let bytesMax = 64 << 20

    private static let wrapping = ["jsonrpc", "id", "result"]
    private static let members = ["steps", "epoch"]

    /// A client that trusts `genesis`, and a block where one is given, and has followed the steps
    /// of all files, in their order.
    /// - Throws: `CommandFault` for files that can't be read, and for steps that don't hold.
    static func client(
        trusting genesis: Genesis, through checkpoint: Checkpoint? = nil,
        following paths: [String]
    ) throws(CommandFault) -> LightClient {
        var client = LightClient(trusting: genesis, through: checkpoint)
        for path in paths {
            let name = path == "-" ? "stdin" : path
            let bytes = try TextFile.read(path, maximum: bytesMax)
            try follow(try parse(bytes, name: name), name: name, with: &client)
        }
        return client
    }

    private static func follow(
        _ answer: EpochProofs, name: String, with client: inout LightClient
    ) throws(CommandFault) {
        for (place, step) in answer.steps.enumerated() {
            guard let bytes = Base64.decode(step.proof) else {
                throw CommandFault("\(name): steps[\(place)]: proof: base64 is wanted")
            }
            do throws(ProofFault) {
                try client.follow(bytes)
            } catch {
                throw CommandFault("\(name): steps[\(place)]: \(error)")
            }
            guard step.epoch.next == client.epoch else {
                throw CommandFault(
                    """
                    \(name): steps[\(place)]: the step is into epoch \(client.epoch); beside it \
                    stands one out of \(step.epoch)
                    """)
            }
        }
    }

    static func parse(_ bytes: [UInt8], name: String) throws(CommandFault) -> EpochProofs {
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONReader.parse(bytes, within: .answer)
        } catch {
            throw CommandFault("\(name) isn't JSON: \(error)")
        }
        let all = try JSONFields(value, place: name, known: wrapping + members + ["error"])
        if (try? all.value("error")) != nil {
            throw CommandFault("\(name) is an error, and has no steps")
        }
        guard let result = try? all.value("result") else {
            return try answer(JSONFields(value, place: name, known: members))
        }
        _ = try JSONFields(value, place: name, known: wrapping)
        return try answer(JSONFields(result, place: "\(name): result", known: members))
    }

    private static func answer(_ fields: JSONFields) throws(CommandFault) -> EpochProofs {
        var steps: [EpochProof] = []
        for (place, value) in try fields.list("steps", maximum: .max).enumerated() {
            let step = try JSONFields(
                value, place: "\(fields.place): steps[\(place)]", known: ["epoch", "proof"])
            steps.append(
                EpochProof(
                    epoch: Epoch(try step.number("epoch")), proof: try step.text("proof")))
        }
        return EpochProofs(steps: steps, epoch: Epoch(try fields.number("epoch")))
    }
}
