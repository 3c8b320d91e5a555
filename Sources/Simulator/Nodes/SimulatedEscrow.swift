internal import Primitives

/// An escrow as its users know it.
struct SimulatedEscrow {
    let id: EscrowID
    let payer: Int
    let payee: Int
    let arbiter: Int
    /// Whether one of its users is about to do something with it.
    var isBusy = false
    var isOver = false
}
