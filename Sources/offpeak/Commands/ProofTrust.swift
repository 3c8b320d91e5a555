internal import Execution
internal import LightClient
internal import Primitives
internal import RPC

/// Whom `offpeak verify` trusts: the validators of a genesis and those that they named in turn, a
/// block, or both.
///
/// The chain id comes from the genesis, whose hash it is, or from the header that the trusted
/// digest is of. Without a genesis the network's prefix is taken from the answer: it only decides
/// how ids are written.
struct ProofTrust: Sendable {
    /// Nil where a block is trusted without a genesis.
    let client: LightClient?
    let checkpoint: Checkpoint?
    let prefix: NetworkPrefix

    init(genesis: Genesis) throws(CommandFault) {
        client = LightClient(trusting: genesis)
        checkpoint = nil
        prefix = try NetworkContext.prefix(genesis.prefix)
    }

    /// - Parameters:
    ///   - genesis: A file.
    ///   - epochs: Files with steps from epoch to epoch, the first beginning at genesis, or at the
    ///     trusted block.
    ///   - trusted: `HEIGHT:HASH`.
    init(
        genesis path: String?, epochs: [String], trusted: String?, _ answer: ProofInfo
    ) throws(CommandFault) {
        let genesis = try path.map { (path) throws(CommandFault) in try GenesisText.read(path) }
        if let genesis {
            prefix = try NetworkContext.prefix(genesis.prefix)
        } else {
            guard let found = IDText.prefix(of: answer.block) else {
                throw CommandFault("\"\(answer.block)\" isn't a block's id")
            }
            prefix = found
        }
        let network = prefix
        let checkpoint = try trusted.map { (text) throws(CommandFault) in
            try ProofTrust.checkpoint(text, network)
        }
        self.checkpoint = checkpoint
        client = try genesis.map { (genesis) throws(CommandFault) in
            try EpochFile.client(trusting: genesis, through: checkpoint, following: epochs)
        }
    }

    private static func checkpoint(
        _ text: String, _ prefix: NetworkPrefix
    ) throws(CommandFault) -> Checkpoint {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let height = UInt64(parts[0]), height > 0 else {
            throw .usage(
                "--trusted \(text): a height above 0, a colon and the block's id are wanted")
        }
        if let digits = Hex.decode(String(parts[1])), let digest = Bytes32(digits) {
            return Checkpoint(height: Height(height), digest: Digest(digest))
        }
        do throws(HumanID.Fault) {
            let digest = try HumanID.parse(parts[1], as: .block, in: prefix)
            return Checkpoint(height: Height(height), digest: Digest(digest))
        } catch {
            throw .usage("--trusted \(text): \(error)")
        }
    }

    /// What a proof shows to somebody who trusts this.
    func verify(
        _ bytes: [UInt8], asking question: LightClient.Question
    ) throws(ProofFault) -> LightClient.Proven {
        guard let client else {
            guard let checkpoint else { throw .noQuorum }
            return try checkpoint.verify(bytes, asking: question)
        }
        let proven = try client.verify(bytes, asking: question)
        try checkpoint?.check(proven, by: client)
        return proven
    }
}
