/// A rule that a simulated node breaks on purpose: a test that can't see it protects nothing.
///
/// No configuration of a real node can name one; a simulation puts it into the cores that it makes.
package enum PlantedFault: String, Hashable, Sendable, CaseIterable {
    // What the shell must do (Runtime/Core/CoreLoop.swift); here the simulated shell leaves it out.
    /// Votes leave before their record is on the disk.
    case journalUnsynced
    /// A sync that failed is taken for one that worked.
    case syncErrorIgnored
    /// The journal forgets what the store hasn't kept yet.
    case compactUnsynced
}
