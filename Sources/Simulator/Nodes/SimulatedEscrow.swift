internal import Primitives

/// An escrow as its users know it.
struct SimulatedEscrow {
    let id: EscrowID
    let payer: Int
    let payee: Int
    let arbiter: Int
    var isOver = false
}
