@_spi(Simulation) internal import Primitives

extension Verified where Value == SignedTransaction {
    /// What a lying owner puts into its own pool: only in its own memory is it checked.
    static func made(up transaction: SignedTransaction) -> Verified { .simulated(transaction) }
}
