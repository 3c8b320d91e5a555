internal import ArgumentParser
internal import Glibc
internal import Primitives
internal import RPC
internal import Runtime

/// Why a command didn't do what was asked: for people and for programs.
struct CommandFault: Error, CustomStringConvertible {
    /// What was wrong, with which value, and what would be right.
    let description: String
    let exitCode: Runtime.ExitCode
    /// What a program can act on; an object, or nil.
    let data: JSONValue?

    init(_ description: String, data: [JSONMember] = []) {
        self.init(description, exitCode: .failure, data: data)
    }

    private init(_ description: String, exitCode: Runtime.ExitCode, data: [JSONMember]) {
        self.description = description
        self.exitCode = exitCode
        self.data = data.isEmpty ? nil : .object(data)
    }

    /// A command line that can't be carried out as it is written.
    static func usage(_ description: String) -> CommandFault {
        CommandFault(description, exitCode: .usage, data: [])
    }
}

/// How the process ends after an error.
struct Failure {
    /// For people; empty if everything was said before.
    let message: String
    let exitCode: Runtime.ExitCode.RawValue
    /// Whether the message is an answer, such as help, and belongs on stdout.
    let isAnswer: Bool
    /// Usage or the next step, for people only.
    let advice: String
    let data: JSONValue?

    init(_ error: any Error) {
        switch error {
        case let fault as CommandFault:
            self.init(fault.description, fault.exitCode, data: fault.data)
        case let fault as RPCFault: self.init(CommandFault(fault))
        case let fault as HomeFault: self.init(fault.description, fault.exitCode)
        case let fault as StorageFault: self.init(fault.description, .storage)
        case let code as Runtime.ExitCode: self.init("", code)
        default: self.init(parsing: error)
        }
    }

    private init(
        _ message: String, _ exitCode: Runtime.ExitCode, data: JSONValue? = nil,
        advice: String = "", isAnswer: Bool = false
    ) {
        self.message = message
        self.exitCode = exitCode.rawValue
        self.isAnswer = isAnswer
        self.advice = advice
        self.data = data
    }

    /// What the argument parser throws (help, wrong usage, a bare code), or any other error.
    private init(parsing error: any Error) {
        if let code = error as? ArgumentParser.ExitCode {
            self.init("", Runtime.ExitCode(rawValue: code.rawValue) ?? .failure)
            return
        }
        switch Offpeak.exitCode(for: error) {
        case .success: self.init(Offpeak.fullMessage(for: error), .success, isAnswer: true)
        case .validationFailure:
            let full = Offpeak.fullMessage(for: error)
            let message = Offpeak.message(for: error)
            let lines = full.split(separator: "\n", omittingEmptySubsequences: false)
            let usage = lines.drop { !$0.hasPrefix("Usage:") }.joined(separator: "\n")
            self.init(message, .usage, advice: usage)
        default: self.init("\(error)", .failure)
        }
    }

    /// Says it and ends the process.
    func end(asJSON: Bool) -> Never {
        if isAnswer {
            Terminal.output.write(message + "\n")
        } else if !message.isEmpty {
            Terminal.errors.write(asJSON ? json + "\n" : text)
        }
        exit(exitCode)
    }

    private var text: String {
        let label = Palette(for: .errors).paint("error:", .red)
        return "\(label) \(message.visibleLines)\n" + (advice.isEmpty ? "" : advice + "\n")
    }

    /// `{"error": {"message", "exitCode", "data"}}`.
    private var json: String {
        var members = [
            JSONMember("message", .string(message)),
            JSONMember("exitCode", .number(String(exitCode))),
        ]
        if let data { members.append(JSONMember("data", data)) }
        let object = JSONValue.object([JSONMember("error", .object(members))])
        return String(decoding: object.encoded, as: UTF8.self)
    }
}

extension CommandFault {
    /// What a node answered instead of a result.
    init(_ fault: RPCFault) {
        var members: [JSONMember] = [JSONMember("rpcCode", .number(String(fault.code)))]
        if case .object(let data)? = fault.data { members += data }
        self.init(fault.message, data: members)
    }
}
