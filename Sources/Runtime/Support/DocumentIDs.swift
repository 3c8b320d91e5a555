internal import Primitives

extension Document {
    /// A node's identity: 64 hexadecimal digits.
    func peerID() throws(DocumentFault) -> PeerID {
        let text = try text()
        guard let bytes = Hex.decode(text), let id = PeerID(bytes: bytes) else {
            throw fault("\"\(text)\" isn't a peer id of 64 hexadecimal digits")
        }
        return id
    }
}
