import Execution
import Foundation
import Primitives
import TestSupport
import Testing

@testable import Runtime

@Suite("Genesis file")
struct GenesisFileTests {
    private let genesis: Genesis
    private let text: String

    init() throws {
        func key(_ number: UInt8) -> PublicKey { SecretKey.test(number).publicKey }
        let shared = try Policy(
            signers: (1...3).map { Policy.Signer(publicKey: key($0), weight: 1) }, spend: 2,
            admin: 3)
        let single = Policy.single(key(9)).address
        let validators = (10...13).map { number in
            GenesisValidator(
                votingKey: key(number), peerID: PeerID(key(number + 10)), rewardAddress: single,
                stake: Amount(1_000_000 + UInt64(number)))
        }
        genesis = try Genesis(
            network: "test-1", prefix: "opk", time: 1_795_449_600_000,
            accounts: [
                GenesisAccount(owner: .policy(shared), balance: 18_446_744_073_000_000_000),
                GenesisAccount(owner: .address(single), balance: 0),
            ],
            validators: validators,
            verifiers: [
                GenesisVerifier(
                    key: key(30), peerID: PeerID(key(31)), rewardAddress: single, bond: 2_000_000)
            ],
            parameters: LedgerParameters(
                fees: FeeParameters(baseFee: 7, treasury: single),
                stake: StakeParameters(epochBlocks: 1650, validatorsMax: 41),
                batches: BatchParameters(transactionsMax: 99),
                verification: VerificationParameters(
                    spread: false, periodBlocks: 33, termBlocks: 34, complaintBlocks: 35,
                    minimumBond: 36_000, unbondBlocks: 3700, slashPermille: 38,
                    repeatSlashPermille: 390, reporterPermille: 40)))
        text = GenesisFile.text(of: genesis)
    }

    @Test("A genesis reads back from its text, with every parameter")
    func roundTrip() throws {
        let found = try GenesisFile.parse(text, file: "genesis.json")
        #expect(found == genesis)
        #expect(found.chainID == genesis.chainID)
        #expect(GenesisFile.text(of: found) == text)
    }

    @Test("Parameters that are left out have their defaults, amounts may be plain numbers")
    func defaults() throws {
        let treasury = genesis.parameters.fees.treasury
        let start = try #require(text.range(of: "\"parameters\""))
        let verifiers = try #require(text.range(of: "\"verifiers\""))
        let short =
            text[..<min(start.lowerBound, verifiers.lowerBound)].replacing(
                "\"balance\": \"0\"", with: "\"balance\": 0")
            + "\"parameters\": {\"fees\": {\"treasury\": \"\(id(treasury))\"}}}"
        let found = try GenesisFile.parse(String(short), file: "genesis.json")
        #expect(found.parameters == LedgerParameters(fees: FeeParameters(treasury: treasury)))
        #expect(found.accounts == genesis.accounts && found.verifiers.isEmpty)
    }

    private func id(_ address: Address) -> String {
        Bech32m.encode(prefix: "opkacc", address.bytes)
    }

