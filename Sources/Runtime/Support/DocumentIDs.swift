internal import Primitives

extension Document {
    /// A node's identity, of whichever network: `opknod1...`, or 64 hexadecimal digits.
    func peerID() throws(DocumentFault) -> PeerID {
        let text = try text()
        if let bytes = Hex.decode(text), let id = PeerID(bytes: bytes) { return id }
        do throws(Bech32m.Fault) {
            let (prefix, bytes) = try Bech32m.decode(text)
            if prefix.hasSuffix(HumanID.Kind.peer.rawValue), let id = PeerID(bytes: bytes) {
                return id
            }
        } catch {
            throw fault("\"\(text)\" isn't a peer id: \(error); text like opknod1... is wanted")
        }
        throw fault("\"\(text)\" isn't a peer id; text like opknod1... is wanted")
    }

    /// An id of the wanted kind in `network`.
    func id<ID: HumanIdentifier>(in network: NetworkPrefix) throws(DocumentFault) -> ID {
        let text = try text()
        do throws(HumanID.Fault) {
            return try ID(text: text, in: network)
        } catch {
            throw fault(error.description)
        }
    }

    /// A network's prefix.
    func networkPrefix() throws(DocumentFault) -> NetworkPrefix {
        let text = try text()
        do throws(NetworkPrefix.Fault) {
            return try NetworkPrefix(text)
        } catch {
            throw fault(error.description)
        }
    }

    /// An amount in the smallest unit.
    func amount() throws(DocumentFault) -> Amount { Amount(try number(0...UInt64.max)) }

    /// A number of 16 bits.
    func small() throws(DocumentFault) -> UInt16 {
        UInt16(try number(0...UInt64(UInt16.max)))
    }

    /// A field that must be there.
    func required(
        _ name: String, _ fields: [String: Document]
    ) throws(DocumentFault) -> Document {
        guard let field = fields[name] else { throw fault("\"\(name)\" is missing") }
        return field
    }
}
