import Execution
import Primitives
import Synchronization

/// A store that can go back to the contents that it had when it was frozen, so that every input
/// meets the same state.
final class ScratchStore: KeyValueSource {
    private struct Contents {
        var frozen = MemoryStore()
        var current = MemoryStore()
        var isChanged = false
    }

    private let contents = Mutex(Contents())

    func apply(_ writes: WriteSet) {
        contents.withLock {
            $0.current.apply(writes)
            $0.isChanged = true
        }
    }

    /// What it holds now is what it goes back to.
    func freeze() {
        contents.withLock {
            $0.frozen = $0.current.copy()
            $0.isChanged = false
        }
    }

    func reset() {
        contents.withLock {
            if $0.isChanged { $0.current = $0.frozen.copy() }
            $0.isChanged = false
        }
    }

    func value(in column: Column, for key: [UInt8]) throws(StorageFault) -> [UInt8]? {
        try contents.withLock { (contents) throws(StorageFault) in
            try contents.current.value(in: column, for: key)
        }
    }

    func pairs(
        in column: Column, from start: [UInt8], before end: [UInt8]?, limit: Int
    ) throws(StorageFault) -> [KeyValue] {
        try contents.withLock { (contents) throws(StorageFault) in
            try contents.current.pairs(in: column, from: start, before: end, limit: limit)
        }
    }
}
