package import Primitives

/// What `node_status` answers: who the node is, how far it is, and what it waits for.
package struct NodeStatus: Codable, Hashable, Sendable {
    /// The program's version.
    package let version: String
    /// The network's name, from its genesis.
    package let network: String
    /// 64 hexadecimal digits.
    package let chainID: String
    /// What the network's human-readable ids begin with.
    package let prefix: String
    /// The node's identity, `nod` text.
    package let peerID: String
    /// The node's index in the committee; absent for a node that doesn't vote.
    package let validator: UInt16?
    package let role: NodeRole
    package let epoch: Epoch
    /// The view that consensus is in.
    package let view: View
    package let finalizedHeight: Height
    /// The newest block that is executed and stored; at most `finalizedHeight`.
    package let appliedHeight: Height
    /// After the block at `appliedHeight`; 64 hexadecimal digits.
    package let stateRoot: String
    /// The time of the block at `appliedHeight`.
    package let time: Timestamp
    package let supply: SupplyInfo
    package let peersConnected: Int
    /// Summed weight of the validators that are connected, this node included.
    package let connectedWeight: UInt64
    /// Summed weight of all validators.
    package let totalWeight: UInt64
    /// The weight that finalizing needs.
    package let quorum: UInt64
    /// The same as `/ready` says.
    package let ready: Bool
    /// Why the node isn't ready, as sentences; empty if it is.
    package let reasons: [String]
    package let uptimeMilliseconds: UInt64

    package init(
        version: String, network: String, chainID: String, prefix: String, peerID: String,
        validator: UInt16? = nil, role: NodeRole, epoch: Epoch, view: View,
        finalizedHeight: Height, appliedHeight: Height, stateRoot: String, time: Timestamp,
        supply: SupplyInfo, peersConnected: Int, connectedWeight: UInt64, totalWeight: UInt64,
        quorum: UInt64, ready: Bool, reasons: [String], uptimeMilliseconds: UInt64
    ) {
        self.version = version
        self.network = network
        self.chainID = chainID
        self.prefix = prefix
        self.peerID = peerID
        self.validator = validator
        self.role = role
        self.epoch = epoch
        self.view = view
        self.finalizedHeight = finalizedHeight
        self.appliedHeight = appliedHeight
        self.stateRoot = stateRoot
        self.time = time
        self.supply = supply
        self.peersConnected = peersConnected
        self.connectedWeight = connectedWeight
        self.totalWeight = totalWeight
        self.quorum = quorum
        self.ready = ready
        self.reasons = reasons
        self.uptimeMilliseconds = uptimeMilliseconds
    }
}

/// What a node does for the network.
package enum NodeRole: String, Codable, Hashable, Sendable {
    /// Votes.
    case validator
    /// Checks signatures with a bond, without a vote.
    case verifier
    /// Follows the chain, forwards and screens, without bond and vote.
    case relay
    /// A validator that doesn't vote, since its record of what it signed was lost.
    case observer
}

/// Where all units of the native asset are; the parts sum to `supply`.
package struct SupplyInfo: Codable, Hashable, Sendable {
    package let balances: Amount
    package let escrowed: Amount
    package let bonded: Amount
    /// Deposits for streams.
    package let deposits: Amount
    /// Fees that wait for their distribution.
    package let undistributed: Amount
    /// The sum, fixed by genesis.
    package let supply: Amount

    package init(
        balances: Amount, escrowed: Amount, bonded: Amount, deposits: Amount,
        undistributed: Amount, supply: Amount
    ) {
        self.balances = balances
        self.escrowed = escrowed
        self.bonded = bonded
        self.deposits = deposits
        self.undistributed = undistributed
        self.supply = supply
    }
}

/// What `/ready` answers.
package struct Readiness: Codable, Hashable, Sendable {
    /// In sync and connected to a quorum.
    package let ready: Bool
    /// Why not, as sentences; empty if ready.
    package let reasons: [String]

    package init(
        ready: Bool, reasons: [String]
    ) {
        self.ready = ready
        self.reasons = reasons
    }
}

/// What `peer_list` answers.
package struct PeerList: Codable, Hashable, Sendable {
    /// In order of peer id.
    package let peers: [PeerInfo]

    package init(
        peers: [PeerInfo]
    ) {
        self.peers = peers
    }
}

/// A node that this one is connected to.
package struct PeerInfo: Codable, Hashable, Sendable {
    /// `nod` text.
    package let peerID: String
    /// Its index in the committee; absent for a node that doesn't vote.
    package let validator: UInt16?
    /// Host and port of the far end.
    package let address: String
    package let direction: LinkDirection
    /// The newest measured round trip; absent before the first.
    package let roundTripMicroseconds: UInt64?
    package let bytesReceived: UInt64
    package let bytesSent: UInt64
    /// How long the link stands.
    package let connectedMilliseconds: UInt64

    package init(
        peerID: String, validator: UInt16? = nil, address: String, direction: LinkDirection,
        roundTripMicroseconds: UInt64? = nil, bytesReceived: UInt64, bytesSent: UInt64,
        connectedMilliseconds: UInt64
    ) {
        self.peerID = peerID
        self.validator = validator
        self.address = address
        self.direction = direction
        self.roundTripMicroseconds = roundTripMicroseconds
        self.bytesReceived = bytesReceived
        self.bytesSent = bytesSent
        self.connectedMilliseconds = connectedMilliseconds
    }
}

/// Who opened a link.
package enum LinkDirection: String, Codable, Hashable, Sendable {
    case inbound
    case outbound
}

/// What `validator_list` answers: the committee of the current epoch.
package struct ValidatorList: Codable, Hashable, Sendable {
    package let epoch: Epoch
    package let totalWeight: UInt64
    /// The weight that a certificate needs.
    package let quorum: UInt64
    /// In order of index.
    package let validators: [ValidatorInfo]

    package init(
        epoch: Epoch, totalWeight: UInt64, quorum: UInt64, validators: [ValidatorInfo]
    ) {
        self.epoch = epoch
        self.totalWeight = totalWeight
        self.quorum = quorum
        self.validators = validators
    }
}

/// A member of the committee.
package struct ValidatorInfo: Codable, Hashable, Sendable {
    package let index: UInt16
    /// `pub` text.
    package let votingKey: String
    /// `nod` text.
    package let peerID: String
    package let weight: UInt64
    /// `acc` text.
    package let rewardAddress: String
    /// Whether this node has a link to it, or is it.
    package let connected: Bool

    package init(
        index: UInt16, votingKey: String, peerID: String, weight: UInt64, rewardAddress: String,
        connected: Bool
    ) {
        self.index = index
        self.votingKey = votingKey
        self.peerID = peerID
        self.weight = weight
        self.rewardAddress = rewardAddress
        self.connected = connected
    }
}
