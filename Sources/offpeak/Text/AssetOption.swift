internal import ArgumentParser
internal import Primitives

/// Which asset an amount is of.
struct AssetOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("Of which asset (default: the native one).", valueName: "asset"))
    var asset: String?

    /// An asset as a node's answer has it, in the network that `id` is of.
    static func text(_ asset: AssetID, likeIn id: String) -> String {
        guard asset != .native, let prefix = IDText.prefix(of: id) else { return "native" }
        return asset.text(in: prefix)
    }

    func id(in network: NetworkContext) throws(CommandFault) -> AssetID {
        try id(in: network.prefix)
    }

    func id(in prefix: NetworkPrefix) throws(CommandFault) -> AssetID {
        try AssetText.parse(asset ?? AssetText.native, in: prefix)
    }
}
