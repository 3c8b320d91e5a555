/// What a node says it can do for others. A hint: whoever assigns work weighs it with what it saw
/// of that node itself.
///
/// Wire: the six numbers in the order of the fields, four bytes each.
public struct Capacity: Hashable, Sendable, BCSCodable {
    /// Signatures that the machine can check in a second when it does nothing else; measured.
    public var signaturesPerSecond: UInt32
    /// The part of them that is free now; 0 while the machine is wanted by its owner.
    public var free: UInt32
    /// The part that is expected to be free over the next seconds.
    public var forecast: UInt32
    /// How long a signature that arrives now waits before it is checked, in milliseconds.
    public var queueMilliseconds: UInt32
    /// Bandwidth that is lent, in kilobits a second.
    public var kilobitsPerSecond: UInt32
    /// Disk that is lent, in MiB.
    public var storageMegabytes: UInt32

    public init(
        signaturesPerSecond: UInt32 = 0, free: UInt32 = 0, forecast: UInt32 = 0,
        queueMilliseconds: UInt32 = 0, kilobitsPerSecond: UInt32 = 0, storageMegabytes: UInt32 = 0
    ) {
        self.signaturesPerSecond = signaturesPerSecond
        self.free = free
        self.forecast = forecast
        self.queueMilliseconds = queueMilliseconds
        self.kilobitsPerSecond = kilobitsPerSecond
        self.storageMegabytes = storageMegabytes
    }

    public func encode(to writer: inout BCSWriter) {
        for number in [
            signaturesPerSecond, free, forecast, queueMilliseconds, kilobitsPerSecond,
            storageMegabytes,
        ] { writer.append(number) }
    }

    public init(from reader: inout BCSReader) throws(BCSError) {
        signaturesPerSecond = try reader.readUInt32()
        free = try reader.readUInt32()
        forecast = try reader.readUInt32()
        queueMilliseconds = try reader.readUInt32()
        kilobitsPerSecond = try reader.readUInt32()
        storageMegabytes = try reader.readUInt32()
    }
}
