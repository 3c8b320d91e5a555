import Consensus
import Execution
import Foundation
import LightClient
import Primitives
import ProofSupport
import TestSupport
import Testing

/// A light client written from the protocol document alone believes what the node's code proves,
/// and nothing else.
@Suite(.serialized) struct PythonLightTests {
    private let light: PythonTool
    private let fixture: ProofFixture
    private let genesis: TemporaryFile

    init() throws {
        light = try PythonTool("tools/light.py")
        fixture = try ProofFixture()
        genesis = try TemporaryFile(
            "{\"result\": {\"canonical\": \"\(base64(fixture.genesis.bcsBytes))\"}}")
    }

    private func run(
        _ subject: String, _ proof: [UInt8], chain: ChainID? = nil, epochs: [[EpochStep]] = [],
        through trusted: Block? = nil
    ) throws -> PythonTool.Result {
        let answer = try TemporaryFile("{\"proof\": \"\(base64(proof))\", \"height\": 3}")
        let pages = try epochs.map { steps in
            let members = steps.map { "{\"proof\": \"\(base64($0.bcsBytes))\"}" }
            return try TemporaryFile("{\"steps\": [\(members.joined(separator: ","))]}")
        }
        return try light.run(
            [
                "--chain", (chain ?? fixture.genesis.chainID).description, "--genesis",
                genesis.path,
            ] + (trusted.map { ["--trusted", "\($0.height):\($0.digest)"] } ?? [])
                + pages.flatMap { ["--epochs", $0.path] } + [subject, answer.path])
    }

    private func value(_ key: StateKey) throws -> [UInt8] {
        fixture.anchored(.value(try fixture.reader.proof(of: key))).bcsBytes
    }

    private func receipt() throws -> [UInt8] {
        let id = fixture.transactions[1].id
        let proof = try #require(try fixture.reader.receiptProof(of: id))
        return fixture.anchored(.receipt(proof)).bcsBytes
    }

    @Test func `it believes true answers and shows what they prove`() throws {
        let account = try run(
            "account:\(fixture.payee.description)", value(StateKey(.account, fixture.payee)))
        #expect(account.status == 0, "\(account.errors)")
        let text = account.output.joined()
        #expect(text.contains("\"native\": \"15\"") && text.contains("\"blockHeight\": 5"))
        let absent = try run(
            "escrow:\(EscrowID.zero.description)", value(StateKey(.escrow, EscrowID.zero)))
        #expect(absent.status == 0 && absent.output.joined().contains("\"value\": null"))
        for subject in ["validator:3", "parameters", "system:history"] {
            let key =
                switch subject {
                case "validator:3": StateKey.validator(ValidatorIndex(3))
                case "parameters": StateKey.parameters
                default: HistoryHead.key
                }
            #expect(try run(subject, value(key)).status == 0, "\(subject)")
        }
        let id = fixture.transactions[1].id
        let executed = try run("transaction:\(id.description)", receipt())
        #expect(executed.status == 0, "\(executed.errors)")
        #expect(executed.output.joined().contains("\"height\": 2"))
    }

    @Test func `it refuses other questions, other chains and changed answers`() throws {
        let key = StateKey(.account, fixture.payee)
        let subject = "account:\(fixture.payee.description)"
        let bytes = try value(key)
        let other = try run("account:\(Address.zero.description)", bytes)
        #expect(other.status == 1 && other.errors.contains("another question"), "\(other.errors)")
        let chain = try run(subject, bytes, chain: .zero)
        #expect(chain.status == 1 && chain.errors.contains("of the chain"), "\(chain.errors)")
        let later = fixture.header(epoch: 1)
        let epoch = AnchoredProof(
            claim: .value(try fixture.reader.proof(of: key)), header: later,
            finalization: fixture.certificate(later))
        #expect(try run(subject, epoch.bcsBytes).errors.contains("epoch"))
        let header = fixture.header()
        for (signers, kind) in [([0, 1], VoteKind.finalize), ([0, 1, 3], .notarize)] {
            let weak = AnchoredProof(
                claim: .value(try fixture.reader.proof(of: key)), header: header,
                finalization: fixture.certificate(header, by: signers, kind: kind))
            #expect(try run(subject, weak.bcsBytes).status == 1)
        }
        let zero = fixture.header(view: 0)
        let unsigned = AnchoredProof(
            claim: .value(try fixture.reader.proof(of: key)), header: zero,
            finalization: fixture.certificate(zero))
        #expect(try run(subject, unsigned.bcsBytes).errors.contains("finalization"))
        #expect(try run("account:12", bytes).status == 2)
        #expect(try run(subject, bytes + [0]).status == 1)
        #expect(try run(subject, bytes.dropLast()).status == 1)
    }

    private func consistency(_ from: Height, _ to: Height) throws -> [UInt8] {
        let proof = try #require(try fixture.reader.consistencyProof(from: from, to: to))
        return fixture.anchored(.consistency(proof)).bcsBytes
    }

