// Text that others have written, such as the name of a file in a shared folder: as it is, a
// terminal might take part of it for commands, or show something else than what is there.
extension String {
    /// Whether everything in it is shown as what it is.
    var isVisible: Bool { unicodeScalars.allSatisfy(VisibleText.isVisible) }

    /// One line, with U+FFFD for what would do something to a terminal.
    var visible: String { VisibleText.replaced(self, keeping: []) }

    /// The same for text of several lines.
    var visibleLines: String { VisibleText.replaced(self, keeping: ["\n", "\t"]) }
}

/// What a terminal shows as it is.
enum VisibleText {
    /// False for control characters, those that turn the direction of text or have no width, and
    /// those that end a line.
    static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    fileprivate static func replaced(
        _ text: String, keeping kept: [Unicode.Scalar]
    ) -> String {
        var visible = ""
        for scalar in text.unicodeScalars {
            let isKept = isVisible(scalar) || kept.contains(scalar)
            visible.unicodeScalars.append(isKept ? scalar : "\u{FFFD}")
        }
        return visible
    }
}
