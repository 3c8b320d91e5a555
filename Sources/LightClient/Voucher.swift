internal import Execution
package import Primitives

/// A payment that was signed off-line, with a proof of what its payer had a while ago: the receiver
/// checks it without a node, and submits it when there is one.
///
/// Wire: version (one byte, 1), signed transaction, optional anchored proof of the payer's account.
package struct Voucher: Hashable, Sendable, BCSCodable {
    private static let version: UInt8 = 1
    /// Bytes of a voucher: the largest transaction, and a proof with 512 signatures and 256 hashes.
    package static let bytesMax = 96 * 1024
    /// What follows the network's prefix in a voucher's text.
    package static let kind = "vou"

    package let transaction: SignedTransaction
    package let reserve: AnchoredProof?

    package init(_ transaction: SignedTransaction, reserve: AnchoredProof?) {
        self.transaction = transaction
        self.reserve = reserve
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(Voucher.version)
        writer.append(transaction)
        writer.append(optional: reserve)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        let version = try reader.readUInt8()
        guard version == Voucher.version else {
            throw BCSError(.invalidValue("version \(version) of a voucher"), at: start)
        }
        transaction = try reader.read()
        reserve = try reader.readOptional()
    }

    /// One line of text with a checksum.
    package func text(in network: NetworkPrefix) -> String {
        CheckedText.encode(prefix: network.text + Voucher.kind, bcsBytes)
    }
}

/// Why something isn't a voucher, or not one to take.
package indirect enum VoucherFault: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable(String)
    /// A signature is wrong.
    case signature
    /// The proof of the payer's account is missing.
    case noReserve
    case reserve(ProofFault)
    /// The payer had no account when the proof was made.
    case noAccount
    /// Older than what is accepted, in milliseconds.
    case old(age: UInt64, maximum: UInt64)
    /// By so many milliseconds the proof's block is later than the present.
    case fromFuture(UInt64)
    /// Stream 0 is for payments with a node.
    case defaultStream
    /// It needs other accounts than the payer's too.
    case cosigners
    /// It does something else than to pay.
    case notPayment
    /// The network would refuse it.
    case refused(SkipReason)
    /// The stream expects `next` first, and fewer vouchers than those between are at hand.
    case ahead(next: SequenceNumber, sequence: SequenceNumber)
    /// One that is said to come before it is of another payer or stream.
    case otherStream
    /// One before it isn't to be taken, so that this one waits in vain.
    case earlier(SequenceNumber, VoucherFault)
    /// Two payments with this sequence are at hand, of which one is paid.
    case twice(SequenceNumber)
    /// With what the vouchers before it take.
    case uncovered(asset: AssetID, needed: Amount, held: Amount)
    /// A spending limit of the payer's leaves less than it takes with the vouchers before it, if
    /// each receiver of an issued asset gets its entry by them.
    case limited(asset: AssetID, needed: Amount, room: Amount)
    /// The asset's issuer has frozen what the payer holds of it.
    case frozen(AssetID)
    /// What it pays isn't what was agreed.
    case paysOther(asset: AssetID, found: Amount, wanted: Amount)

    package var description: String { text(in: nil) }

    /// For people; assets by their ids in `network`, or as hexadecimal digits.
    package func text(in network: NetworkPrefix?) -> String {
        func of(_ asset: AssetID) -> String {
            guard asset != .native else { return "" }
            return " of asset \(network.map { asset.text(in: $0) } ?? asset.description)"
        }
        return switch self {
        case .unreadable(let why): "it can't be read: \(why)"
        case .signature: "a signature doesn't hold"
        case .noReserve: "it has no proof of what its payer holds"
        case .reserve(let fault): "the proof of the payer's account doesn't hold: \(fault)"
        case .noAccount: "its payer has no account"
        case .old(let age, let maximum):
            "the proof of the payer's account is \(age / 1000) s old, at most \(maximum / 1000) s"
                + " are accepted"
        case .fromFuture(let ahead):
            "the proof is of \(ahead / 1000) s from now: the clock of this machine is wrong"
        case .defaultStream: "it is on stream 0, which other payments of its payer block"
        case .cosigners: "it speaks for several accounts, of which one is proven"
        case .notPayment: "it does something else than to pay"
        case .refused(let reason): "the network would refuse it: \(reason.name)"
        case .ahead(let next, let sequence):
            "it has sequence \(sequence), and before it those from \(next) on must be paid, which"
                + " are not at hand"
        case .otherStream: "what is to come before it is of another payer or stream"
        case .earlier(let sequence, let fault):
            "it waits for the one with sequence \(sequence), which isn't to be taken:"
                + " \(fault.text(in: network))"
        case .twice(let sequence):
            "there are two payments with sequence \(sequence), of which one is paid"
        case .uncovered(let asset, let needed, let held):
            "its payer held \(held)\(of(asset)); it takes, with those before it, \(needed)"
        case .limited(let asset, let needed, let room):
            "its payer's spending limit leaves \(room)\(of(asset)); it takes, with those before it,"
                + " up to \(needed)"
                + (asset == .native ? ", deposits for receivers' entries of assets included" : "")
        case .frozen(let asset): "its payer can't move what he holds\(of(asset)): it is frozen"
        case .paysOther(let asset, let found, let wanted):
            found == 0
                ? "it pays nothing\(of(asset)) to the receiver who was named"
                : "it pays \(found)\(of(asset)), not \(wanted)"
        }
    }
}
