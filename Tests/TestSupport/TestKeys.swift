public import Primitives

/// Keys that are the same in every run.
public enum TestKeys {
    /// The key number `index` of a seed.
    public static func key(seed: UInt64, index: Int) -> SecretKey {
        var generator = SeededGenerator(seed: seed &+ UInt64(index) &* 0x1_0000)
        var bytes: [UInt8] = []
        for _ in 0..<4 { bytes += withUnsafeBytes(of: generator.next()) { Array($0) } }
        return SecretKey(seed: SecureBytes(copying: bytes))
    }
}
