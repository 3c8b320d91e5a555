internal import Primitives

/// A method: its name, what it takes and gives, and what carries it out.
package struct Method: Sendable {
    /// Reads can be called by plain GET too.
    enum Action: Sendable {
        /// Answers the encoded result.
        case read(@Sendable (Arguments, any RPCBackend) async throws(RPCFault) -> [UInt8])
        /// As `read`, but may take as long as the client says; held to a limit of its own.
        case wait(@Sendable (Arguments, any RPCBackend) async throws(RPCFault) -> [UInt8])
        /// Takes a transaction; those of a batch go to the node together.
        case submit
    }

    /// `noun_verb`.
    package let name: String
    /// One sentence.
    package let summary: String
    package let parameters: [Parameter]
    /// The name of the answer's type.
    package let answer: String
    let action: Action

    /// Whether GET may call it.
    package var isRead: Bool {
        if case .submit = action { false } else { true }
    }

    /// A method that reads one `Answer`.
    static func read<Answer: Encodable & Sendable>(
        _ name: String, _ summary: String, _ parameters: [Parameter] = [],
        _ read:
            @escaping @Sendable (Arguments, any RPCBackend) async throws(RPCFault) -> Answer
    ) -> Method {
        Method(
            name: name, summary: summary, parameters: parameters, answer: "\(Answer.self)",
            action: .read { (arguments, backend) async throws(RPCFault) in
                try AnswerCoding.encode(try await read(arguments, backend))
            })
    }

    /// A method that waits for an `Answer`.
    static func wait<Answer: Encodable & Sendable>(
        _ name: String, _ summary: String, _ parameters: [Parameter],
        _ wait:
            @escaping @Sendable (Arguments, any RPCBackend) async throws(RPCFault) -> Answer
    ) -> Method {
        Method(
            name: name, summary: summary, parameters: parameters, answer: "\(Answer.self)",
            action: .wait { (arguments, backend) async throws(RPCFault) in
                try AnswerCoding.encode(try await wait(arguments, backend))
            })
    }
}
