internal import Primitives

/// A QR code on a terminal and as a picture.
struct QRText {
    private let code: QRCode

    /// The smallest code for a text at the higher level of correction that it fits; nil if it fits
    /// none.
    init?(_ text: String) {
        guard let code = QRCode(text, level: .medium) ?? QRCode(text, level: .low) else {
            return nil
        }
        self.code = code
    }

    var version: Int { code.version }

    /// Lines of half blocks, two rows of modules each, dark on light whatever the terminal's
    /// colours are: white is drawn, black is left out, on a background that is set to black.
    var blocks: String {
        let range = -QRCode.quietZone..<code.size + QRCode.quietZone
        var lines: [String] = []
        for y in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
            let cells = range.map { x -> Character in
                switch (code.isDark(x, y), code.isDark(x, y + 1)) {
                case (false, false): "█"
                case (false, true): "▀"
                case (true, false): "▄"
                case (true, true): " "
                }
            }
            lines.append("\u{1B}[37;40m" + String(cells) + "\u{1B}[0m")
        }
        return lines.joined(separator: "\n")
    }

    /// A picture, one unit for each module.
    var svg: String {
        let side = code.size + 2 * QRCode.quietZone
        var path = ""
        for y in 0..<code.size {
            for x in 0..<code.size where code.isDark(x, y) {
                path += "M\(x + QRCode.quietZone),\(y + QRCode.quietZone)h1v1h-1z"
            }
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(side) \(side)" \
            width="\(side * 4)" height="\(side * 4)" shape-rendering="crispEdges">
            <rect width="\(side)" height="\(side)" fill="#fff"/>
            <path d="\(path)" fill="#000"/>
            </svg>

            """
    }
}
