import Primitives
import Testing

@testable import Runtime

@Suite("Configuration")
struct ConfigurationTests {
    private func parse(_ text: String) throws(DocumentFault) -> Configuration {
        try Configuration(parsing: text, file: "config.yaml")
    }

    private static let id = String(repeating: "ab", count: 32)

    @Test("The template reads back as what it was made from")
    func template() throws {
        #expect(try parse(Configuration().template) == Configuration())
        var configuration = Configuration()
        configuration.listen = NetworkAddress(host: "::1", port: 4000)
        configuration.advertised = NetworkAddress(host: "node.example", port: 4001)
        configuration.gossip = NetworkAddress(host: "::1", port: 4002)
        configuration.seeds = [
            NetworkAddress(host: "seed.example", port: 9009), NetworkAddress(host: "::3", port: 1),
        ]
        configuration.role = .verifier
        configuration.limits.guests = 7
        configuration.rpcListen = nil
        configuration.logLevel = .debug
        configuration.logFormat = .json
        configuration.verifierThreads = 3
        configuration.share.mode = .off
        configuration.share.cores = 2
        configuration.share.cpuPercent = 40
        configuration.share.megabits = 20
        configuration.share.hours = ["22:00-07:00", "12:00-13:30"].compactMap { DaySpan($0) }
        configuration.share.loadMax = 35
        configuration.share.pressureMax = 5
        configuration.limits.connections = 99
        configuration.limits.connectionsPerAddress = 9
        configuration.limits.blockCacheMegabytes = 16
        let id = try #require(PeerID(bytes: [UInt8](repeating: 0xAB, count: 32)))
        let other = try #require(PeerID(bytes: [UInt8](repeating: 0xCD, count: 32)))
        configuration.peers = [
            ConfiguredPeer(peerID: id, address: NetworkAddress(host: "10.0.0.1", port: 1)),
            ConfiguredPeer(peerID: other, address: NetworkAddress(host: "::2", port: 65535)),
        ]
        #expect(try parse(configuration.template) == configuration)
    }

    @Test("What is left out keeps its default")
    func defaults() throws {
        var expected = Configuration()
        expected.logLevel = .warning
        #expect(try parse("log:\n  level: warning\n") == expected)
        #expect(try parse("log:\nnetwork:\n  peers:\n") == Configuration())
        #expect(try parse("share:\n  mode:\n  hours:\n") == Configuration())
        #expect(Configuration().share.mode == nil)
    }

