/// Changes that reach the disk together or not at all; a later change of a key wins.
///
/// Keys and values lie one behind the other in one array: a block has tens of thousands of them.
package struct WriteSet: Hashable, Sendable {
    /// Puts a value, or deletes the key if `value` is nil.
    package struct Change: Hashable, Sendable {
        package let column: Column
        package let key: [UInt8]
        package let value: [UInt8]?
    }

    private struct Row: Hashable {
        let column: Column
        let isDeletion: Bool
        let keyEnd: Int
        /// Where the value ends; it begins where the key ends.
        let end: Int
    }

    private var rows: [Row] = []
    private var bytes: [UInt8] = []

    package init() {}

    /// Forgets all changes, but keeps their memory where nobody else holds them.
    package mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    package var isEmpty: Bool { rows.isEmpty }

    package mutating func put(_ value: [UInt8], in column: Column, for key: [UInt8]) {
        bytes.append(contentsOf: key)
        let keyEnd = bytes.count
        bytes.append(contentsOf: value)
        note(column, keyEnd)
    }

    /// Puts bytes that lie elsewhere under the key that `writeKey` appends.
    @inline(__always)
    package mutating func put(
        _ value: UnsafeRawBufferPointer, in column: Column, key writeKey: (inout [UInt8]) -> Void
    ) {
        writeKey(&bytes)
        let keyEnd = bytes.count
        bytes.append(contentsOf: value)
        note(column, keyEnd)
    }

    /// Puts what `writeValue` appends under what `writeKey` appends, without a copy in between.
    @inline(__always)
    package mutating func put(
        in column: Column, key writeKey: (inout BCSWriter) -> Void,
        value writeValue: (inout BCSWriter) -> Void
    ) {
        var writer = BCSWriter(appendingTo: bytes)
        bytes = []
        writeKey(&writer)
        let keyEnd = writer.count
        writeValue(&writer)
        bytes = writer.bytes
        note(column, keyEnd)
    }

    private mutating func note(_ column: Column, _ keyEnd: Int) {
        rows.append(Row(column: column, isDeletion: false, keyEnd: keyEnd, end: bytes.count))
    }

    package mutating func delete(_ key: [UInt8], in column: Column) {
        bytes.append(contentsOf: key)
        rows.append(
            Row(column: column, isDeletion: true, keyEnd: bytes.count, end: bytes.count))
    }

    package mutating func append(_ change: Change) {
        if let value = change.value {
            put(value, in: change.column, for: change.key)
        } else {
            delete(change.key, in: change.column)
        }
    }

    package mutating func append(_ other: WriteSet) {
        let start = bytes.count
        bytes.append(contentsOf: other.bytes)
        rows.append(
            contentsOf: other.rows.map { row in
                Row(
                    column: row.column, isDeletion: row.isDeletion, keyEnd: row.keyEnd + start,
                    end: row.end + start)
            })
    }

    /// The last value that was put, valid during the call.
    package func withLastValue<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { bytes in
            let start = rows.last?.keyEnd ?? 0
            return body(UnsafeRawBufferPointer(rebasing: bytes[start..<bytes.count]))
        }
    }

    /// The number of changes.
    package var count: Int { rows.count }

    package func column(_ place: Int) -> Column { rows[place].column }

    /// Where key and value of a change lie among the bytes.
    package struct Extent: Sendable {
        package let key: Range<Int>
        /// Nil for a deletion.
        package let value: Range<Int>?
    }

    package func extent(_ place: Int) -> Extent {
        let row = rows[place]
        let start = place == 0 ? 0 : rows[place - 1].end
        return Extent(
            key: start..<row.keyEnd, value: row.isDeletion ? nil : row.keyEnd..<row.end)
    }

    /// Calls `body` with the bytes that extents mean; they are valid during the call.
    package func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeBytes(body)
    }

    /// The changes in order, each made when it is asked for.
    package var changes: Changes { Changes(writes: self) }

    package struct Changes: RandomAccessCollection, Sendable {
        fileprivate let writes: WriteSet

        package var startIndex: Int { 0 }
        package var endIndex: Int { writes.rows.count }

        package subscript(place: Int) -> Change {
            let row = writes.rows[place]
            let start = place == 0 ? 0 : writes.rows[place - 1].end
            return Change(
                column: row.column, key: Array(writes.bytes[start..<row.keyEnd]),
                value: row.isDeletion ? nil : Array(writes.bytes[row.keyEnd..<row.end]))
        }
    }
}
