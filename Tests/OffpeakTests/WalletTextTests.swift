import Primitives
import RPC
import Runtime
import Testing

@testable import offpeak

@Suite("Texts that people write")
struct WalletTextTests {
    private static let prefix = WalletSamples.prefix

    @Test("fee levels have room for a base fee that rises from 0")
    func feeLevels() {
        let levels: [FeeLevel] = [.economy, .standard, .urgent]
        #expect(levels.map { NodeViews.baseFeeMax($0, at: 0) } == [0, 1, 1])
        #expect(levels.map { NodeViews.baseFeeMax($0, at: 3) } == [3, 6, 12])
        #expect(NodeViews.baseFeeMax(.urgent, at: Amount(.max)) == Amount(.max))
    }

    @Test(
        "a length of time is read in every unit",
        arguments: [
            ("90", 90_000), ("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000),
            ("3d", 259_200_000), ("1w", 604_800_000), ("1d12h", 129_600_000), ("0", 0),
        ])
    func timeSpans(text: String, milliseconds: UInt64) throws {
        #expect(try TimeSpan(text).milliseconds == milliseconds)
    }

    @Test(
        "what isn't a length of time is refused with its text",
        arguments: [
            "", "s", "-5s", "+5s", "1.5h", "10 s", "5x", "1h30", "h1", "18446744073709551615",
            "99999999999999999999s", "40000000000w",
        ])
    func wrongTimeSpans(text: String) {
        let fault = #expect(throws: TextFault.self) { try TimeSpan(text) }
        #expect(fault?.description.contains("\"\(text)\"") == true)
    }

    @Test(
        "a time is read from now, in ISO 8601 and in milliseconds",
        arguments: [
            ("+10s", 1_800_000_010_000), ("+0s", 1_800_000_000_000),
            ("1800000000000", 1_800_000_000_000),
            ("2027-01-15T08:00:00Z", 1_800_000_000_000),
            ("2027-01-15T08:00:00.250Z", 1_800_000_000_250),
            ("2027-01-15T08:00:00.2506Z", 1_800_000_000_250),
            ("2027-01-15T08:00Z", 1_800_000_000_000),
            ("2027-01-15 10:00:00+02:00", 1_800_000_000_000),
            ("2027-01-15T03:30:00-04:30", 1_800_000_000_000),
            ("2027-01-15", 1_799_971_200_000), ("2028-02-29", 1_835_395_200_000),
            ("1970-01-01T00:00:00Z", 0), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ])
    func times(text: String, milliseconds: UInt64) throws {
        let now = Timestamp(1_800_000_000_000)
        #expect(try TimeText(text).resolved(at: now) == Timestamp(milliseconds))
    }

    @Test(
        "what isn't a time is refused with what would be right",
        arguments: [
            "", "+", "tomorrow", "2027-02-29", "2027-13-01", "2027-00-01", "2027-01-32",
            "2027-01-15T24:00:00Z", "2027-01-15T08:60:00Z", "2027-01-15T08:00:60Z",
            "2027-01-15T08:00:00", "2027-01-15T08:00:00.Z", "1969-12-31", "27-01-15",
            "1970-01-01T00:00:00+01:00", "1800000000", "99999999999999999999",
            "2027-01-15T08:00:00Z ", "２027-01-15",
        ])
    func wrongTimes(text: String) {
        #expect(throws: TextFault.self) { try TimeText(text) }
    }

    @Test("seconds instead of milliseconds are noticed")
    func secondsAreNoticed() {
        let fault = #expect(throws: TextFault.self) { try TimeText("1800000000") }
        #expect(fault?.description.contains("lies before 2001") == true)
    }

    @Test("every day's time is written and read back the same")
    func timesRoundTrip() throws {
        for day in stride(from: UInt64(0), to: 100_000, by: 37) {
            let time = Timestamp(day * 86_400_000 + day * 61 % 86_400 * 1000 + day % 3)
            #expect(try TimeText(ISOTime.text(time)).resolved(at: 0) == time)
        }
        #expect(ISOTime.text(Timestamp(1_800_000_000_000)) == "2027-01-15T08:00:00Z")
        #expect(ISOTime.text(Timestamp(.max)).hasSuffix(" ms"))
    }

    @Test("a time past the last one is refused")
    func timesOverflow() throws {
        let far = try TimeText("+200000000000d")
        #expect(throws: TextFault.self) { try far.resolved(at: Timestamp(.max)) }
    }

    private func address(_ number: UInt8) -> Address {
        Address(Bytes32([UInt8](repeating: number, count: 32)) ?? .zero)
    }

    private func text(_ number: UInt8) -> String { address(number).text(in: Self.prefix) }

    @Test("a quorum is read with and without weights and threshold")
    func quorums() throws {
        let full = try QuorumText.parse("\(text(2)):3,\(text(1)):2@4", in: Self.prefix)
        #expect(full.members.map(\.address) == [address(1), address(2)])
        #expect(full.members.map(\.weight) == [2, 3])
        #expect(full.threshold == 4)
        #expect(full.text(in: Self.prefix) == "\(text(1)):2,\(text(2)):3@4")
        let alone = try QuorumText.parse(text(7), in: Self.prefix)
        #expect(alone.members == [.init(address: address(7), weight: 1)])
        #expect(alone.threshold == 1)
        #expect(try QuorumText.parse("\(text(1)),\(text(2))", in: Self.prefix).threshold == 2)
    }

    @Test("a quorum that nobody or anybody could satisfy is refused, and says why")
    func wrongQuorums() {
        let faults = [
            ("\(text(1))@2", "can't be reached"),
            ("\(text(1))@0", "let anybody decide"), ("\(text(1)),\(text(1))@1", "named twice"),
            ("\(text(1)):0@1", "isn't a number from 1 to 65535"),
            ("\(text(1)):70000@1", "isn't a number from 1 to 65535"),
            ("\(text(1))@1@1", "one @"), ("\(text(1))@x", "isn't a threshold"),
            ("\(text(1)):1:1", "isn't name:weight"), ("opkacc1qqqqqqqqqq", "checksum"),
        ]
        for (text, wanted) in faults {
            let fault = #expect(throws: CommandFault.self) {
                try QuorumText.parse(text, in: Self.prefix)
            }
            #expect(fault?.description.contains(wanted) == true, "\(fault as Any)")
            #expect(fault?.exitCode == .usage)
        }
        #expect(throws: CommandFault.self) { try QuorumText.parse("", in: Self.prefix) }
    }

