package import Primitives

/// What protects an account against keys that are stolen or lost.
///
/// Wire: limits (sorted by asset), optional guardians, quietUntil, optional recovery.
package struct Safeguards: Hashable, Sendable {
    /// A spending limit and what was spent. Wire: terms, spent, windowStart.
    package struct Limit: Hashable, Sendable, BCSCodable {
        package let terms: SpendingLimit
        /// Since `windowStart`.
        package private(set) var spent: Amount
        /// The block time of the window's first spending.
        package private(set) var windowStart: Timestamp

        package init(terms: SpendingLimit, spent: Amount = 0, windowStart: Timestamp = 0) {
            self.terms = terms
            self.spent = spent
            self.windowStart = windowStart
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(terms)
            writer.append(spent)
            writer.append(windowStart)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            terms = try reader.read()
            spent = try reader.read()
            windowStart = try reader.read()
        }
    }

    /// A new policy that waits for its time. Wire: policy, readyAt.
    package struct Recovery: Hashable, Sendable, BCSCodable {
        package let policy: Policy
        /// From when on it can be completed.
        package let readyAt: Timestamp

        package init(policy: Policy, readyAt: Timestamp) {
            self.policy = policy
            self.readyAt = readyAt
        }

        /// The last moment at which it can be completed.
        package var validUntil: Timestamp {
            readyAt.clampedAdvance(by: TransactionLimits.recoveryValidityMilliseconds)
        }

        package func encode(to writer: inout BCSWriter) {
            writer.append(policy)
            writer.append(readyAt)
        }

        package init(from reader: inout BCSReader) throws(BCSError) {
            policy = try reader.read()
            readyAt = try reader.read()
        }
    }

    package private(set) var limits: [Limit]
    package let guardians: Guardians?
    /// Guardians can propose nothing before this time: the owner objected. Above 0 until they are
    /// heard or replaced: another objection needs the admin weight.
    package var quietUntil: Timestamp
    package var recovery: Recovery?

    /// The safeguards of new terms, or nil for terms without any. What was spent of an asset stays
    /// spent where it still has a limit.
    package init?(_ terms: SafeguardTerms, after earlier: Safeguards?) {
        guard !terms.limits.isEmpty || terms.guardians != nil else { return nil }
        limits = terms.limits.map { limit in
            let known = earlier?.limits.first { $0.terms.asset == limit.asset }
            return Limit(
                terms: limit, spent: known?.spent ?? 0, windowStart: known?.windowStart ?? 0)
        }
        guardians = terms.guardians
        quietUntil = earlier?.guardians == terms.guardians ? earlier?.quietUntil ?? 0 : 0
        recovery = nil
    }

    /// The recovery that is pending at `time`: not yet ready, or not yet void.
    package func recovery(at time: Timestamp) -> Recovery? {
        recovery.flatMap { time <= $0.validUntil ? $0 : nil }
    }
}

extension Safeguards: BCSCodable {
    package func encode(to writer: inout BCSWriter) {
        writer.append(list: limits)
        writer.append(optional: guardians)
        writer.append(quietUntil)
        writer.append(optional: recovery)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        limits = try reader.readSortedList(
            maximum: TransactionLimits.spendingLimitsMax, elementBytes: 64
        ) { (limit: Limit) in limit.terms.asset }
        guardians = try reader.readOptional()
        quietUntil = try reader.read()
        recovery = try reader.readOptional()
    }
}

extension Safeguards.Limit {
    /// When the window that has begun ends, in which `windowStart` lies.
    package var windowEnd: Timestamp {
        windowStart.clampedAdvance(by: terms.windowMilliseconds)
    }

    /// What was spent in the window of `time`.
    package func spent(at time: Timestamp) -> Amount { time < windowEnd ? spent : 0 }

    /// What may still be spent in the window of `time`.
    package func room(at time: Timestamp) -> Amount {
        terms.amount.clampedRetreat(by: spent(at: time).rawValue)
    }

    /// Notes a spending, which begins a window if none is open.
    /// - Returns: False where there is no room for it; then nothing is noted.
    mutating func spend(_ amount: Amount, at time: Timestamp) -> Bool {
        guard amount <= room(at: time) else { return false }
        let before = spent(at: time)
        if before == 0 { windowStart = time }
        spent = before.clampedAdvance(by: amount.rawValue)
        return true
    }
}

extension Account {
    /// What may leave the account with less than the admin threshold; nil without a limit.
    package func room(for asset: AssetID, at time: Timestamp) -> Amount? {
        safeguards?.limits.first { $0.terms.asset == asset }?.room(at: time)
    }

    /// Notes that an amount leaves the account with less than the admin threshold.
    /// - Returns: False where the limit has no room for it; then nothing is noted.
    mutating func spend(_ amount: Amount, of asset: AssetID, at time: Timestamp) -> Bool {
        guard amount > 0 else { return true }
        return safeguards?.spend(amount, of: asset, at: time) ?? true
    }
}

extension Safeguards {
    fileprivate mutating func spend(
        _ amount: Amount, of asset: AssetID, at time: Timestamp
    ) -> Bool {
        guard let place = limits.firstIndex(where: { $0.terms.asset == asset }) else {
            return true
        }
        return limits[place].spend(amount, at: time)
    }
}
