import Primitives

/// The value that `bytes` encode, or nil if its decoder refuses them.
///
/// What is accepted must encode to the same bytes again; a refusal must name a place within them.
func canonical<Value: BCSCodable>(
    _ type: Value.Type = Value.self, _ bytes: [UInt8]
) throws(Violation) -> Value? {
    let value: Value
    do throws(BCSError) {
        value = try Value(bcs: bytes)
    } catch {
        try expect(
            0...bytes.count ~= error.offset,
            "\(Value.self): an error at byte \(error.offset) of \(bytes.count)")
        _ = error.description
        return nil
    }
    try expect(value.bcsBytes == bytes, "\(Value.self): another form is accepted")
    return value
}

/// The value that stands at the reader's place, or nil.
func lenient<Value: BCSDecodable>(
    _ reader: inout BCSReader, _ type: Value.Type = Value.self
) -> Value? {
    try? reader.read(type)
}
