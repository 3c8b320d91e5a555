internal import NodeCore

extension FrameKind {
    /// The kind of frame that a channel's messages travel in.
    init(_ channel: NodeMessage.Channel) {
        self =
            switch channel {
            case .consensus: .consensus
            case .certificates: .certificates
            case .transactions: .transactions
            case .batches: .batches
            case .sync: .sync
            }
    }
}
