/// What to do about a store that is damaged: one sentence, the same wherever damage is met.
package enum StoreAdvice {
    /// - Parameter folder: the store's folder, inside the home folder.
    static func repair(folder: String) -> String { repair(home: parent(of: folder)) }

    /// The home folder of a file in one of its folders.
    static func home(of file: String) -> String { parent(of: parent(of: file)) }

    private static func parent(of path: String) -> String {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return slash == path.startIndex ? "." : String(path[..<slash])
    }

    static func repair(home: String) -> String {
        """
        Check the disk (dmesg), then run: offpeak db repair --home \(home) (it puts the store \
        aside, and the node fetches everything anew from the others). `offpeak db check --home \
        \(home)` says what else is damaged.
        """
    }

    /// A fault of the disk with the command to run, if it doesn't say what to do itself.
    static func complete(_ text: String, home: String) -> String {
        let saysIt = ["offpeak ", "(df)", "start again"].contains { text.contains($0) }
        return saysIt ? text : "\(text). \(repair(home: home))"
    }
}
