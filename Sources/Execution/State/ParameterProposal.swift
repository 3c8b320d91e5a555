package import Primitives

/// Changes of parameters that somebody has proposed. It leaves the state when it is rejected or
/// acts, and the deposit goes back.
///
/// Wire: proposer, deposit, changes, due, isApproved, votes.
package struct ParameterProposal: Hashable, Sendable, BCSCodable {
    /// Wire: key, approves.
    package struct Vote: Hashable, Sendable, BCSCodable {
        package let key: PublicKey
        package let approves: Bool

        package init(key: PublicKey, approves: Bool) {
            self.key = key
            self.approves = approves
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(key)
            writer.append(approves)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            key = try reader.read()
            approves = try reader.readBool()
        }
    }

    package let proposer: Address
    /// Native asset of the proposer's, kept back as long as it stands.
    package let deposit: Amount
    package let changes: ParameterChanges
    /// The height at which the votes are counted; of an approved one, the first at which it may
    /// act.
    package var due: Height
    /// Whether the votes were counted and sufficed.
    package var isApproved: Bool
    /// The last vote of each validator, sorted by key.
    package private(set) var votes: [Vote]
    /// Whether it has left the state; never encoded.
    package var isGone = false

    /// A proposal without votes.
    package init(proposer: Address, deposit: Amount, changes: ParameterChanges, due: Height) {
        self.proposer = proposer
        self.deposit = deposit
        self.changes = changes
        self.due = due
        isApproved = false
        votes = []
    }

    /// Notes a vote in place of the validator's last one.
    /// - Returns: Whether that changed anything.
    mutating func note(_ vote: Vote) -> Bool {
        let place = votes.firstIndex { $0.key >= vote.key } ?? votes.count
        guard place < votes.count, votes[place].key == vote.key else {
            guard votes.count < Committee.countMax else { return false }
            votes.insert(vote, at: place)
            return true
        }
        guard votes[place] != vote else { return false }
        votes[place] = vote
        return true
    }

    /// Takes the votes of those away who aren't in `committee` any more.
    mutating func forgetOthers(than committee: Committee) {
        votes.removeAll { committee.index(of: $0.key) == nil }
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(proposer)
        writer.append(deposit)
        writer.append(changes)
        writer.append(due)
        writer.append(isApproved)
        writer.append(list: votes)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        proposer = try reader.read()
        deposit = try reader.read()
        changes = try reader.read()
        due = try reader.read()
        isApproved = try reader.readBool()
        votes = try reader.readSortedList(
            maximum: Committee.countMax, elementBytes: 33
        ) { (vote: Vote) in vote.key }
    }
}

/// The proposals that stand, by due height and id: a value of the system in the state.
///
/// Wire: entries (due, proposal), sorted, unique, at most 32.
package struct ProposalQueue: Hashable, Sendable, BCSCodable {
    /// Wire: due, proposal.
    package struct Entry: Hashable, Comparable, Sendable, BCSCodable {
        package let due: Height
        package let proposal: ProposalID

        package static func < (left: Entry, right: Entry) -> Bool {
            (left.due, left.proposal) < (right.due, right.proposal)
        }

        package init(due: Height, proposal: ProposalID) {
            self.due = due
            self.proposal = proposal
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(due)
            writer.append(proposal)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            due = try reader.read()
            proposal = try reader.read()
        }
    }

    /// The most proposals that stand at a time: what a block does for them stays small.
    package static let countMax = 32
    /// Its name among the values of the system; absent without a proposal.
    package static let name = "proposals"

    package private(set) var entries: [Entry] = []

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        entries.sort()
    }

    mutating func remove(_ entry: Entry) { entries.removeAll { $0 == entry } }

    package init() {}

    package func encode(to writer: inout BCSWriter) { writer.append(list: entries) }

    package init(from reader: inout BCSReader) throws(BCSError) {
        entries = try reader.readSortedList(
            maximum: ProposalQueue.countMax, elementBytes: 40
        ) { (entry: Entry) in entry }
    }

    static func stored(in source: any KeyValueSource) throws(StorageFault) -> ProposalQueue {
        try StoredState.record(at: StateKey.system(name).path, in: source) ?? ProposalQueue()
    }
}
