package import Primitives

/// What `governance_get` answers.
package struct GovernanceInfo: Codable, Hashable, Sendable {
    /// Those that genesis puts into the validators' hands.
    package let parameters: [GovernedParameterInfo]
    /// Those that stand, by the height at which they are due.
    package let proposals: [ProposalInfo]
    /// Heights from a proposal to the count of its votes.
    package let voteBlocks: UInt64
    /// Heights from there until it may act, with the next epoch.
    package let delayBlocks: UInt64
    /// Of the committee's weight that a proposal needs.
    package let approvalPermille: UInt16
    /// What is kept back of the proposer's as long as a proposal stands.
    package let deposit: Amount
    /// The block after which all this holds.
    package let height: Height

    package init(
        parameters: [GovernedParameterInfo], proposals: [ProposalInfo], voteBlocks: UInt64,
        delayBlocks: UInt64, approvalPermille: UInt16, deposit: Amount, height: Height
    ) {
        self.parameters = parameters
        self.proposals = proposals
        self.voteBlocks = voteBlocks
        self.delayBlocks = delayBlocks
        self.approvalPermille = approvalPermille
        self.deposit = deposit
        self.height = height
    }
}

/// A parameter that can be changed. Values are decimal texts.
package struct GovernedParameterInfo: Codable, Hashable, Sendable {
    /// As in a genesis, below `parameters`.
    package let name: String
    package let value: Amount
    /// The least value that can be proposed.
    package let least: Amount
    /// The greatest value that can be proposed.
    package let greatest: Amount

    package init(name: String, value: Amount, least: Amount, greatest: Amount) {
        self.name = name
        self.value = value
        self.least = least
        self.greatest = greatest
    }
}

/// A proposal that stands.
package struct ProposalInfo: Codable, Hashable, Sendable {
    /// `prp` text.
    package let id: String
    /// `acc` text.
    package let proposer: String
    package let changes: [ParameterChangeInfo]
    /// Whether the votes were counted and sufficed.
    package let isApproved: Bool
    /// The height at which the votes are counted; of an approved one, the first at which it may
    /// act.
    package let due: Height
    /// Weight of the present committee that said yes so far.
    package let approvingWeight: UInt64
    package let rejectingWeight: UInt64
    package let totalWeight: UInt64
    package let votes: [VoteInfo]

    package init(
        id: String, proposer: String, changes: [ParameterChangeInfo], isApproved: Bool,
        due: Height, approvingWeight: UInt64, rejectingWeight: UInt64, totalWeight: UInt64,
        votes: [VoteInfo]
    ) {
        self.id = id
        self.proposer = proposer
        self.changes = changes
        self.isApproved = isApproved
        self.due = due
        self.approvingWeight = approvingWeight
        self.rejectingWeight = rejectingWeight
        self.totalWeight = totalWeight
        self.votes = votes
    }
}

/// A value that a parameter shall have.
package struct ParameterChangeInfo: Codable, Hashable, Sendable {
    package let name: String
    package let value: Amount

    package init(name: String, value: Amount) {
        self.name = name
        self.value = value
    }
}

/// A validator's last vote.
package struct VoteInfo: Codable, Hashable, Sendable {
    /// `pub` text of the voting key.
    package let validator: String
    package let approves: Bool

    package init(validator: String, approves: Bool) {
        self.validator = validator
        self.approves = approves
    }
}
