internal import LightClient
internal import Primitives
internal import RPC

/// A voucher on the command line: its text itself, or a file with that text on one line.
struct VoucherText {
    /// Bytes: the text of the largest voucher, and room to spare.
    private static let fileBytesMax = 256 * 1024

    let voucher: Voucher
    let prefix: NetworkPrefix

    static let help = "The voucher: its text, or a file with it (- for stdin)."

    /// - Throws: `CommandFault` for anything that isn't a voucher.
    init(_ argument: String) throws(CommandFault) {
        if VoucherText.isText(argument) {
            try self.init(text: argument, place: "the text")
            return
        }
        let place = argument == "-" ? "stdin" : argument
        let bytes = try TextFile.read(argument, maximum: VoucherText.fileBytesMax)
        let blanks = Array(" \t\r\n".utf8)
        let body = bytes.drop(while: blanks.contains).reversed().drop(while: blanks.contains)
        try self.init(text: String(decoding: body.reversed(), as: UTF8.self), place: place)
    }

    /// Whether it begins like one, and isn't a file's name by that.
    private static func isText(_ argument: String) -> Bool {
        let letters = argument.lowercased().prefix { $0.isASCII && $0.isLetter }
        let rest = argument.dropFirst(letters.count)
        return letters.hasSuffix(Voucher.kind) && rest.first == "1" && !rest.contains(".")
    }

    init(text: String, place: String) throws(CommandFault) {
        let read: (prefix: String, bytes: [UInt8])
        do throws(CheckedText.Fault) {
            read = try CheckedText.decode(text, bytesMax: Voucher.bytesMax)
        } catch {
            throw CommandFault("\(place) isn't a voucher: \(error)")
        }
        guard read.prefix.hasSuffix(Voucher.kind) else {
            throw CommandFault("\(place) isn't a voucher: it begins with \(read.prefix.prefix(20))")
        }
        prefix = try NetworkContext.prefix(String(read.prefix.dropLast(Voucher.kind.count)))
        do throws(BCSError) {
            voucher = try Voucher(bcs: read.bytes)
        } catch {
            throw CommandFault("\(place) isn't a voucher: \(error)")
        }
    }

    /// The same with the proof that a node answered.
    /// - Parameter path: What `offpeak query proof ADDRESS` or `offpeak voucher reserve` wrote.
    static func reserve(_ path: String) throws(CommandFault) -> AnchoredProof {
        let bytes = try TextFile.read(path, maximum: ProofFile.bytesMax)
        let place = path == "-" ? "stdin" : path
        guard ReserveFile.isOne(bytes) else {
            return try reserve(try ProofFile.parse(bytes, name: place), place: place)
        }
        return try reserve(try ReserveFile(bytes: bytes, file: place).proof, place: place)
    }

    static func reserve(
        _ answer: ProofInfo, place: String
    ) throws(CommandFault) -> AnchoredProof {
        guard let bytes = Base64.decode(answer.proof) else {
            throw CommandFault("\(place): proof: base64 is wanted")
        }
        do throws(BCSError) {
            return try AnchoredProof(bcs: bytes)
        } catch {
            throw CommandFault("\(place): proof: \(error)")
        }
    }
}
