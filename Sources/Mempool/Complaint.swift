package import Primitives

/// A validator's word that a shard's owner didn't seal what was put before it.
///
/// Wire: chainID, epoch, lane, height, signer, signature. Signed: H(complaint, all but the
/// signature).
package struct Complaint: Hashable, Sendable, BCSCodable {
    /// The bytes that every complaint takes.
    static let byteCount = 122

    package let chainID: ChainID
    package let epoch: Epoch
    /// The lane of the owner of record.
    package let lane: Lane
    /// The signer's finalized height: the complaint counts for the heights of the genesis
    /// parameter after it.
    package let height: Height
    package let signer: ValidatorIndex
    package let signature: Signature

    package init(
        _ lane: Lane, at height: Height, of committee: Committee, signer: ValidatorIndex,
        key: any Signing
    ) {
        chainID = committee.chainID
        epoch = committee.epoch
        self.lane = lane
        self.height = height
        self.signer = signer
        signature = key.signature(
            over: Complaint.digest(committee.chainID, committee.epoch, lane, height, signer))
    }

    private static func digest(
        _ chainID: ChainID, _ epoch: Epoch, _ lane: Lane, _ height: Height,
        _ signer: ValidatorIndex
    ) -> Digest {
        var writer = BCSWriter(capacity: 64)
        writer.append(chainID)
        writer.append(epoch)
        writer.append(lane)
        writer.append(height)
        writer.append(signer)
        return Digest.hash(.complaint, writer.bytes)
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(chainID)
        writer.append(epoch)
        writer.append(lane)
        writer.append(height)
        writer.append(signer)
        writer.append(signature)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        chainID = try reader.read()
        epoch = try reader.read()
        lane = try reader.read()
        height = try reader.read()
        signer = try reader.read()
        signature = try reader.read()
    }

    /// Whether the complaint counts in a block at `place`.
    func isTimely(at place: Height, in settings: BatchSettings) -> Bool {
        height < place && place <= height.clampedAdvance(by: settings.complaintBlocks)
    }
}

extension Complaint: SignedValue {
    package func signatureClaims(in layout: ShardLayout) -> [SignatureClaim]? {
        let committee = layout.committee
        guard chainID == committee.chainID, epoch == committee.epoch,
            layout.owner(of: lane) != nil, let validator = committee[signer]
        else { return nil }
        let digest = Complaint.digest(chainID, epoch, lane, height, signer)
        return [
            SignatureClaim(
                publicKey: validator.votingKey, digest: digest, signature: signature)
        ]
    }
}

/// Complaints of enough weight against one owner: a block that carries them passes it over.
///
/// Valid at a height iff: all are against `lane`, which is that of the owner of record in the
/// shard's present term, but not of the last rank; each counts at that height; the signers are
/// distinct, in rising order, and weigh at least H, so that an honest one is among them.
///
/// Wire: lane, list of complaints (1...512, rising signers).
package struct ComplaintCertificate: Hashable, Sendable, BCSCodable {
    /// The fewest bytes that a certificate takes: the lane, a length and one complaint.
    package static let bytesMin = 9 + Complaint.byteCount

    package let lane: Lane
    package let complaints: [Complaint]

    package init(lane: Lane, complaints: [Complaint]) {
        self.lane = lane
        self.complaints = complaints
    }

    package func encode(to writer: inout BCSWriter) {
        writer.append(lane)
        writer.append(list: complaints)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        lane = try reader.read()
        complaints = try reader.readSortedList(
            minimum: 1, maximum: Committee.countMax, elementBytes: Complaint.byteCount
        ) { (complaint: Complaint) in complaint.signer }
    }

    /// Everything but the signatures, and that the owner is the one of record.
    package func isComplete(at height: Height, in layout: ShardLayout) -> Bool {
        // Somebody always owns the shard: the last rank stays.
        Int(lane.rank) + 1 < layout.committee.count
            && complaints.allSatisfy {
                $0.lane == lane && $0.isTimely(at: height, in: layout.settings)
            }
            && zip(complaints, complaints.dropFirst()).allSatisfy { $0.signer < $1.signer }
            && layout.term(of: lane.shard, after: height.clampedRetreat(by: 1)) == lane.term
            && layout.committee.weight(of: complaints.map(\.signer))
                >= layout.committee.validityThreshold
    }
}

extension ComplaintCertificate: SignedValue {
    package func signatureClaims(in layout: ShardLayout) -> [SignatureClaim]? {
        var claims: [SignatureClaim] = []
        for complaint in complaints {
            guard let own = complaint.signatureClaims(in: layout) else { return nil }
            claims += own
        }
        return claims
    }
}
