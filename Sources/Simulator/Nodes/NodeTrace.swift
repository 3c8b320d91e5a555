internal import Consensus
internal import Mempool
internal import NodeCore
internal import Primitives

/// A hash over everything that happened, and a table for people if it is wanted: a line for each
/// event, a column for each node.
struct NodeTrace {
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    private let columns: Int?
    private(set) var lines: [String] = []

    static let columnWidth = 17

    /// - Parameter columns: how many nodes the table has; nil for no table.
    init(columns: Int?) { self.columns = columns }

    var keepsLines: Bool { columns != nil }

    mutating func note(_ time: UInt64, _ kind: UInt64, _ node: Int, _ word: UInt64) {
        mix(time)
        mix(kind << 32 | UInt64(node))
        mix(word)
    }

    /// Mixes bytes in, eight at a time.
    mutating func mix(_ bytes: [UInt8]) {
        mix(UInt64(bytes.count))
        bytes.withUnsafeBytes { buffer in
            var place = 0
            while place + 8 <= buffer.count {
                mix(buffer.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                place += 8
            }
            while place < buffer.count {
                mix(UInt64(buffer[place]))
                place += 1
            }
        }
    }

    private mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x100_0000_01B3
        hash ^= hash >> 29
    }

    mutating func show(_ time: UInt64, _ node: Int, _ text: @autoclosure () -> String) {
        guard let columns else { return }
        let cell = String(text().prefix(NodeTrace.columnWidth))
        var line = NodeTrace.padded("\(time)", 8, left: true) + " |"
        for column in 0..<columns {
            line += NodeTrace.padded(column == node ? cell : "", NodeTrace.columnWidth) + "|"
        }
        lines.append(line)
    }

    static func header(_ names: [String]) -> String {
        padded("ms", 8, left: true) + " |"
            + names.map { padded($0, columnWidth) + "|" }.joined()
    }

    private static func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? space + text : text + space
    }

    /// What a message says, in a cell; nil for what would only fill pages.
    static func cell(_ message: NodeMessage) -> String? {
        switch message {
        case .consensus(let message): cell(message)
        case .mempool(.batch(let batch, _)):
            "batch \(batch.lane.shard):\(batch.header.content.position)"
                + " ×\(batch.transactions.count)"
        case .mempool(.certificate(let certificate)):
            "certified \(certificate.lane.shard):\(certificate.position)"
        case .mempool(.complaint): "complains"
        case .mempool(.appeal): "appeals"
        case .mempool(.bodyRequest): "asks for bodies"
        default: nil
        }
    }

    private static func cell(_ message: ConsensusMessage) -> String? {
        switch message {
        case .proposal(let proposal):
            "v\(proposal.block.view) propose \(short(proposal.block.digest))"
        case .vote(let vote):
            vote.kind == .nullify
                ? "v\(vote.view) nullify" : "v\(vote.view) \(vote.kind) \(short(vote.digest))"
        case .certificate(let certificate):
            "v\(certificate.view) cert \(certificate.kind)"
        case .certificateRequest: "asks for cert"
        case .blockRequest: "asks for block"
        case .syncRequest(let request): "syncs from \(request.from)"
        case .syncResponse(let response): "serves \(response.blocks.count) blocks"
        case .recoveryRequest: "asks for floor"
        case .recoveryAnswer(let answer):
            answer.isFirst ? "first record" : "stands in v\(answer.view)"
        case .status, .block: nil
        }
    }

    private static func short(_ digest: Digest) -> String {
        String(Hex.encode(Array(digest.bytes.prefix(2))))
    }
}
