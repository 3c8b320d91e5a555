internal import Primitives

// Upon closeStream(number): if the stream was last used more than 30 days ago, take it away and
// return its deposit.
//
// Safety: what was signed once never executes twice. The stream starts at sequence 0 again when it
// is used again, so all that executed on it must have expired by then. A transaction that executes
// at time t is valid until t + 30 days at most, and block times never fall; after the last use plus
// 30 days, each of them is refused for ever. The same holds for transactions that lost their
// sequence to another one, if they were signed before that for 30 days at most.
extension Executor {
    /// Takes an idle stream of the sender's away, and returns its deposit.
    mutating func closeStream(_ number: UInt16, of sender: Address) throws(Stop) {
        guard number != 0 else { throw .failed(.defaultStream) }
        guard var account = try account(sender), let stream = account.stream(number) else {
            throw .failed(.streamUnknown)
        }
        let expiry = stream.lastUse.clampedAdvance(
            by: TransactionLimits.streamValidityMillisecondsMax)
        guard time > expiry else { throw .failed(.streamInUse) }
        account.removeStream(number)
        do throws(ArithmeticOverflow) {
            account.native = try account.native.adding(stream.deposit)
            account.deposits = try account.deposits.subtracting(stream.deposit)
        } catch {
            throw .fault(StorageFault("the deposits of \(sender) are below those of its streams"))
        }
        accounts.write(account, for: sender)
        try shift(stream.deposit, from: .deposits, to: .balances)
    }
}
