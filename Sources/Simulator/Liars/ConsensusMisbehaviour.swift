internal import Consensus
internal import Primitives

/// One way to break the rules of consensus.
protocol ConsensusMisbehaviour: Sendable {
    /// What reaches the liar at `index`, beside what all liars remember of it.
    mutating func hear(_ message: ConsensusMessage, from: Int, as index: Int, now: UInt64)

    /// What the liar at `index` sends, each to an arbitrary part of the others.
    mutating func act(
        as index: Int, with liar: inout Liar, now: UInt64, random: inout SeededRandom
    ) -> [ConsensusMessage]
}

extension ConsensusMisbehaviour {
    mutating func hear(_ message: ConsensusMessage, from: Int, as index: Int, now: UInt64) {}
}

/// What the liars of a scenario do.
package enum LiarKind: String, Sendable, CaseIterable {
    /// Everything at once, together.
    case mastermind
    /// Several proposals in one view.
    case conflicter
    /// Votes of every kind for every block.
    case equivocator
    /// Votes and certificates in the name of others.
    case impersonator
    /// Nullifies everything.
    case nuller
    /// Says again what was said in earlier views.
    case outdated
    /// Follows the rules, but forgets what it signed.
    case amnesiac

    func make(committee: Committee, genesis: Block) -> any ConsensusMisbehaviour {
        switch self {
        case .mastermind: Mastermind()
        case .conflicter: ConflicterLiar()
        case .equivocator: EquivocatorLiar()
        case .impersonator: ImpersonatorLiar()
        case .nuller: NullerLiar()
        case .outdated: OutdatedLiar()
        case .amnesiac: Amnesiac(committee: committee, genesis: genesis)
        }
    }
}
