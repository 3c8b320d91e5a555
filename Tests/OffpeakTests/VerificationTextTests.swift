import RPC
import Testing

@testable import offpeak

@Suite("Who checks signatures, for people")
struct VerificationTextTests {
    private func status(
        _ role: CheckerRole, _ checked: CheckCounts, lastMinute: UInt64, wrong: UInt64 = 0
    ) -> VerificationStatus {
        VerificationStatus(
            peerID: "opknod1", role: role, bond: 20, spread: true, checked: checked,
            recent: [
                RecentChecks(
                    minutes: 1, milliseconds: 60_000, checked: CheckCounts(assigned: lastMinute))
            ],
            capacity: CapacityInfo(
                signaturesPerSecond: 20_000, free: 15_000, forecast: 14_000,
                queueMilliseconds: 2),
            checkers: [
                CheckerInfo(
                    peerID: "opknod2", role: .verifier, bond: 20, signaturesPerSecond: 9000,
                    latencyMilliseconds: 7, outstanding: 0, asked: 50, answered: 40, late: 5,
                    declined: 5, wrong: wrong)
            ], evidence: [])
    }

    @Test("several nodes stand side by side with their shares, one that is down too")
    func sums() {
        let validator = status(
            .validator, CheckCounts(admission: 70, assigned: 5), lastMinute: 10)
        let verifier = status(.verifier, CheckCounts(assigned: 225), lastMinute: 30)
        let sums = VerificationSums(nodes: [
            .init(address: "http://a", status: validator, fault: nil),
            .init(address: "http://b", status: verifier, fault: nil),
            .init(address: "http://c", status: nil, fault: "nobody there"),
        ])
        #expect(sums.total == CheckCounts(admission: 70, assigned: 230))
        let lines = sums.text(Palette(isOn: false)).split(separator: "\n")
        #expect(lines.count == 6)
        #expect(lines[1].contains("25.0 %") && lines[2].contains("75.0 %"))
        #expect(lines[4].contains("300") && lines[4].contains("40"))
        #expect(lines[5] == "http://c: nobody there")
    }

    @Test("one node's answer shows what it lends, what it checked and who checks for it")
    func one() {
        let text = VerificationText(
            status(.validator, CheckCounts(admission: 70), lastMinute: 10, wrong: 3),
            Palette(isOn: false)
        ).text
        #expect(text.contains("15000 of 20000 signatures a second"))
        #expect(text.contains("opknod2") && text.contains("9000/s") && text.contains("7 ms"))
        #expect(text.contains("last 1 min"))
        #expect(!text.contains("PROOF"), "nothing to prove, no table of proofs")
    }
}
