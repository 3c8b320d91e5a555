internal import NIOCore
internal import Synchronization

/// The server's open connections. Upon one too many: the connection gives way that waits for its
/// client the longest, so that whoever only holds connections can't keep others out; one whose
/// request is carried out stays. Where all are busy the new one is closed.
final class ConnectionTable: Sendable {
    private struct Entry {
        let channel: any Channel
        /// Since when its client is awaited: for a request, for the rest of one, or for taking an
        /// answer; nil while a request is carried out.
        var waitsSince: NIODeadline?
    }

    private let maximum: Int
    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    /// At most `maximum` connections at once.
    init(maximum: Int) { self.maximum = maximum }

    var count: Int { entries.withLock { $0.count } }

    /// Takes in a new connection, whose client is awaited.
    func opened(_ channel: any Channel) {
        let leaving = entries.withLock { entries -> (any Channel)? in
            var leaving: (any Channel)?
            if entries.count >= maximum {
                guard let victim = ConnectionTable.longestWaiting(entries) else { return channel }
                leaving = entries.removeValue(forKey: victim)?.channel
            }
            entries[ObjectIdentifier(channel)] = Entry(channel: channel, waitsSince: .now())
            return leaving
        }
        leaving?.close(promise: nil)
    }

    /// The client is awaited from now on, or did something.
    func waits(_ channel: any Channel) { set(channel, .now()) }

    /// A request came whole and is carried out.
    func works(_ channel: any Channel) { set(channel, nil) }

    func closed(_ channel: any Channel) {
        entries.withLock { $0[ObjectIdentifier(channel)] = nil }
    }

    private func set(_ channel: any Channel, _ since: NIODeadline?) {
        entries.withLock { $0[ObjectIdentifier(channel)]?.waitsSince = since }
    }

    /// Takes time in proportion to the number of connections, for each that is one too many.
    private static func longestWaiting(
        _ entries: [ObjectIdentifier: Entry]
    ) -> ObjectIdentifier? {
        var longest: (name: ObjectIdentifier, since: NIODeadline)?
        for (name, entry) in entries {
            guard let since = entry.waitsSince, since < longest?.since ?? .distantFuture else {
                continue
            }
            longest = (name, since)
        }
        return longest?.name
    }
}
