import Execution
import Primitives

@testable import Runtime

extension FuzzTarget {
    /// A genesis, as canonical bytes or as the text of `genesis.json`.
    static let genesis = FuzzTarget(name: "genesis", bytesMax: 8 << 10) {
        let text = GenesisFile.text(of: FuzzWorld.shared.keys.genesis)
        return genesisSeeds + [FuzzSeed("file", Array(text.utf8))]
    } check: { bytes in
        if try isGenesis(bytes) { return true }
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        let genesis: Genesis
        do throws(DocumentFault) {
            genesis = try GenesisFile.parse(text, file: "genesis.json")
        } catch {
            try expect(!error.description.isEmpty, "a fault without a word")
            return false
        }
        try checkGenesis(genesis)
        let again = try? GenesisFile.parse(GenesisFile.text(of: genesis), file: "genesis.json")
        try expect(again == genesis, "what is written isn't what was read")
        try expect(try isGenesis(genesis.bcsBytes), "bytes that can't be read")
        return true
    }
}
