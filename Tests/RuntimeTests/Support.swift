import Foundation
import Primitives

@testable import Runtime

/// A folder of its own for one test, removed with the last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let name = "offpeak-test-\(UUID().uuidString)"
        path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func bytes(of file: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: file)))
    }

    func write(_ bytes: [UInt8], to file: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: file))
    }

    func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }
}

extension WriteSet {
    init(_ column: Column, _ pairs: [(String, String?)]) {
        self.init()
        for (key, value) in pairs {
            if let value {
                put(Array(value.utf8), in: column, for: Array(key.utf8))
            } else {
                delete(Array(key.utf8), in: column)
            }
        }
    }
}

/// A value that a test's expectations may change.
final class Box<Value> {
    var value: Value

    init(_ value: Value) { self.value = value }

    func change<Result>(_ body: (inout Value) -> Result) -> Result { body(&value) }
}