    @Test("an id of another kind or network is named for what it is")
    func wrongIDs() {
        let key = PublicKey(address(3).bytes32).text(in: Self.prefix)
        let fault = #expect(throws: CommandFault.self) {
            let _: Address = try IDText.parse(key, in: Self.prefix)
        }
        #expect(fault?.description.contains("this is a public key") == true)
        let other = #expect(throws: CommandFault.self) {
            let network = try NetworkPrefix("abc")
            let _: Address = try IDText.parse(text(1), in: network)
        }
        #expect(other?.description.contains("belongs to the network \"opk\"") == true)
    }

    @Test("an amount may be all of what is held")
    func amounts() throws {
        #expect(try AmountOrAll("all").resolved(of: 70) == 70)
        #expect(try AmountOrAll("18446744073709551615").resolved(of: 70) == Amount(.max))
        for text in ["-1", "1.5", "", "all ", "18446744073709551616", "0x10", "1_000"] {
            #expect(throws: TextFault.self) { try AmountOrAll(text) }
        }
        let fault = #expect(throws: TextFault.self) { try AmountOption.parse("1.50") }
        #expect(fault?.description.contains("150 for 1.50") == true)
    }

    @Test("decimals that no asset has are refused with those that are possible")
    func decimals() throws {
        #expect(try DecimalsText.parse("18") == 18)
        for text in ["19", "300", "-1", "x", ""] {
            let fault = #expect(throws: TextFault.self) { try DecimalsText.parse(text) }
            #expect(fault?.description.contains("0 to 18") == true)
        }
    }

    @Test("fees are reckoned with checks, and the maximum never wraps")
    func fees() {
        let rule = FeeRule.standard
        #expect(rule.fee(bytes: 300, signatures: 1, operations: 1) == 600)
        #expect(
            rule.generousMaximum(bytes: 300, signatures: 1, operations: 1, tip: 5) == 1205)
        let most = rule.generousMaximum(
            bytes: 300, signatures: 1, operations: 1, tip: Amount(.max))
        #expect(most == Amount(.max))
        #expect(rule.fee(bytes: .max, signatures: .max, operations: .max) == nil)
    }
}
