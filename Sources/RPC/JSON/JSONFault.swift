/// Why bytes aren't a JSON text within limits; `offset` counts bytes from the start.
package struct JSONFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was wrong.
    package enum Reason: Hashable, Sendable {
        /// Something else stood where this was wanted.
        case wanted(String)
        /// The text ends too early.
        case truncated
        /// A string with an unescaped control character.
        case controlCharacter(UInt8)
        /// A string that isn't UTF-8, or has half of a surrogate pair.
        case invalidText
        /// A name that its object has already.
        case duplicateName(String)
        /// Something after the value.
        case trailingBytes
        /// Arrays and objects deeper than `maximum`.
        case nestingTooDeep(maximum: Int)
        /// An object with more than `maximum` members.
        case tooManyMembers(maximum: Int)
        /// An array with more than `maximum` elements.
        case tooManyElements(maximum: Int)
    }

    package let reason: Reason
    package let offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String {
        let what =
            switch reason {
            case .wanted(let what): "\(what) wanted"
            case .truncated: "the text ends too early"
            case .controlCharacter(let byte): "control character \(byte) unescaped in a string"
            case .invalidText: "a string that isn't valid UTF-8"
            case .duplicateName(let name): "the name \"\(name)\" twice in one object"
            case .trailingBytes: "something after the value"
            case .nestingTooDeep(let maximum): "nested deeper than \(maximum)"
            case .tooManyMembers(let maximum): "an object with more than \(maximum) members"
            case .tooManyElements(let maximum): "an array with more than \(maximum) elements"
            }
        return "byte \(offset): \(what)"
    }
}
