internal import ArgumentParser
internal import Primitives

/// Which asset an amount is of.
struct AssetOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("Of which asset (default: the native one).", valueName: "asset"))
    var asset: String?

    func id(in network: NetworkContext) throws(CommandFault) -> AssetID {
        try id(in: network.prefix)
    }

    func id(in prefix: NetworkPrefix) throws(CommandFault) -> AssetID {
        try AssetText.parse(asset ?? AssetText.native, in: prefix)
    }
}
