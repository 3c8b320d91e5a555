import Foundation

// What libFuzzer calls. `OFFPEAK_FUZZ_TARGET` names the target; with `OFFPEAK_FUZZ_SEEDS` the seeds
// of all targets are written below that folder instead.

nonisolated(unsafe) private var target: FuzzTarget?  // SAFETY: set once, before the first input.

@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>?,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> CInt {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["OFFPEAK_FUZZ_SEEDS"] { writeSeeds(below: folder) }
    let name = environment["OFFPEAK_FUZZ_TARGET"] ?? ""
    target = FuzzTarget.all.first { $0.name == name }
    guard target == nil else { return 0 }
    let known = FuzzTarget.all.map { "\($0.name) \($0.bytesMax)" }.joined(separator: "\n")
    print(known)
    exit(name.isEmpty ? 0 : 2)
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let target else { fatalError("no target") }
    do {
        _ = try target.check(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError("\(target.name): \(error)")
    }
    return 0
}

private func writeSeeds(below folder: String) -> Never {
    do {
        for target in FuzzTarget.all {
            let place = URL(filePath: folder).appending(path: target.name)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            for seed in try target.seeds() {
                try Data(seed.bytes).write(to: place.appending(path: "seed-\(seed.name)"))
            }
        }
    } catch {
        fatalError("seeds: \(error)")
    }
    exit(0)
}
