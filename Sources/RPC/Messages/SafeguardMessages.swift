package import Primitives

/// What protects an account against keys that are stolen or lost.
package struct SafeguardsInfo: Codable, Hashable, Sendable {
    /// In order of asset.
    package let limits: [SpendingLimitInfo]
    /// Absent where nobody can recover the account.
    package let guardians: GuardiansInfo?
    /// Absent unless one is pending.
    package let recovery: RecoveryInfo?

    package init(
        limits: [SpendingLimitInfo], guardians: GuardiansInfo? = nil, recovery: RecoveryInfo? = nil
    ) {
        self.limits = limits
        self.guardians = guardians
        self.recovery = recovery
    }
}

/// How much of an asset may leave the account in a window with less than the admin weight.
package struct SpendingLimitInfo: Codable, Hashable, Sendable {
    /// `native`, or 64 hexadecimal digits.
    package let asset: String
    package let amount: Amount
    package let windowMilliseconds: UInt64
    /// What may still leave in the window that is open.
    package let left: Amount
    /// When that window ends; absent if none is open.
    package let windowEnds: Timestamp?

    package init(
        asset: String, amount: Amount, windowMilliseconds: UInt64, left: Amount,
        windowEnds: Timestamp? = nil
    ) {
        self.asset = asset
        self.amount = amount
        self.windowMilliseconds = windowMilliseconds
        self.left = left
        self.windowEnds = windowEnds
    }
}

/// Who may give the account a new policy.
package struct GuardiansInfo: Codable, Hashable, Sendable {
    package let quorum: QuorumInfo
    /// How long the owner has to object.
    package let delayMilliseconds: UInt64
    /// They can propose nothing before this time; absent unless the owner has objected of late.
    package let quietUntil: Timestamp?
    /// True where the owner needs the admin weight for another objection; absent otherwise.
    package let vetoUsed: Bool?

    package init(
        quorum: QuorumInfo, delayMilliseconds: UInt64, quietUntil: Timestamp? = nil,
        vetoUsed: Bool? = nil
    ) {
        self.quorum = quorum
        self.delayMilliseconds = delayMilliseconds
        self.quietUntil = quietUntil
        self.vetoUsed = vetoUsed
    }
}

/// A new policy that waits for its time.
package struct RecoveryInfo: Codable, Hashable, Sendable {
    package let policy: PolicyInfo
    /// From when on anybody can complete it.
    package let readyAt: Timestamp
    /// The last moment for that.
    package let validUntil: Timestamp

    package init(policy: PolicyInfo, readyAt: Timestamp, validUntil: Timestamp) {
        self.policy = policy
        self.readyAt = readyAt
        self.validUntil = validUntil
    }
}

/// An account that somebody guards.
package struct GuardedInfo: Codable, Hashable, Sendable {
    /// `acc` text.
    package let account: String
    package let guardians: GuardiansInfo
    /// Absent unless one is pending.
    package let recovery: RecoveryInfo?

    package init(account: String, guardians: GuardiansInfo, recovery: RecoveryInfo? = nil) {
        self.account = account
        self.guardians = guardians
        self.recovery = recovery
    }
}

/// What `guarded_list` answers: the accounts that an address guards.
package struct GuardedList: Codable, Hashable, Sendable {
    /// In order of address.
    package let accounts: [GuardedInfo]
    /// What to give as `after` for the following page; absent on the last.
    package let next: String?
    /// The block after which all this holds, and its time.
    package let height: Height
    package let time: Timestamp

    package init(
        accounts: [GuardedInfo], next: String? = nil, height: Height, time: Timestamp
    ) {
        self.accounts = accounts
        self.next = next
        self.height = height
        self.time = time
    }
}
