internal import Primitives

/// An amount on the command line that may also be `all`.
enum AmountOrAll: Hashable, Sendable {
    case all
    case amount(Amount)

    /// - Throws: `AmountText.Fault` for text that is neither.
    init(_ text: String) throws(AmountText.Fault) {
        self = text == "all" ? .all : .amount(try AmountText.parse(text))
    }

    /// The amount meant where `held` is there.
    func resolved(of held: Amount) -> Amount {
        switch self {
        case .all: held
        case .amount(let amount): amount
        }
    }
}
