package import Primitives

/// A verifier without a vote that is bonded from the start; its reward address owns it.
///
/// Wire: key, peer id, reward address, bond.
package struct GenesisVerifier: Hashable, Sendable, BCSCodable {
    /// The key that signs acks.
    package let key: PublicKey
    package let peerID: PeerID
    package let rewardAddress: Address
    /// Part of the supply, and not of any balance.
    package let bond: Amount

    package init(key: PublicKey, peerID: PeerID, rewardAddress: Address, bond: Amount) {
        self.key = key
        self.peerID = peerID
        self.rewardAddress = rewardAddress
        self.bond = bond
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(key)
        writer.append(peerID)
        writer.append(rewardAddress)
        writer.append(bond)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        key = try reader.read()
        peerID = try reader.read()
        rewardAddress = try reader.read()
        bond = try reader.read()
    }
}
