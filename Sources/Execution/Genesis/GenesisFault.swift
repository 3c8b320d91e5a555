/// Why a genesis can't start a network: the JSON path of the value, and what would be right.
package struct GenesisFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Such as `accounts[3].balance`.
    package let path: String
    /// A sentence that names the value and what would be right.
    package let problem: String

    package init(_ path: String, _ problem: String) {
        self.path = path
        self.problem = problem
    }

    package var description: String { "\(path): \(problem)" }
}
