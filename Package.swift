// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// `OFFPEAK_PURE=1` leaves out everything that needs the network packages: the pure modules and
/// their tests then build within a minute.
let pureOnly = ProcessInfo.processInfo.environment["OFFPEAK_PURE"] == "1"

/// `OFFPEAK_FUZZ=1` leaves the modules that decode and adds the program that `tools/fuzz` runs.
/// It needs a build for libFuzzer, so it is no part of any other.
let fuzzing = ProcessInfo.processInfo.environment["OFFPEAK_FUZZ"] == "1"

/// Generic code of one module that another uses is specialized there: not worth its time where
/// speed isn't what counts.
let specialized: [SwiftSetting] = [
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release))
]

let strict: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (fuzzing ? [] : specialized)

/// A target of the project; imports point downward in the lists below, never upward.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: [], swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: ["TestSupport"] + dependencies, swiftSettings: strict)
}

/// Tests that spend their time in the modules, not in their own code: compiled without
/// optimization in release builds too, which takes a fraction of the time.
func quickTests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    let plain: [SwiftSetting] = [.unsafeFlags(["-Onone"], .when(configuration: .release))]
    return .testTarget(
        name: name, dependencies: ["TestSupport"] + dependencies, swiftSettings: strict + plain)
}

let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")

var targets: [Target] = [
    .systemLibrary(
        name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .target(name: "CBlake2"),
    .target(name: "CMemory"),
    module("Primitives", ["CBlake2", "CSodium"]),
    module("Gossip", ["Primitives"]),
    module("Mempool", ["Primitives", collections]),
    module("Consensus", ["Primitives", collections]),
    module("Execution", ["CMemory", "Primitives", collections]),
    module("Bench", ["Execution", "Primitives"]),
    module("LightClient", ["Consensus", "Execution", "Primitives"]),
    module("NodeCore", ["Mempool", "Consensus", "Execution", "Primitives", collections]),
    module(
        "Simulator",
        ["NodeCore", "Mempool", "Consensus", "Execution", "Primitives", collections]),
    program(
        "offpeak-sim",
        [
            "Simulator", "Bench", "Mempool", "Consensus", "Execution", "Primitives",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]),
    .target(
        name: "TestSupport", dependencies: ["Primitives"], path: "Tests/TestSupport",
        swiftSettings: strict),
    quickTests("PrimitivesTests", ["Primitives", "CSodium"]),
    tests("GossipTests", ["Gossip", "Primitives"]),
    tests("MempoolTests", ["Mempool", "Primitives"]),
    tests("ConsensusTests", ["Consensus", "Primitives"]),
    tests("ExecutionTests", ["Execution", "Primitives"]),
    .target(
        name: "ProofSupport",
        dependencies: ["TestSupport", "LightClient", "Consensus", "Execution", "Primitives"],
        path: "Tests/ProofSupport", swiftSettings: strict),
    quickTests(
        "LightClientTests",
        ["ProofSupport", "LightClient", "Consensus", "Execution", "Primitives"]),
    tests(
        "NodeCoreTests",
        ["NodeCore", "LightClient", "Mempool", "Consensus", "Execution", "Primitives"]),
    tests("SimulatorTests", ["Simulator", "Mempool", "Consensus", "Primitives"]),
    quickTests("ProtocolTests", ["Execution", "Primitives"]),
    .testTarget(name: "RepositoryTests", swiftSettings: strict),
]

/// What the fuzz targets look at; the last two only where they are built.
let fuzzed: [Target.Dependency] =
    [
        "TestSupport", "ProofSupport", "LightClient", "NodeCore", "Gossip", "Mempool",
        "Consensus", "Execution", "Primitives",
    ] + (pureOnly ? [] : ["Runtime", "RPC", .product(name: "NIOCore", package: "swift-nio")])
let fuzzSettings = strict + (pureOnly ? [] : [.define("OFFPEAK_SHELL")])
let withoutShell = pureOnly ? ["Shell"] : []

var packages: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
]

if fuzzing {
    targets.append(
        .executableTarget(
            name: "offpeak-fuzz", dependencies: fuzzed, path: "Tests/FuzzTests",
            exclude: ["Corpus", "Dictionaries", "Suites"] + withoutShell,
            swiftSettings: fuzzSettings))
} else {
    targets.append(
        .testTarget(
            name: "FuzzTests", dependencies: fuzzed, path: "Tests/FuzzTests",
            exclude: ["Corpus", "Dictionaries", "Program"] + withoutShell,
            swiftSettings: fuzzSettings))
}

if fuzzing, !pureOnly {
    // Of the shell only what looks at bytes from outside: the rest would have to be compiled for
    // the sanitizer too, cryptography and all.
    packages += [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ]
    targets += [
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(
            name: "Runtime",
            dependencies: [
                "NodeCore", "Consensus", "Execution", "Primitives", "CZstd", collections,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Yams", package: "Yams"),
            ],
            sources: [
                "Home/Configuration.swift", "Home/ConfigurationTemplate.swift",
                "Home/ExitCode.swift", "Home/GenesisFile.swift", "Home/GenesisText.swift",
                "Home/Home.swift", "Home/ShareConfiguration.swift", "Network/Frame.swift",
                "Network/FrameChannel.swift", "Network/FrameDecoder.swift",
                "Network/LinkMessage.swift", "Network/SendQueue.swift", "Network/Zstd.swift",
                "Share/ShareSettings.swift", "Store/JournalFormat.swift", "Support",
            ],
            swiftSettings: strict),
        .target(
            name: "RPC",
            dependencies: [
                "Primitives",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            exclude: ["Client", "Server"], swiftSettings: strict),
    ]
} else if !pureOnly {
    packages += [
        .package(url: "https://github.com/apple/swift-atomics", exact: "1.3.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ]
    targets += [
        .systemLibrary(
            name: "CRocksDB", pkgConfig: "rocksdb", providers: [.apt(["librocksdb-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        module(
            "Runtime",
            [
                "NodeCore", "Gossip", "Mempool", "Consensus", "Execution", "Primitives",
                "CRocksDB", "CZstd", collections,
                .product(name: "Atomics", package: "swift-atomics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]),
        module(
            "RPC",
            [
                "Primitives",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        program(
            "offpeak",
            [
                "Runtime", "RPC", "LightClient", "NodeCore", "Bench", "Gossip", "Execution",
                "Mempool", "Consensus", "Primitives",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        quickTests(
            "RuntimeTests",
            [
                "Runtime", "NodeCore", "Gossip", "Mempool", "Consensus", "Execution",
                "Primitives", "ProofSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        quickTests(
            "RPCTests",
            [
                "RPC", "Primitives",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        quickTests(
            "OffpeakTests",
            [
                "offpeak", "ProofSupport", "Runtime", "RPC", "LightClient", "NodeCore",
                "Consensus", "Execution", "Primitives",
            ]),
    ]
}

let package = Package(
    name: "offpeak",
    products: [
        .executable(name: "offpeak-sim", targets: ["offpeak-sim"])
    ]
        + (pureOnly || fuzzing ? [] : [.executable(name: "offpeak", targets: ["offpeak"])])
        + (fuzzing ? [.executable(name: "offpeak-fuzz", targets: ["offpeak-fuzz"])] : []),
    dependencies: packages,
    targets: targets
)
