import Foundation

/// The kept inputs: seeds, what libFuzzer found worth keeping, and every input that once broke
/// something.
struct Corpus {
    /// A kept input.
    struct Entry {
        let name: String
        let bytes: [UInt8]
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Corpus")

    /// The inputs of a target by name.
    static func entries(of target: FuzzTarget) throws -> [Entry] {
        let place = folder.appending(path: target.name)
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path).sorted()
        return try names.map { name in
            Entry(name: name, bytes: [UInt8](try Data(contentsOf: place.appending(path: name))))
        }
    }
}
