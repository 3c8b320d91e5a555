/// How the process ends, for scripts and service managers. The numbers are stable; from 64 on
/// they follow BSD's sysexits.
public enum ExitCode: Int32, Sendable, CaseIterable, Error {
    /// Everything asked for was done.
    case success = 0
    /// Refused or failed: the message says why; nothing is broken.
    case failure = 1
    /// The command line can't be understood.
    case usage = 2
    /// An invariant of the program doesn't hold: a defect to report.
    case invariant = 70
    /// A fault of the disk, or of what it gave back.
    case storage = 74
    /// Another process runs on the same home folder.
    case locked = 75
    /// Somebody else signs with this validator's key, or this home is an old copy.
    case foreignSignature = 77
    /// The configuration, genesis or a key file is wrong.
    case configuration = 78
}

/// Why a home folder or what lies in it can't be used.
package struct HomeFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was wrong, where, and what to do.
    package let description: String
    package let exitCode: ExitCode

    package init(_ description: String, exitCode: ExitCode = .configuration) {
        self.description = description
        self.exitCode = exitCode
    }

    init(_ fault: PosixFault, _ advice: String) {
        self.init("\(fault). \(advice)", exitCode: .storage)
    }
}
