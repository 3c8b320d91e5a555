/// The letters that every id of a network starts with: 1...8 small ASCII letters, given by genesis.
///
/// Wire: text.
public struct NetworkPrefix: Hashable, Sendable, BCSCodable, CustomStringConvertible {
    /// Letters at most: the longest id then has 75 characters.
    public static let lengthMax = 8

    /// The letters.
    public let text: String

    /// Text that can't be a prefix.
    public struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        public let text: String

        public var description: String {
            "the network prefix \"\(text)\" isn't 1 to \(NetworkPrefix.lengthMax) small letters a-z"
        }
    }

    /// - Throws: `Fault` for anything but 1...8 letters a-z.
    public init(_ text: String) throws(Fault) {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        guard 1...NetworkPrefix.lengthMax ~= text.utf8.count,
            text.utf8.allSatisfy(letters.contains)
        else { throw Fault(text: text) }
        self.text = text
    }

    public func encode(to writer: inout BCSWriter) { writer.append(text) }

    public init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let text = try reader.readString(maximum: NetworkPrefix.lengthMax)
        do throws(Fault) {
            try self.init(text)
        } catch {
            throw BCSError(.invalidValue(error.description), at: start)
        }
    }

    public var description: String { text }
}
