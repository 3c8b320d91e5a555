internal import Execution
internal import Primitives
internal import Runtime

/// Genesis files, with faults that say line, path and what would be right.
enum GenesisText {
    /// Bytes: a million accounts of two hundred bytes each.
    static let bytesMax = 256 << 20

    /// The genesis in a file; `-` means stdin.
    static func read(_ path: String) throws(CommandFault) -> Genesis {
        try parse(try TextFile.read(path, maximum: bytesMax), file: path)
    }

    static func parse(_ bytes: [UInt8], file: String) throws(CommandFault) -> Genesis {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFault("\(file) isn't UTF-8 text")
        }
        do throws(DocumentFault) {
            return try GenesisFile.parse(text, file: file)
        } catch {
            throw CommandFault(error.description)
        }
    }

    /// The file's text for a genesis.
    static func text(of genesis: Genesis) -> String { GenesisFile.text(of: genesis) }
}
