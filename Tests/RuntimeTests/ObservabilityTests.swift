import Foundation
import Logging
import Testing

@testable import Runtime

@Suite("Figures, log and resources")
struct ObservabilityTests {
    @Test("Figures are written as Prometheus reads them")
    func text() {
        let metrics = Metrics()
        metrics.counter("offpeak_second_total", "Second.", labels: [("kind", "x\"y\\z\n")]).add(3)
        metrics.counter("offpeak_second_total", "Second.", labels: [("kind", "a")]).add()
        metrics.gauge("offpeak_first_bytes", "First.").set(1.5)
        metrics.gauge("offpeak_third_seconds", "Read.") { 2 }
        let histogram = metrics.histogram(
            "offpeak_times_seconds", "Times.", labels: [("step", "s")], bounds: [0.5, 1])
        for value in [0.25, 0.5, 0.75, 4] { histogram.record(value) }
        #expect(
            metrics.text() == """
                # HELP offpeak_first_bytes First.
                # TYPE offpeak_first_bytes gauge
                offpeak_first_bytes 1.5
                # HELP offpeak_second_total Second.
                # TYPE offpeak_second_total counter
                offpeak_second_total{kind="a"} 1
                offpeak_second_total{kind="x\\"y\\\\z\\n"} 3
                # HELP offpeak_third_seconds Read.
                # TYPE offpeak_third_seconds gauge
                offpeak_third_seconds 2
                # HELP offpeak_times_seconds Times.
                # TYPE offpeak_times_seconds histogram
                offpeak_times_seconds_bucket{step="s",le="0.5"} 2
                offpeak_times_seconds_bucket{step="s",le="1"} 3
                offpeak_times_seconds_bucket{step="s",le="+Inf"} 4
                offpeak_times_seconds_sum{step="s"} 5.5
                offpeak_times_seconds_count{step="s"} 4

                """)
    }

    @Test("The same name and labels are the same figure, from any thread")
    func sameFigure() {
        let metrics = Metrics()
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<1000 { metrics.counter("offpeak_x_total", "X.").add() }
        }
        #expect(metrics.counter("offpeak_x_total", "X.").value == 8000)
    }

    @Test("JSON lines parse back with everything in them")
    func json() throws {
        let lines = LogLines()
        var log = lines.logger(.json)
        log[metadataKey: "node"] = "n1"
        let hostile = "line\n\"quoted\" \\ \u{1} ü 🙂"
        log.warning("\(hostile)", metadata: ["list": ["a", ["k": "v"]], "n": "\(7)"])
        let line = try #require(lines.all.first)
        #expect(line.hasSuffix("}\n") && line.dropLast().contains("\n") == false)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
        let fields = try #require(object as? [String: Any])
        #expect(fields["message"] as? String == hostile)
        #expect(fields["level"] as? String == "warning")
        #expect(fields["component"] as? String == "network")
        #expect(fields["node"] as? String == "n1")
        #expect(fields["n"] as? String == "7")
        #expect((fields["list"] as? [Any])?.first as? String == "a")
    }

    @Test("Text lines keep what others sent from forging lines or driving the terminal")
    func textLines() throws {
        let lines = LogLines()
        lines.logger().info("a\nb\u{1B}[31mc", metadata: ["k": "v\r\nw"])
        let line = try #require(lines.all.first)
        #expect(line.hasSuffix("INFO     network: a b [31mc k=v  w\n"))
        #expect(line.filter { $0 == "\n" }.count == 1)
    }

    @Test("Levels below the chosen one are left out")
    func levels() {
        let lines = LogLines()
        let log = Log.logger("x", level: .warning, style: .json) { line in
            lines.logger().info("\(line)")
        }
        log.info("no")
        log.error("yes")
        #expect(lines.all.count == 1)
    }

    @Test("Times are ISO 8601 in UTC with milliseconds")
    func times() {
        #expect(UTCTime.text(milliseconds: 0) == "1970-01-01T00:00:00.000Z")
        #expect(UTCTime.text(milliseconds: 1_795_449_263_007) == "2026-11-23T15:54:23.007Z")
        #expect(UTCTime.text(milliseconds: 951_782_400_999) == "2000-02-29T00:00:00.999Z")
    }

    @Test("A process's resources are read, this one's and another's by its id")
    func resources() throws {
        let own = ProcessResources.current
        #expect(own.cpuMicroseconds > 0)
        #expect(own.residentBytes > 1 << 20)
        #expect(own.peakResidentBytes >= own.residentBytes)
        #expect(own.openDescriptors > 2)
        let pid = ProcessInfo.processInfo.processIdentifier
        let read = try #require(ProcessResources.of(pid: pid))
        #expect(read.peakResidentBytes > 1 << 20)
        #expect(ProcessResources.of(pid: 999_999_999) == nil)
        let metrics = Metrics()
        ProcessResources.register(in: metrics)
        #expect(metrics.text().contains("\noffpeak_process_resident_memory_bytes "))
    }
}
