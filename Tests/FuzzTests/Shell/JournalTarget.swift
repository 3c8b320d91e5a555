import Consensus
import Primitives

@testable import Runtime

extension FuzzTarget {
    /// A segment of the consensus journal.
    static let journal = FuzzTarget(name: "journal", bytesMax: 16 << 10) {
        journalSeeds
    } check: { bytes in
        guard let format = JournalFormat(header: bytes) else { return false }
        try expect(format.header == Array(bytes.prefix(JournalFormat.headerBytes)), "a header")
        try checkScan(bytes, format)
        try checkRebuilt(bytes, format)
        return true
    }

    /// What a scan finds is exactly what stands there.
    private static func checkScan(_ bytes: [UInt8], _ format: JournalFormat) throws(Violation) {
        guard let scan = try? JournalScan(bytes, format: format) else { return }
        let written = segment(scan.records, format)
        try expect(written == Array(bytes.prefix(scan.end)), "records of another form")
        try expect(scan.isTorn == (scan.end < bytes.count), "a torn end isn't seen")
        for record in scan.records { _ = try canonical(Consensus.JournalRecord.self, record.body) }
    }

    private static func segment(
        _ records: [Runtime.JournalRecord], _ format: JournalFormat
    ) -> [UInt8] {
        var bytes = format.header
        for record in records { format.append(record, at: bytes.count, to: &bytes) }
        return bytes
    }

    /// The input's pieces as records: cut at any place they are a beginning, with a damaged byte
    /// either that or refused, and never other records.
    private static func checkRebuilt(_ bytes: [UInt8], _ format: JournalFormat) throws(Violation) {
        let records = pieces(of: Array(bytes.dropFirst(JournalFormat.headerBytes)))
        let whole = segment(records, format)
        let place = JournalFormat.headerBytes + Int(bytes.last ?? 0) * whole.count / 256
        let cut = Array(whole.prefix(place))
        try expect(try found(in: whole, format) == records, "records are lost")
        try expectBeginning(of: records, cut, format)
        guard place < whole.count else { return }
        var damaged = whole
        damaged[place] ^= 0x10
        try expectBeginning(of: records, damaged, format)
    }

    private static func found(
        in bytes: [UInt8], _ format: JournalFormat
    ) throws(Violation) -> [Runtime.JournalRecord]? {
        (try? JournalScan(bytes, format: format))?.records
    }

    private static func expectBeginning(
        of records: [Runtime.JournalRecord], _ bytes: [UInt8], _ format: JournalFormat
    ) throws(Violation) {
        guard let found = try found(in: bytes, format) else { return }
        try expect(records.starts(with: found), "records that nobody wrote")
    }

    /// Records as they stand in a segment, whatever their checksums are.
    private static func pieces(of bytes: [UInt8]) -> [Runtime.JournalRecord] {
        var records: [Runtime.JournalRecord] = []
        var rest = bytes[...]
        while rest.count >= JournalFormat.recordOverhead, records.count < 64 {
            let count = rest.prefix(2).reversed().reduce(0) { $0 << 8 | Int($1) }
            let body = Array(rest.dropFirst(5).prefix(count))
            records.append(
                Runtime.JournalRecord(type: rest[rest.startIndex + 4], body: body))
            rest = rest.dropFirst(JournalFormat.recordOverhead + body.count)
        }
        return records
    }

    private static var journalSeeds: [FuzzSeed] {
        guard let instance = InstanceID(Array(0..<16)) else { return [] }
        let format = JournalFormat(instance: instance, segment: 3)
        let records = FuzzWorld.shared.journal.suffix(12).map {
            Runtime.JournalRecord(type: $0.type, body: $0.bcsBytes)
        }.filter { $0.body.count < 2000 }
        let whole = segment(records, format)
        return [
            FuzzSeed("empty", format.header), FuzzSeed("records", whole),
            FuzzSeed("torn", whole.dropLast(5)),
        ]
    }
}
