import Consensus
import Execution
import NodeCore
import Primitives

extension FuzzTarget {
    #if !OFFPEAK_SHELL
        /// Canonical bytes of a genesis.
        static let genesis = FuzzTarget(name: "genesis", bytesMax: 8 << 10) {
            genesisSeeds
        } check: { bytes in
            try isGenesis(bytes)
        }
    #endif

    static var genesisSeeds: [FuzzSeed] {
        [FuzzSeed("bytes", FuzzWorld.shared.keys.genesis.bcsBytes)]
    }

    /// Whether `bytes` are a genesis: a ledger can be opened on it, and its books balance.
    static func isGenesis(_ bytes: [UInt8]) throws -> Bool {
        guard let genesis = try canonical(Genesis.self, bytes) else { return false }
        try checkGenesis(genesis)
        return true
    }

    static func checkGenesis(_ genesis: Genesis) throws {
        try expect(
            genesis.chainID == ChainID(Digest.hash(.genesis, of: genesis).bytes32),
            "another chain id")
        let store = MemoryStore()
        store.apply(Ledger.genesisWrites(genesis).writes)
        let ledger = try Ledger(opening: store, genesis: genesis, judge: NoEvidence())
        _ = try ledger.audit()
        try expect(ledger.totals.isBalanced, "the books don't balance")
        try expect(genesis.committee.count == genesis.validators.count, "another committee")
        try startNode(genesis)
    }

    /// A node that follows a chain of this genesis comes up.
    private static func startNode(_ genesis: Genesis) throws {
        let store = MemoryStore()
        store.apply(NodeCore.genesisWrites(genesis))
        let moment = Moment(now: Instant(milliseconds: 1), wall: genesis.time)
        var core = try NodeCore(
            configuration: NodeConfiguration(genesis: genesis, signer: nil), source: store,
            journal: [], at: moment)
        _ = try core.handle([.start], at: moment)
        core.consensus.checkInvariants()
    }
}
