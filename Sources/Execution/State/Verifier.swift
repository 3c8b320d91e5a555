package import Primitives

/// What the ledger holds for somebody who may attest that signatures were checked: a validator, by
/// its voting key, or one that bonded stake without a vote.
///
/// It leaves the state when all stake is withdrawn, unless there is an offence to remember.
///
/// Wire: peer id, owner, reward address, bonded, releases, offences, jailedUntil, marks, rewards,
/// isCandidate.
package struct Verifier: Hashable, Sendable {
    /// Stake on its way back to the owner. Wire: amount, height.
    package struct Release: Hashable, Sendable, BCSCodable {
        package var amount: Amount
        /// The first at which it can be withdrawn.
        package let height: Height

        package init(amount: Amount, height: Height) {
            self.amount = amount
            self.height = height
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(amount)
            writer.append(height)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            amount = try reader.read()
            height = try reader.read()
        }
    }

    /// An offence that was punished and can still be reported. Wire: id, expiry.
    package struct Mark: Hashable, Sendable, BCSCodable {
        package let id: Digest
        /// The last height at which it can be reported.
        package let expiry: Height

        package init(id: Digest, expiry: Height) {
            self.id = id
            self.expiry = expiry
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(id)
            writer.append(expiry)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            id = try reader.read()
            expiry = try reader.read()
        }
    }

    /// The most releases that are pending at a time.
    package static let releasesMax = 8
    /// The most marks: an offence beyond them costs all stake, so that none is worth repeating.
    package static let marksMax = 64

    package var peerID: PeerID
    /// Who bonds, unbonds and withdraws.
    package let owner: Address
    package let rewardAddress: Address
    /// What counts in verifier sets and elections.
    package var bonded: Amount
    /// In the order in which they were asked for.
    package var releases: [Release]
    /// Punished ones, of all time.
    package var offences: UInt32
    /// Its word doesn't count below this height; 0 for one that never was in jail, the last height
    /// for one that stays there.
    package var jailedUntil: Height
    /// In the order of the reports.
    package var marks: [Mark]
    /// All that it earned by checking, at most 2^64 - 1: money that comes round is counted again.
    package var rewards: Amount
    /// Whether it stands for election into the next committees.
    package var isCandidate: Bool

    /// A verifier that never offended or earned.
    package init(
        peerID: PeerID, owner: Address, rewardAddress: Address, bonded: Amount,
        isCandidate: Bool = false
    ) {
        self.peerID = peerID
        self.owner = owner
        self.rewardAddress = rewardAddress
        self.bonded = bonded
        releases = []
        offences = 0
        jailedUntil = 0
        marks = []
        rewards = 0
        self.isCandidate = isCandidate
    }

    /// Whether its word doesn't count at `height`.
    package func isJailed(at height: Height) -> Bool { height < jailedUntil }

    /// All that can be slashed, or nil above 2^64 - 1.
    package var stake: Amount? {
        var sum = bonded
        for release in releases {
            guard let next = sum.advanced(by: release.amount.rawValue) else { return nil }
            sum = next
        }
        return sum
    }

    /// Whether there is nothing to keep of it.
    package var isGone: Bool { bonded == 0 && releases.isEmpty && offences == 0 }
}

extension Verifier: BCSCodable {
    package func encode(to writer: inout BCSWriter) {
        writer.append(peerID)
        writer.append(owner)
        writer.append(rewardAddress)
        writer.append(bonded)
        writer.append(list: releases)
        writer.append(offences)
        writer.append(jailedUntil)
        writer.append(list: marks)
        writer.append(rewards)
        writer.append(isCandidate)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        peerID = try reader.read()
        owner = try reader.read()
        rewardAddress = try reader.read()
        bonded = try reader.read()
        releases = try reader.readList(maximum: Verifier.releasesMax, elementBytes: 16)
        offences = try reader.readUInt32()
        jailedUntil = try reader.read()
        marks = try reader.readList(maximum: Verifier.marksMax, elementBytes: 40)
        rewards = try reader.read()
        isCandidate = try reader.readBool()
    }
}