    /// Text to replace, by what, the line that is named, and parts of the message.
    private var wrong: [(String, String, Int?, [String])] {
        [
            ("\"network\"", "\"netwrok\"", 2, ["unknown key \"netwrok\"", "mean \"network\"?"]),
            ("\"stake\": \"1000010\"", "\"steak\": \"1\"", nil, ["validators[0]", "\"steak\""]),
            (
                "\"stake\": \"1000010\"", "\"stake\": \"-1\"", nil,
                ["validators[0].stake", "\"-1\""]
            ),
            ("\"stake\": \"1000010\"", "\"stake\": 1.5", nil, ["validators[0].stake", "\"1.5\""]),
            ("\"stake\": \"1000010\"", "\"stake\": 5", nil, ["validators[0].stake", "minimum"]),
            (
                "\"balance\": \"0\"", "\"balance\": \"18446744073709551615\"", nil,
                ["balance", "supply above"]
            ),
            (
                "\"balance\": \"0\"", "\"balance\": \"18446744073709551616\"", nil,
                ["18446744073709551616 isn't a whole number"]
            ),
            ("\"spend\": 2", "\"spend\": 4", nil, ["policy", "the admin threshold 3"]),
            ("\"admin\": 3", "\"admin\": 4", nil, ["policy", "can't be reached"]),
            ("\"owner\": 400", "\"owner\": 401", nil, ["parameters.fees.shares", "1001"]),
            ("\"owner\": 400", "\"owner\": 65536", nil, ["parameters.fees.shares.owner"]),
            ("\"prefix\": \"opk\"", "\"prefix\": \"OPK\"", 3, ["prefix", "small letters"]),
            ("\"prefix\": \"opk\"", "\"prefix\": \"abc\"", nil, ["belongs to the network \"opk\""]),
            ("\"time\": 1795449600000", "\"time\": \"now\"", 4, ["time", "\"now\""]),
            ("\"accounts\"", "\"accounts\": [], \"accounts\"", nil, ["\"accounts\" given twice"]),
            ("\"bond\": \"2000000\"", "\"bond\": 5", nil, ["verifiers[0].bond"]),
            ("\"spread\": false", "\"spread\": 1", nil, ["parameters.verification.spread"]),
            (
                "\"periodBlocks\": 33", "\"periodBlocks\": 0", nil,
                ["parameters.verification.periodBlocks", "1...10000"]
            ),
            (
                "\"epochBlocks\": 1650", "\"epochBlocks\": 1651", nil,
                ["parameters.stake.epochBlocks", "multiple"]
            ),
            (
                "\"validatorsMax\": 41", "\"validatorsMax\": 129", nil,
                ["parameters.stake.validatorsMax", "1...128"]
            ),
            ("{\n", "- {\n", 1, ["isn't JSON"]),
            ("\"network\": \"test-1\",", "", nil, ["\"network\" is missing"]),
            ("opkpub1", "opkpub1q", nil, ["opkpub1"]),
        ]
    }

    @Test("A wrong genesis is refused with its line, its path and what would be right")
    func errors() throws {
        for (old, new, line, parts) in wrong {
            let place = try #require(text.range(of: old), "\(old)")
            let damaged = text.replacingCharacters(in: place, with: new)
            do throws(DocumentFault) {
                _ = try GenesisFile.parse(damaged, file: "genesis.json")
                Issue.record("accepted: \(new)")
            } catch {
                for part in parts { #expect(error.description.contains(part), "\(error)") }
                #expect(error.line != nil, "\(error)")
                if let line { #expect(error.line == line, "\(error)") }
            }
        }
    }

    @Test("An account named twice is refused at the second place")
    func duplicateAccount() throws {
        let entry = "{\"address\": \"\(id(genesis.parameters.fees.treasury))\", \"balance\": \"1\"}"
        let damaged = text.replacing(
            "\"accounts\": [\n", with: "\"accounts\": [\n    \(entry),\n")
        do throws(DocumentFault) {
            _ = try GenesisFile.parse(damaged, file: "genesis.json")
            Issue.record("accepted")
        } catch {
            #expect(error.path.hasPrefix("accounts["))
            #expect(error.message.contains("is already accounts[0]"))
            #expect((error.line ?? 0) > 6)
        }
    }

    @Test("Texts cut short or with random changes give a genesis or a fault, never a trap")
    func damaged() {
        let bytes = Array(text.utf8)
        for seed in UInt64(0)..<300 {
            var generator = SeededGenerator(seed: seed)
            var damaged = bytes
            if seed % 3 == 0 {
                damaged.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
            }
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let place = Int.random(in: 0..<damaged.count, using: &generator)
                damaged[place] = UInt8.random(in: 0x20...0x7E, using: &generator)
            }
            let text = String(decoding: damaged, as: UTF8.self)
            do throws(DocumentFault) {
                _ = try GenesisFile.parse(text, file: "genesis.json")
            } catch {
                #expect(!error.description.isEmpty, "seed \(seed)")
            }
        }
    }

    @Test("The chain id is the network's: another byte, another chain")
    func chainID() throws {
        let other = text.replacing("\"test-1\"", with: "\"test-2\"")
        let found = try GenesisFile.parse(other, file: "genesis.json")
        #expect(found.chainID != genesis.chainID)
    }
}
