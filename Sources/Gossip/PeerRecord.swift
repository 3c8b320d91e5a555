package import Primitives

/// What a node says it is; proven on chain where it matters. Bits unknown here are kept.
///
/// Wire: one byte.
package struct PeerRoles: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Votes.
    package static let validator = PeerRoles(rawValue: 1)
    /// Attests that signatures were checked, and doesn't vote.
    package static let verifier = PeerRoles(rawValue: 2)
    /// Forwards, screens and serves old blocks.
    package static let relay = PeerRoles(rawValue: 4)

    /// The known roles' names, in the order of their bits.
    package var names: [String] {
        let known: [(PeerRoles, String)] = [
            (.validator, "validator"), (.verifier, "verifier"), (.relay, "relay"),
        ]
        return known.filter { contains($0.0) }.map(\.1)
    }
}

/// What a node tells of itself, signed by its identity: anybody relays it, nobody forges it, and a
/// higher sequence replaces a lower one. A record without an address says that the node leaves.
///
/// Wire (512 bytes at most): chain id, peer id, sequence, timestamp, list of at most four
/// addresses, roles, lowest and highest protocol version (two bytes each), capacity; then the
/// signature over the hash of all that in the domain `offpeak/record`.
package struct PeerRecord: Hashable, Sendable {
    /// The network; a record of another is refused.
    package let chainID: ChainID
    package let peerID: PeerID
    /// Rises with every record of a node, over its restarts too: milliseconds since 1970 at least.
    package let sequence: UInt64
    /// When it was made, by the node's own clock.
    package let timestamp: Timestamp
    package let addresses: [PeerAddress]
    package let roles: PeerRoles
    /// Versions of the link protocol that the node speaks.
    package let versions: ClosedRange<UInt16>
    package let capacity: Capacity
    package let signature: Signature

    /// Signs a record of `identity`.
    /// - Precondition: at most `GossipLimits.addressesMax` addresses that fit the record.
    package init(
        chainID: ChainID, sequence: UInt64, timestamp: Timestamp, addresses: [PeerAddress],
        roles: PeerRoles, versions: ClosedRange<UInt16>, capacity: Capacity,
        signedBy identity: SecretKey
    ) {
        precondition(addresses.count <= GossipLimits.addressesMax, "\(addresses.count) addresses")
        self.chainID = chainID
        peerID = PeerID(identity.publicKey)
        self.sequence = sequence
        self.timestamp = timestamp
        self.addresses = addresses
        self.roles = roles
        self.versions = versions
        self.capacity = capacity
        var writer = BCSWriter()
        PeerRecord.encode(
            chainID, peerID, sequence, timestamp, addresses, roles, versions, capacity, to: &writer)
        signature = identity.signature(over: .hash(.peerRecord, writer.bytes))
        precondition(bcsBytes.count <= GossipLimits.recordBytesMax, "addresses too long")
    }

    /// Whether the node says that it leaves.
    package var isFarewell: Bool { addresses.isEmpty }

    /// The endpoints for one transport, in the node's order.
    package func endpoints(_ transport: PeerAddress.Transport) -> [Endpoint] {
        addresses.filter { $0.transport == transport }.map(\.endpoint)
    }

    /// The first eight bytes of the peer id: how digests name a record.
    package var prefix: UInt64 { peerID.bytes32.leadingWord }

    private static func encode(
        _ chainID: ChainID, _ peerID: PeerID, _ sequence: UInt64, _ timestamp: Timestamp,
        _ addresses: [PeerAddress], _ roles: PeerRoles, _ versions: ClosedRange<UInt16>,
        _ capacity: Capacity, to writer: inout BCSWriter
    ) {
        writer.append(chainID)
        writer.append(peerID)
        writer.append(sequence)
        writer.append(timestamp)
        writer.append(list: addresses)
        writer.append(roles.rawValue)
        writer.append(versions.lowerBound)
        writer.append(versions.upperBound)
        writer.append(capacity)
    }
}

extension PeerRecord: SignedValue {
    /// One claim by the node itself, in the chain that it must belong to.
    package func signatureClaims(in chain: ChainID) -> [SignatureClaim]? {
        guard chainID == chain else { return nil }
        var writer = BCSWriter()
        encodeContent(to: &writer)
        return [
            SignatureClaim(
                publicKey: peerID.publicKey, digest: .hash(.peerRecord, writer.bytes),
                signature: signature)
        ]
    }
}

extension PeerRecord: BCSCodable {
    private func encodeContent(to writer: inout BCSWriter) {
        PeerRecord.encode(
            chainID, peerID, sequence, timestamp, addresses, roles, versions, capacity, to: &writer)
    }

    package func encode(to writer: inout BCSWriter) {
        encodeContent(to: &writer)
        writer.append(signature)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        chainID = try reader.read()
        peerID = try reader.read()
        sequence = try reader.readUInt64()
        timestamp = try reader.read()
        addresses = try reader.readList(maximum: GossipLimits.addressesMax, elementBytes: 5)
        roles = PeerRoles(rawValue: try reader.readUInt8())
        let lowest = try reader.readUInt16()
        let highest = try reader.readUInt16()
        guard lowest <= highest else {
            throw reader.fault(.invalidValue("versions \(lowest) to \(highest)"))
        }
        versions = lowest...highest
        capacity = try reader.read()
        signature = try reader.read()
        let count = reader.offset - start
        guard count <= GossipLimits.recordBytesMax else {
            throw BCSError(.tooLong(count: count, maximum: GossipLimits.recordBytesMax), at: start)
        }
    }
}

extension Capacity {
    /// The advert within what a machine can be: what is free isn't more than there is.
    package var capped: Capacity {
        let speed = min(signaturesPerSecond, GossipLimits.signaturesPerSecondMax)
        return Capacity(
            signaturesPerSecond: speed, free: min(free, speed), forecast: min(forecast, speed),
            queueMilliseconds: min(queueMilliseconds, GossipLimits.queueMillisecondsMax),
            kilobitsPerSecond: min(kilobitsPerSecond, GossipLimits.kilobitsPerSecondMax),
            storageMegabytes: min(storageMegabytes, GossipLimits.storageMegabytesMax))
    }

    /// Whether an assigner would choose otherwise: a figure moved by more than an eighth.
    package func differsNoticeably(from other: Capacity) -> Bool {
        let pairs = [
            (signaturesPerSecond, other.signaturesPerSecond), (free, other.free),
            (forecast, other.forecast), (queueMilliseconds, other.queueMilliseconds),
            (kilobitsPerSecond, other.kilobitsPerSecond),
            (storageMegabytes, other.storageMegabytes),
        ]
        return pairs.contains { left, right in
            let (low, high) = (min(left, right), max(left, right))
            return high - low > high / 8
        }
    }
}
