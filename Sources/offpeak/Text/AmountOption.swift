internal import Primitives

/// An amount on the command line.
enum AmountOption {
    /// - Throws: `TextFault` for anything but digits of the smallest unit.
    static func parse(_ text: String) throws(TextFault) -> Amount {
        do throws(AmountText.Fault) {
            return try AmountText.parse(text)
        } catch {
            guard case .fractional = error else { throw TextFault(error.description) }
            throw TextFault("\(error): 150 for 1.50 of an asset with 2 decimals")
        }
    }
}

/// An amount on the command line that may also be `all`.
enum AmountOrAll: Hashable, Sendable {
    case all
    case amount(Amount)

    /// - Throws: `TextFault` for text that is neither.
    init(_ text: String) throws(TextFault) {
        self = text == "all" ? .all : .amount(try AmountOption.parse(text))
    }

    /// The amount meant where `held` is there.
    func resolved(of held: Amount) -> Amount {
        switch self {
        case .all: held
        case .amount(let amount): amount
        }
    }
}
