import Primitives

@testable import Execution

/// Proposals as the naive model has them.
struct NaiveProposal: Equatable {
    let proposer: Address
    let changes: [String: UInt64]
    var due: UInt64
    var isApproved = false
    var votes: [PublicKey: Bool] = [:]
}

extension NaiveLedger {
    mutating func propose(
        _ changes: ParameterChanges, _ id: ProposalID, _ sender: Address
    ) throws {
        var wanted: [String: UInt64] = [:]
        for change in changes.changes {
            let name = change.parameter.name
            guard governance.governed.contains(where: { $0.name == name }) else {
                throw Failed(code: .notGoverned)
            }
            let range = change.parameter.range(
                stakeUnit: Amount(stakeUnit), stakeMinimum: Amount(stakeMinimum))
            if change.value < range.lowerBound || change.value > range.upperBound {
                throw Failed(code: .valueOutOfRange)
            }
            wanted[name] = change.value
        }
        if proposals.count == 32 { throw Failed(code: .tooManyProposals) }
        try keepBack(governance.deposit.rawValue, of: sender)
        proposals[id] = NaiveProposal(
            proposer: sender, changes: wanted, due: height + governance.voteBlocks)
    }

    mutating func vote(_ vote: ParameterVote, _ sender: Address) throws {
        guard let proposal = proposals[vote.proposal] else { throw Failed(code: .proposalUnknown) }
        if proposal.isApproved { throw Failed(code: .voteClosed) }
        let members = Set(committee.map(\.key))
        guard members.contains(vote.key), let stake = stakes[vote.key] else {
            throw Failed(code: .notValidator)
        }
        if stake.owner != sender { throw Failed(code: .notBondOwner) }
        if proposal.votes[vote.key] == vote.approves { throw Failed(code: .voteUnchanged) }
        var votes = proposal.votes.filter { members.contains($0.key) }
        votes[vote.key] = vote.approves
        proposals[vote.proposal]?.votes = votes
    }

    mutating func govern() {
        let due = proposals.filter { $0.value.due <= height }
            .sorted { ($0.value.due, $0.key) < ($1.value.due, $1.key) }
        for (id, proposal) in due {
            if proposal.isApproved {
                guard (height - 1) % epochBlocks == 0 else { continue }
                for (name, value) in proposal.changes { set(name, value) }
                end(id, proposal, to: proposal.proposer)
            } else if isEnough(proposal, governance.approvalPermille) {
                proposals[id]?.isApproved = true
                proposals[id]?.due = height + governance.delayBlocks
            } else {
                let isHeard = isEnough(proposal, 250)
                end(id, proposal, to: isHeard ? proposal.proposer : fees.treasury)
            }
        }
    }

    private func isEnough(_ proposal: NaiveProposal, _ permille: UInt16) -> Bool {
        var yes: UInt64 = 0
        var all: UInt64 = 0
        for seat in committee {
            all += seat.weight
            if proposal.votes[seat.key] == true { yes += seat.weight }
        }
        return yes * 1000 >= all * UInt64(permille)
    }

    private mutating func end(
        _ id: ProposalID, _ proposal: NaiveProposal, to receiver: Address
    ) {
        proposals[id] = nil
        balances[receiver, default: 0] += governance.deposit.rawValue
    }

    private mutating func set(_ name: String, _ value: UInt64) {
        switch name {
        case "fees.baseFee": fees.baseFee = Amount(value)
        case "fees.writeWeight": fees.writeWeight = value
        case "fees.escrowDeposit": fees.escrowDeposit = Amount(value)
        case "fees.holdingDeposit": fees.holdingDeposit = Amount(value)
        case "escrow.expiriesPerBlockMax": expiriesMax = Int(value)
        default: preconditionFailure("the model doesn't know \(name)")
        }
    }
}

extension RandomTraffic {
    mutating func governanceOperation(_ model: NaiveLedger) -> Operation {
        let ids = model.proposals.keys.sorted()
        guard !ids.isEmpty, chance(85) else { return .proposeParameters(changes()) }
        let closed = ids.filter { model.proposals[$0]?.isApproved == true }
        let some = chance(20) && !closed.isEmpty ? closed : ids
        let id = chance(95) ? some[below(some.count)] : .zero
        // Most who vote can: of the committee, by the owner of the bond.
        let members = model.committee.map(\.key).filter {
            model.stakes[$0]?.owner == validatorOwner.address
        }
        let key =
            chance(70) && !members.isEmpty
            ? members[below(members.count)]
            : (chance(90) ? validators[below(4)] : verifiers[0]).key.publicKey
        return .voteParameters(ParameterVote(proposal: id, key: key, approves: chance(85)))
    }

    private mutating func changes() -> ParameterChanges {
        let values: [(GovernedParameter, UInt64)] = [
            (.baseFee, UInt64(below(3))), (.writeWeight, UInt64(50 + below(100))),
            (.escrowDeposit, UInt64(below(200))), (.holdingDeposit, UInt64(below(100))),
            (.expiriesPerBlock, UInt64(1 + below(3))), (.expiriesPerBlock, 0),
            (.targetWeight, 5), (.baseFee, .max),
        ]
        let (parameter, value) = values[below(values.count)]
        let other = ParameterChange(.escrowDeposit, UInt64(below(150)))
        let one = ParameterChange(parameter, value)
        let both = ParameterChanges([one, other])
        return both ?? ParameterChanges([other]) ?? .one
    }
}

extension ParameterChanges {
    fileprivate static var one: ParameterChanges {
        guard let changes = ParameterChanges([ParameterChange(.writeWeight, 100)]) else {
            preconditionFailure("one change is enough")
        }
        return changes
    }
}
