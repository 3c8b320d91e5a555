package import Primitives

/// What validators send each other. Wire: variant index, then the value.
package enum ConsensusMessage: Hashable, Sendable, BCSCodable {
    case proposal(Proposal)
    case vote(Vote)
    case certificate(Certificate)
    case status(Status)
    case certificateRequest(CertificateRequest)
    case blockRequest(BlockRequest)
    /// The answer to a block request.
    case block(Block)
    /// Answered from the store, not by the engine.
    case syncRequest(SyncRequest)
    case syncResponse(SyncResponse)
    case recoveryRequest(RecoveryRequest)
    case recoveryAnswer(RecoveryAnswer)

    package func encode(to writer: inout BCSWriter) {
        switch self {
        case .proposal(let value): encode(0, value, to: &writer)
        case .vote(let value): encode(1, value, to: &writer)
        case .certificate(let value): encode(2, value, to: &writer)
        case .status(let value): encode(3, value, to: &writer)
        case .certificateRequest(let value): encode(4, value, to: &writer)
        case .blockRequest(let value): encode(5, value, to: &writer)
        case .block(let value): encode(6, value, to: &writer)
        case .syncRequest(let value): encode(7, value, to: &writer)
        case .syncResponse(let value): encode(8, value, to: &writer)
        case .recoveryRequest(let value): encode(9, value, to: &writer)
        case .recoveryAnswer(let value): encode(10, value, to: &writer)
        }
    }

    private func encode(_ variant: UInt32, _ value: some BCSEncodable, to writer: inout BCSWriter) {
        writer.appendVariant(variant)
        writer.append(value)
    }

    package init(from reader: inout BCSReader) throws(BCSError) {
        let start = reader.offset
        switch try reader.readULEB128() {
        case 0: self = .proposal(try reader.read())
        case 1: self = .vote(try reader.read())
        case 2: self = .certificate(try reader.read())
        case 3: self = .status(try reader.read())
        case 4: self = .certificateRequest(try reader.read())
        case 5: self = .blockRequest(try reader.read())
        case 6: self = .block(try reader.read())
        case 7: self = .syncRequest(try reader.read())
        case 8: self = .syncResponse(try reader.read())
        case 9: self = .recoveryRequest(try reader.read())
        case 10: self = .recoveryAnswer(try reader.read())
        case let index: throw BCSError(.unknownVariant(index), at: start)
        }
    }
}

extension ConsensusMessage {
    /// The epoch that the message is about; nil for one about heights.
    package var epoch: Epoch? {
        switch self {
        case .proposal(let proposal): proposal.block.epoch
        case .vote(let vote): vote.subject.epoch
        case .certificate(let certificate): certificate.subject.epoch
        case .status(let status): status.epoch
        case .certificateRequest(let request): request.epoch
        case .blockRequest(let request): request.epoch
        case .block(let block): block.epoch
        case .syncRequest: nil
        case .syncResponse(let response): response.certificate.subject.epoch
        case .recoveryRequest(let request): request.epoch
        case .recoveryAnswer(let answer): answer.epoch
        }
    }
}

extension ConsensusMessage: SignedValue {
    /// Only the signatures that the engine doesn't know already; none for what proves itself by
    /// hash or merely asks.
    package func signatureClaims(in context: CertificateContext) -> [SignatureClaim]? {
        switch self {
        case .proposal(let proposal): proposal.signatureClaims(in: context)
        case .vote(let vote): vote.signatureClaims(in: context)
        case .certificate(let certificate): certificate.signatureClaims(in: context)
        case .status(let status):
            status.finalization.map { $0.signatureClaims(in: context) } ?? []
        case .syncResponse(let response):
            // Goes to the store as it is, so it is checked whatever the engine holds, and whatever
            // its view.
            response.certificate.signatureClaims(
                in: CertificateContext(
                    committee: context.committee, floor: nil, held: [],
                    breaking: context.breaking))
        case .recoveryAnswer(let answer): answer.signatureClaims(in: context)
        case .certificateRequest, .blockRequest, .block, .syncRequest, .recoveryRequest: []
        }
    }
}
