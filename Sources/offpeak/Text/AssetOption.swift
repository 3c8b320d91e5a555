internal import ArgumentParser
internal import Primitives

/// Which asset an amount is of.
struct AssetOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("Of which asset (default: the native one).", valueName: "asset"))
    var asset: String?

    func id(in network: NetworkContext) throws(CommandFault) -> AssetID {
        guard let asset, asset != "native" else { return .native }
        return try network.parse(asset)
    }
}
