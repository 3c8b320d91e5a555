internal import Consensus
internal import NodeCore
internal import Primitives

/// A way in which a whole node breaks the rules; each has a small file under `Actors`.
package enum NodeTrick: String, Sendable, CaseIterable {
    case conflicter, equivocator, impersonator, nuller, outdated, withholder, garbler
    case lazyAttester, lyingAttester, twoFacedOwner, censoringOwner, bodyHider, flooder

    var actor: any NodeMisbehaviour {
        switch self {
        case .conflicter: Conflicter()
        case .equivocator: Equivocator()
        case .impersonator: Impersonator()
        case .nuller: Nuller()
        case .outdated: Outdated()
        case .withholder: Withholder()
        case .garbler: Garbler()
        case .lazyAttester: LazyAttester()
        case .lyingAttester: LyingAttester()
        case .twoFacedOwner: TwoFacedOwner()
        case .censoringOwner: CensoringOwner()
        case .bodyHider: BodyHider()
        case .flooder: Flooder()
        }
    }
}

/// What a lying node, which runs the real core otherwise, hears and says instead.
protocol NodeMisbehaviour: Sendable {
    /// What the core hears in place of a message; nil for nothing.
    mutating func hear(_ message: NodeMessage, _ actor: inout ActorContext) -> NodeMessage?

    /// What leaves for node `to` in place of a message.
    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage]
}

extension NodeMisbehaviour {
    mutating func hear(_ message: NodeMessage, _ actor: inout ActorContext) -> NodeMessage? {
        message
    }

    mutating func send(
        _ message: NodeMessage, to node: Int, _ actor: inout ActorContext
    ) -> [NodeMessage] { [message] }
}

/// What an actor knows of itself and of the network.
struct ActorContext {
    /// The node's place in the committee of the epoch that it is in, or was last in.
    var index: Int
    let signer: SimulatedSigner
    var committee: Committee
    /// Whom a censor keeps out.
    let victim: Address
    var random: SeededRandom

    /// A vote in the own name; for a block that doesn't exist if `digest` is none's.
    func vote(_ kind: VoteKind, in view: View, for digest: Digest) -> Vote {
        let made = digest == .zero ? Digest.hash(.random, view.bcsBytes) : digest
        let subject = VoteSubject(
            kind: kind, epoch: committee.epoch, view: view,
            digest: kind == .nullify ? .zero : made)
        let signed = subject.signingDigest(chainID: committee.chainID)
        return Vote(
            subject: subject, signer: ValidatorIndex(UInt16(index)),
            signature: signer.signature(over: signed))
    }
}
