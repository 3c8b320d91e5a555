import Primitives

@testable import Runtime

extension FuzzTarget {
    /// The text of `config.yaml`.
    static let configuration = FuzzTarget(name: "configuration", bytesMax: 4 << 10) {
        configurationSeeds
    } check: { bytes in
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        let read: Configuration
        do throws(DocumentFault) {
            read = try Configuration(parsing: text, file: "config.yaml")
        } catch {
            try expect(!error.description.isEmpty, "a fault without a word")
            return false
        }
        let again = try? Configuration(parsing: read.template, file: "config.yaml")
        try expect(again == read, "what is written isn't what was read")
        return true
    }

    private static var configurationSeeds: [FuzzSeed] {
        let usual = Configuration()
        let peer = FuzzWorld.shared.keys.peer(1)
        let id = Bech32m.encode(prefix: "opknod", peer.bytes)
        let small = """
            network:
              listen: "[::1]:9009"
              advertised: node.example:9
              seeds: ["10.0.0.1:9009", b.example:1]
              peers:
                - {id: \(id), address: "127.0.0.1:9010"}
            node: {role: verifier}
            rpc: {listen: null}
            log: {level: debug, format: json}
            verifier: {threads: 2}
            share: {mode: idle, cores: 1, cpuPercent: 50, megabits: 10, hours: ["22:00-07:00"]}
            limits: {connections: 1_000, connectionsPerAddress: 4, guests: 0}

            """
        return [
            FuzzSeed("template", Array(usual.template.utf8)), FuzzSeed("small", Array(small.utf8)),
            FuzzSeed("json", Array("{\"rpc\": {\"listen\": \"127.0.0.1:1\"}}".utf8)),
            FuzzSeed("anchors", Array("log: &a {level: info}\nrpc: {}\n".utf8)),
        ]
    }
}
