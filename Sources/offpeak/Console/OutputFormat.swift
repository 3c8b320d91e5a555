internal import ArgumentParser
internal import FoundationEssentials
internal import Primitives

/// How a command answers: one JSON object or array for programs, text for people.
struct OutputFormat: Sendable {
    let isJSON: Bool
    let palette: Palette

    init(isJSON: Bool, palette: Palette = Palette(for: .output)) {
        self.isJSON = isJSON
        self.palette = palette
    }

    /// Writes `answer` as JSON, or what `text` makes of it for people.
    func show(_ answer: some Encodable, _ text: () -> String) {
        let lines = isJSON ? OutputFormat.json(answer) : text()
        Terminal.output.write(lines.hasSuffix("\n") ? lines : lines + "\n")
    }

    /// Writes a remark for people to stderr; programs get none.
    func remark(_ text: String) {
        guard !isJSON else { return }
        Terminal.errors.write(Palette(for: .errors).paint(text.visibleLines, .dim) + "\n")
    }

    /// Indented JSON with sorted names, without a line end: equal values have equal text.
    static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            preconditionFailure("\(type(of: value)) has no JSON: \(error)")
        }
    }
}

/// `--json`.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Answer with one JSON object or array; errors are JSON on stderr.")
    var json = false

    var format: OutputFormat { OutputFormat(isJSON: json) }
}

extension AsyncParsableCommand {
    /// What a folder-like command does: nothing by itself.
    static func group(
        _ name: String, _ abstract: String, _ subcommands: [any ParsableCommand.Type],
        discussion: String = ""
    ) -> CommandConfiguration {
        CommandConfiguration(
            commandName: name, abstract: abstract, discussion: discussion,
            subcommands: subcommands)
    }
}