    @Test func `it believes that a history only grew, and goes on from what was kept`() throws {
        let kept = try ProofFixture(blocks: 2)
        let earlier = try #require(try kept.reader.consistencyProof(from: 1, to: 2))
        func run(_ subject: String, _ proof: [UInt8], earlier: [UInt8]) throws -> PythonTool.Result
        {
            let files = try [proof, earlier].map {
                try TemporaryFile("{\"proof\": \"\(base64($0))\"}")
            }
            // A file goes with its last use, which the program's is not.
            return try withExtendedLifetime(files) {
                try light.run([
                    "--chain", fixture.genesis.chainID.description, "--genesis", genesis.path,
                    "--earlier", files[1].path, subject, files[0].path,
                ])
            }
        }
        let old = kept.anchored(.consistency(earlier)).bcsBytes
        for (from, to) in [(2, 3), (2, 2), (3, 3), (1, 3)] as [(Height, Height)] {
            let proof = try consistency(from, to)
            #expect(try self.run("history:\(from)-\(to)", proof).status == 0)
            #expect(try self.run("history", proof).status == 0)
            #expect(try self.run("history:\(from)-9", proof).status == 1)
            let result = try run("history", proof, earlier: old)
            #expect((result.status == 0) == (from == 2), "\(from): \(result)")
        }
        var other = try ProofFixture(blocks: 0)
        try other.skip()
        for _ in 0..<2 { try other.pay() }
        let lie = try #require(try other.reader.consistencyProof(from: 2, to: 3))
        let result = try run(
            "history", other.anchored(.consistency(lie)).bcsBytes, earlier: old)
        #expect(result.status == 1 && result.errors.contains("rewritten"), "\(result)")
        #expect(try run("parameters", value(.parameters), earlier: old).status == 2)
    }

    /// In one process, for there are thousands: each byte of true answers changed.
    @Test func `it refuses every change of a byte`() throws {
        let id = fixture.transactions[1].id
        let cases = [
            ("account:\(fixture.payee.description)", try value(StateKey(.account, fixture.payee))),
            ("transaction:\(id.description)", try receipt()),
            ("history:1-2", try consistency(1, 2)), ("history:2-3", try consistency(2, 3)),
        ]
        for (subject, bytes) in cases {
            let script = try TemporaryFile(
                """
                import sys
                sys.path.insert(0, "tools")
                import light
                chain = bytes.fromhex("\(fixture.genesis.chainID)")
                proof = bytes.fromhex("\(Hex.encode(bytes))")
                genesis = bytes.fromhex("\(Hex.encode(fixture.genesis.bcsBytes))")
                client = light.Client(genesis, chain)
                asked = light.subject("\(subject)")
                light.check(proof, client, asked)
                for place in range(len(proof)):
                    for change in (1, 0x80, 1 + place * 37 % 255):
                        changed = bytearray(proof)
                        changed[place] ^= change
                        try:
                            light.check(bytes(changed), client, asked)
                            print("believed", place, change)
                        except light.Void:
                            pass
                """)
            let result = try PythonTool(script.path).run([])
            #expect(result.status == 0 && result.output == [], "\(subject): \(result)")
        }
    }
}

extension PythonLightTests {
    @Test func `it follows validators that all change, and believes none of other epochs`() throws {
        let epochs = try EpochFixture()
        let steps = epochs.steps
        let claim = AnchoredProof.Claim.value(try fixture.reader.proof(of: .parameters))
        func run(_ epoch: Int, _ pages: [[EpochStep]]) throws -> PythonTool.Result {
            try self.run(
                "parameters", epochs.anchored(claim, in: epoch).bcsBytes, epochs: pages)
        }
        let believed = try run(4, [Array(steps[..<1]), Array(steps[1...])])
        #expect(believed.status == 0, "\(believed.errors)")
        #expect(try run(0, []).status == 0)
        let unknown = try run(1, [])
        #expect(unknown.status == 1 && unknown.errors.contains("--epochs"), "\(unknown)")
        for pages in [
            [Array(steps[1...])], [[steps[0], steps[0]]], [[steps[1], steps[0]]],
            [[steps[0], steps[2]]],
        ] {
            let refused = try run(0, pages)
            #expect(refused.status == 1 && refused.errors.contains("must be"), "\(refused)")
        }
        let outside = epochs.anchored(claim, in: 1, height: 3)
        let early = try self.run("parameters", outside.bcsBytes, epochs: [steps])
        #expect(early.status == 1 && early.errors.contains("height"), "\(early)")
        for signing in [0, 2] {
            let other = epochs.anchored(claim, in: 1, signing: signing)
            #expect(try self.run("parameters", other.bcsBytes, epochs: [steps]).status == 1)
        }
        let block = epochs.boundaries[0]
        for signing in [1, 2] {
            let step = epochs.step(0, block, epochs.records[1], of: signing)
            #expect(try run(0, [[step]]).status == 1)
        }
        let other = epochs.step(0, block, epochs.records[2])
        #expect(try run(0, [[other]]).errors.contains("names"))
        // What is named so, but isn't a committee, or not the next one.
        func named(_ epoch: Epoch, _ boundary: Digest, _ more: [Validator] = []) -> EpochRecord {
            EpochRecord(
                epoch: epoch, boundary: boundary, validators: epochs.records[3].validators + more)
        }
        let before = epochs.boundaries[1].digest
        for (record, words) in [
            (named(3, before), ""), (named(3, epochs.boundaries[0].digest), "next epoch"),
            (named(2, before), "next epoch"),
            (named(3, before, epochs.records[3].validators), "can't vote"),
        ] {
            let block = EpochFixture.boundary(fixture.genesis, epoch: 2, naming: record)
            let result = try run(0, [[steps[0], steps[1], epochs.step(2, block, record)]])
            #expect(result.status == (words.isEmpty ? 0 : 1), "\(result)")
            #expect(result.errors.contains(words) || words.isEmpty, "\(result)")
        }
        let record = epochs.records[1]
        let last = fixture.genesis.epochs.last(of: 0)
        let tail = EpochFixture.tail(of: block)
        for step in [
            epochs.step(
                0,
                EpochFixture.boundary(
                    fixture.genesis, epoch: 0, naming: record,
                    height: last.clampedRetreat(by: 1)), record),
            epochs.step(
                0, EpochFixture.boundary(fixture.genesis, epoch: 0, naming: record, view: 0),
                record),
            epochs.step(0, block, [EpochFixture.tail(of: tail)], record),
            epochs.step(0, block, [EpochFixture.tail(of: block, tail: false)], record),
        ] {
            let refused = try run(0, [[step]])
            #expect(refused.status == 1 && refused.errors.contains("the step's"), "\(refused)")
        }
        let strange = try EpochFixture(network: "others")
        #expect(try run(0, [[strange.step(0)]]).errors.contains("another chain"))
    }

