internal import Glibc

/// A node's home folder.
///
/// ```
/// config.yaml          settings, with comments
/// genesis.json         the network's first state
/// keys/identity.key    the node's name on the network, mode 0600
/// keys/validator.key   what votes and acks are signed with, mode 0600; absent on a relay
/// keys/validator.mark  how far that key has signed, with which journal: never restore it
/// data/                the store (RocksDB)
/// journal/             the record of what was signed
/// lock                 held by the running node, with its process id
/// ```
package struct Home: Hashable, Sendable, CustomStringConvertible {
    /// Without a slash at the end.
    package let path: String

    package init(_ path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    package var configuration: String { "\(path)/config.yaml" }
    package var genesis: String { "\(path)/genesis.json" }
    package var keys: String { "\(path)/keys" }
    package var identityKey: String { "\(keys)/identity.key" }
    package var validatorKey: String { "\(keys)/validator.key" }
    package var validatorMark: String { "\(keys)/validator.mark" }
    package var data: String { "\(path)/data" }
    package var journal: String { "\(path)/journal" }
    package var lock: String { "\(path)/lock" }
    package var description: String { path }

    /// Makes the folder with its subfolders, readable by its owner only.
    /// - Throws: `HomeFault` if a configuration is already there, or for faults of the disk.
    package func create() throws(HomeFault) {
        guard !PosixFolder.exists(configuration) else {
            throw HomeFault(
                "\(configuration) exists: this home is already set up; choose another folder",
                exitCode: .failure)
        }
        do throws(PosixFault) {
            for folder in [path, keys, data, journal] { try PosixFolder.create(folder) }
        } catch {
            throw HomeFault(error, "Choose a folder that can be written.")
        }
    }

    /// Whether the home holds what a node needs to start.
    /// - Throws: `HomeFault` that names the first thing missing or too open.
    package func check() throws(HomeFault) {
        for (file, what) in [(configuration, "configuration"), (genesis, "genesis")] {
            guard PosixFolder.exists(file) else {
                throw HomeFault(
                    """
                    \(file): no \(what) there: restore it from a backup or another node; \
                    `offpeak init` makes a new home folder
                    """)
            }
        }
        try checkSecret(identityKey)
        if hasValidatorKey { try checkSecret(validatorKey) }
    }

    /// Whether the node has a key to vote with.
    package var hasValidatorKey: Bool { PosixFolder.exists(validatorKey) }

    /// Whether the file can be read by nobody but its owner.
    /// - Throws: `HomeFault` with the command that mends it.
    package func checkSecret(_ file: String) throws(HomeFault) {
        let mode: UInt16
        do throws(PosixFault) {
            mode = try PosixFolder.permissions(of: file)
        } catch {
            throw HomeFault(
                "\(error). Restore the key from its backup; `offpeak init` makes a new home.")
        }
        guard mode & 0o077 == 0 else {
            let octal = String(mode, radix: 8)
            throw HomeFault(
                """
                \(file): others can read this key (mode 0\(octal)); run: chmod 600 \(file)
                """)
        }
    }

    /// The whole text of a file of at most `maximum` bytes.
    package static func readText(
        _ file: String, maximum: Int
    ) throws(HomeFault) -> String {
        let bytes: [UInt8]
        do throws(PosixFault) {
            bytes = try PosixFile(file, flags: O_RDONLY).readAll(maximum: maximum)
        } catch {
            throw HomeFault("\(error); a file of at most \(maximum) bytes is wanted there")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw HomeFault("\(file): isn't UTF-8 text")
        }
        return text
    }

    /// The text of a key file, after its mode was checked; for a secret, wipe it after use.
    package func readSecret(_ file: String) throws(HomeFault) -> [UInt8] {
        try checkSecret(file)
        do throws(PosixFault) {
            return try PosixFile(file, flags: O_RDONLY).readAll(maximum: 4096)
        } catch {
            throw HomeFault(error, "Check the key file.")
        }
    }

    /// Writes a file that only its owner can read: whole, or not at all.
    /// - Throws: `HomeFault`, also when the file exists and `replacing` is false.
    package static func write(
        _ bytes: [UInt8], to file: String, replacing: Bool = false
    ) throws(HomeFault) {
        guard replacing || !PosixFolder.exists(file) else {
            throw HomeFault("\(file) exists and isn't overwritten", exitCode: .failure)
        }
        do throws(PosixFault) {
            try PosixFolder.writeWhole(bytes, to: file, mode: 0o600)
        } catch {
            throw HomeFault(error, "Check the folder's permissions and free space (df).")
        }
    }
}