    /// A wrong text, the line that is named, and parts of the message.
    private static let wrong: [(String, Int?, [String])] = [
        ("netwrok:\n  listen: a:1\n", 1, ["unknown key \"netwrok\"", "did you mean \"network\"?"]),
        ("log:\n  levle: info\n", 2, ["unknown key \"levle\"", "\"level\"", "log"]),
        ("log:\n  level: inof\n", 2, ["log.level", "\"inof\"", "did you mean \"info\"?"]),
        ("log:\n  level: [info]\n", 2, ["log.level", "a list where text is wanted"]),
        ("log: info\n", 1, ["\"info\" where a mapping"]),
        ("network:\n  listen: 9009\n", 2, ["network.listen", "host:port is wanted"]),
        ("network:\n  listen: a:99999\n", 2, ["host:port is wanted"]),
        ("network:\n  listen: ::1:80\n", 2, ["[::1]:9009"]),
        ("network:\n  peers: none\n", 2, ["network.peers", "\"none\" where a list is wanted"]),
        (
            "network:\n  peers:\n    - id: xyz\n      address: a:1\n", 3,
            ["network.peers[0].id", "xyz"]
        ),
        (
            "network:\n  peers:\n    - address: a:1\n", 3,
            ["network.peers[0]", "an id and an address"]
        ),
        (
            "network:\n  peers:\n    - {id: \(id), address: \"a:1\"}\n"
                + "    - {id: \(id), address: \"b:1\"}\n", 4, ["network.peers[1]", "listed twice"]
        ),
        ("network:\n  gossip: 9009\n", 2, ["network.gossip", "host:port is wanted"]),
        ("network:\n  seeds: [9009]\n", 2, ["network.seeds[0]", "host:port is wanted"]),
        ("node:\n  role: relais\n", 2, ["node.role", "did you mean \"relay\"?"]),
        ("verifier:\n  threads: many\n", 2, ["verifier.threads", "a whole number 0...256"]),
        ("verifier:\n  threads: -1\n", 2, ["\"-1\" where a whole number 0...256 is wanted"]),
        ("verifier:\n  threads: 1.5\n", 2, ["\"1.5\""]),
        ("verifier:\n  threads: 257\n", 2, ["257 isn't a whole number 0...256"]),
        ("share: idle\n", 1, ["share", "\"idle\" where a mapping"]),
        ("share:\n  mod: idle\n", 2, ["unknown key \"mod\"", "did you mean \"mode\"?"]),
        ("share:\n  mode: idel\n", 2, ["share.mode", "did you mean \"idle\"?"]),
        ("share:\n  mode: on\n", 2, ["\"on\" is none of off, idle, always"]),
        ("share:\n  cores: 257\n", 2, ["share.cores", "257 isn't a whole number 0...256"]),
        ("share:\n  cpuPercent: 0\n", 2, ["share.cpuPercent", "1...100"]),
        ("share:\n  cpuPercent: 50%\n", 2, ["share.cpuPercent", "\"50%\""]),
        ("share:\n  megabits: 100001\n", 2, ["share.megabits", "0...100000"]),
        ("share:\n  loadMax: 0\n", 2, ["share.loadMax", "1...100"]),
        ("share:\n  pressureMax: 101\n", 2, ["share.pressureMax", "1...100"]),
        ("share:\n  hours: \"22:00-07:00\"\n", 2, ["share.hours", "where a list is wanted"]),
        (
            "share:\n  hours:\n    - \"22:00-07:00\"\n    - \"9-17\"\n", 4,
            ["share.hours[1]", "\"9-17\"", "22:00-07:00"]
        ),
        ("share:\n  hours: [\"08:00-08:00\"]\n", 2, ["share.hours[0]", "the whole day"]),
        ("limits:\n  connections: 99999999999999999999\n", 2, ["limits.connections"]),
        ("log:\n  level: info\n  level: debug\n", nil, ["\"level\" given twice"]),
        ("log: [\n", nil, []),
        ("a: b: c\n", 1, []),
        ("", nil, ["is empty"]),
        ("[]\n", 1, ["a list where a mapping"]),
        ("\tlog: x\n", 1, []),
    ]

    @Test("A wrong text is refused with its line, its path and what would be right")
    func errors() {
        for (text, line, parts) in ConfigurationTests.wrong {
            do throws(DocumentFault) {
                _ = try parse(text)
                Issue.record("accepted: \(text)")
            } catch {
                if let line { #expect(error.line == line, "\(text)\n\(error)") }
                for part in parts {
                    #expect(error.description.contains(part), "\(text)\n\(error)")
                }
                #expect(error.description.hasPrefix("config.yaml"))
            }
        }
    }

    @Test("A suggestion is made for near names only")
    func suggestions() {
        let known = ["listen", "peers", "advertised"]
        #expect(Suggestion.text(for: "lsiten", among: known) == " (did you mean \"listen\"?)")
        #expect(Suggestion.text(for: "Peers", among: known) == " (did you mean \"peers\"?)")
        #expect(Suggestion.text(for: "colour", among: known) == "")
        #expect(Suggestion.distance("abcd", "abdc") == 1)
        #expect(Suggestion.distance("kitten", "sitting") == 3)
        #expect(Suggestion.distance("", "abc") == 3)
    }

    @Test(
        "Addresses read back as they are written",
        arguments: [
            "127.0.0.1:80", "[::1]:9009", "node.example:1", "[fe80::1%eth0]:2", "node-1_a:3",
        ])
    func addresses(text: String) {
        #expect(NetworkAddress(text)?.description == text)
    }

    @Test(
        "What can't be a host's name is no address",
        arguments: [
            "node.e\"\\x00\":9", "a b:1", "é:1", "a/b:1", "a\u{0}:1", ":1", "[]:1", "::1:9", "a",
            "a:65536", "a:-1",
        ])
    func noAddress(text: String) {
        #expect(NetworkAddress(text) == nil)
    }
}
