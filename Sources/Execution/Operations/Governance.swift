internal import Primitives

// How parameters change. Upon
//   propose: somebody pays a deposit and names new values, each checked against its range.
//   vote:    the owner of a validator says yes or no, until the proposal is due; the last word
//            counts.
//   due:     the block counts the weight of the present committee's yes. With enough of it the
//            proposal waits for its delay, else it goes.
//   act:     the first block of an epoch after the delay sets the values, for all that it executes.
// Whoever disagrees has the delay to leave. Nothing is checked when it acts: a range bears on no
// other value, so what could be proposed can be.

extension Executor {
    mutating func propose(
        _ changes: ParameterChanges, _ id: ProposalID, by sender: Address
    ) throws(Stop) {
        for change in changes.changes {
            guard rules.governance.governed.contains(change.parameter) else {
                throw .failed(.notGoverned)
            }
            guard rules.parameters.range(of: change.parameter).contains(change.value) else {
                throw .failed(.valueOutOfRange)
            }
        }
        guard proposalQueue.entries.count < ProposalQueue.countMax else {
            throw .failed(.tooManyProposals)
        }
        guard try anyProposal(id) == nil else { throw .fault(StorageFault("proposal \(id) twice")) }
        let deposit = rules.governance.deposit
        try payDeposit(deposit, from: sender)
        let due = height.clampedAdvance(by: rules.governance.voteBlocks)
        proposals.write(
            ParameterProposal(proposer: sender, deposit: deposit, changes: changes, due: due),
            for: id)
        proposalQueue.insert(ProposalQueue.Entry(due: due, proposal: id))
    }

    mutating func vote(_ vote: ParameterVote, by sender: Address) throws(Stop) {
        guard var proposal = try anyProposal(vote.proposal), !proposal.isGone else {
            throw .failed(.proposalUnknown)
        }
        guard !proposal.isApproved else { throw .failed(.voteClosed) }
        guard committee.index(of: vote.key) != nil, let validator = try verifier(vote.key)
        else { throw .failed(.notValidator) }
        guard validator.owner == sender else { throw .failed(.notBondOwner) }
        proposal.forgetOthers(than: committee)
        guard proposal.note(ParameterProposal.Vote(key: vote.key, approves: vote.approves)) else {
            throw .failed(.voteUnchanged)
        }
        proposals.write(proposal, for: vote.proposal)
    }

    private mutating func anyProposal(_ id: ProposalID) throws(Stop) -> ParameterProposal? {
        do throws(StorageFault) {
            return try proposals.read(id, source)
        } catch {
            throw .fault(error)
        }
    }

    /// Counts votes that are due, and lets approved proposals act where an epoch begins.
    mutating func carryOutProposals(atStartOfEpoch isStart: Bool) throws(StorageFault) {
        for entry in proposalQueue.entries where entry.due <= height {
            guard var proposal = try proposals.read(entry.proposal, source) else {
                throw StorageFault("proposal \(entry.proposal) is noted but isn't there")
            }
            if proposal.isApproved {
                guard isStart else { continue }
                for change in proposal.changes.changes { rules.parameters.set(change) }
                try end(&proposal, entry, depositTo: proposal.proposer)
            } else if isApproved(proposal) {
                proposalQueue.remove(entry)
                proposal.isApproved = true
                proposal.due = height.clampedAdvance(by: rules.governance.delayBlocks)
                proposalQueue.insert(
                    ProposalQueue.Entry(due: proposal.due, proposal: entry.proposal))
            } else {
                let isHeard = share(of: proposal, isAtLeast: Executor.heardPermille)
                let receiver = isHeard ? proposal.proposer : rules.fees.treasury
                try end(&proposal, entry, depositTo: receiver)
            }
            proposals.write(proposal, for: entry.proposal)
        }
    }

    /// A rejected proposal's deposit goes back if so much of the weight said yes; else to the
    /// treasury, so that nobody takes all places for proposals for nothing.
    static let heardPermille: UInt16 = 250

    private func isApproved(_ proposal: ParameterProposal) -> Bool {
        share(of: proposal, isAtLeast: rules.governance.approvalPermille)
    }

    private func share(of proposal: ParameterProposal, isAtLeast permille: UInt16) -> Bool {
        let yes = proposal.votes.filter(\.approves).compactMap { committee.index(of: $0.key) }
        // Weights together lie below 2^60.
        let (high, low) = committee.weight(of: yes).multipliedFullWidth(by: 1000)
        let needed = committee.totalWeight.multipliedFullWidth(
            by: UInt64(permille))
        return (high, low) >= (needed.high, needed.low)
    }

    private mutating func end(
        _ proposal: inout ParameterProposal, _ entry: ProposalQueue.Entry,
        depositTo receiver: Address
    ) throws(StorageFault) {
        proposal.isGone = true
        proposalQueue.remove(entry)
        do throws(Stop) {
            try returnDeposit(proposal.deposit, to: receiver)
        } catch {
            throw StorageFault("proposal \(entry.proposal): its deposit can't go back: \(error)")
        }
    }
}
