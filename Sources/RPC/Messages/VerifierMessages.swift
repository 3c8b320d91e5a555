package import Primitives

/// What `verifier_get` answers.
package struct VerifierInfo: Codable, Hashable, Sendable {
    /// The key that signs acks, `pub` text.
    package let key: String
    /// `nod` text.
    package let peerID: String
    /// Who bonds, unbonds and withdraws.
    package let owner: String
    package let rewardAddress: String
    /// Whether it votes in the present epoch.
    package let validator: Bool
    /// Whether it stands for election to the committees of the next ones.
    package let candidate: Bool
    package let bonded: Amount
    /// In the order in which they were asked for.
    package let releases: [ReleaseInfo]
    package let offences: UInt32
    /// Its word doesn't count below this height; absent if it counts.
    package let jailedUntil: Height?
    /// All that it earned by checking.
    package let rewards: Amount
    /// The newest block that the answer takes into account.
    package let height: Height

    package init(
        key: String, peerID: String, owner: String, rewardAddress: String, validator: Bool,
        candidate: Bool, bonded: Amount, releases: [ReleaseInfo], offences: UInt32,
        jailedUntil: Height? = nil,
        rewards: Amount, height: Height
    ) {
        self.key = key
        self.peerID = peerID
        self.owner = owner
        self.rewardAddress = rewardAddress
        self.validator = validator
        self.candidate = candidate
        self.bonded = bonded
        self.releases = releases
        self.offences = offences
        self.jailedUntil = jailedUntil
        self.rewards = rewards
        self.height = height
    }
}

/// Stake on its way back to the owner.
package struct ReleaseInfo: Codable, Hashable, Sendable {
    package let amount: Amount
    /// The first height at which it can be withdrawn.
    package let height: Height

    package init(amount: Amount, height: Height) {
        self.amount = amount
        self.height = height
    }
}