    @Test func `it goes through a trusted block, or from there on, on no other chain`() throws {
        let epochs = try EpochFixture()
        let steps = epochs.steps
        let claim = AnchoredProof.Claim.value(try fixture.reader.proof(of: .parameters))
        func run(
            _ epoch: Int, _ steps: ArraySlice<EpochStep>, _ trusted: Block
        ) throws -> PythonTool.Result {
            try self.run(
                "parameters", epochs.anchored(claim, in: epoch).bcsBytes, epochs: [Array(steps)],
                through: trusted)
        }
        for first in [0, 1] {
            let held = try run(3, steps[first...], epochs.boundaries[1])
            #expect(held.status == 0, "\(held.errors)")
        }
        let forged = EpochFixture.boundary(fixture.genesis, epoch: 0, naming: epochs.records[1])
        let second = EpochFixture.boundary(
            fixture.genesis, epoch: 0, naming: epochs.records[1], view: 61)
        let early = EpochFixture.boundary(
            fixture.genesis, epoch: 1, naming: epochs.records[2],
            height: fixture.genesis.epochs.last(of: 1).clampedRetreat(by: 1))
        let wrong = epochs.step(1, epochs.boundaries[1], epochs.records[3])
        for (epoch, steps, trusted, words) in [
            (3, steps[...], second, "isn't the trusted one of its height"),
            (1, steps[1...], epochs.boundaries[1], "before the trusted one"),
            (1, steps[...], epochs.boundaries[1], "doesn't come after"),
            (3, steps[1...], epochs.boundaries[0], "must be"),
            (0, steps[..<0], early, "doesn't come after"), (3, steps[...], early, "no step leads"),
            (3, [wrong], epochs.boundaries[1], "names"),
        ] {
            let refused = try run(epoch, steps, trusted)
            #expect(refused.status == 1 && refused.errors.contains(words), "\(refused)")
        }
        #expect(forged.digest == epochs.boundaries[0].digest)
        let anchored = epochs.anchored(claim, in: 0)
        let block = Block(header: anchored.header, payload: [])
        #expect(try self.run("parameters", anchored.bcsBytes, through: block).status == 0)
    }

    @Test func `it refuses every change of a byte of a step`() throws {
        let epochs = try EpochFixture()
        let hex = epochs.steps.map { "\"\(Hex.encode($0.bcsBytes))\"" }
        let script = try TemporaryFile(
            """
            import copy, sys
            sys.path.insert(0, "tools")
            import light
            chain = bytes.fromhex("\(fixture.genesis.chainID)")
            genesis = bytes.fromhex("\(Hex.encode(fixture.genesis.bcsBytes))")
            client = light.Client(genesis, chain)
            for step in map(bytes.fromhex, [\(hex.joined(separator: ","))]):
                for place in range(len(step)):
                    for change in (1, 0x80, 1 + place * 37 % 255):
                        changed = bytearray(step)
                        changed[place] ^= change
                        try:
                            copy.deepcopy(client).follow(bytes(changed))
                            print("followed", len(client.committees), place, change)
                        except light.Void:
                            pass
                client.follow(step)
            print(len(client.committees))
            """)
        let result = try PythonTool(script.path).run([])
        #expect(result.status == 0 && result.output == ["5"], "\(result)")
    }
}

private func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
