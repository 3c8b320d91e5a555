internal import Mempool
internal import Primitives

/// Signs that everything is valid.
struct AcceptsAll: Misbehaviour {
    func result(
        _ result: CheckResult, of job: CheckJob, by liar: Int, _ ring: inout Ring
    ) -> CheckResult {
        guard case .work(let isGenuine, _) = result else { return result }
        return .work(isGenuine: isGenuine, invalid: [])
    }
}

/// Signs that nothing is valid.
struct RejectsAll: Misbehaviour {
    func result(
        _ result: CheckResult, of job: CheckJob, by liar: Int, _ ring: inout Ring
    ) -> CheckResult {
        guard case .work(let isGenuine, _) = result, case .work(let work) = job else {
            return result
        }
        let all = work.transactions.indices.map {
            work.firstIndex + UInt32($0 - work.transactions.startIndex)
        }
        return .work(isGenuine: isGenuine, invalid: all)
    }
}

/// Owners take in what nobody signed, and all say of exactly that that it is valid.
struct CoversJunk: Misbehaviour {
    func result(
        _ result: CheckResult, of job: CheckJob, by liar: Int, _ ring: inout Ring
    ) -> CheckResult {
        switch (result, job) {
        case (.work(let isGenuine, let invalid), .work(let work)):
            let left = invalid.filter { index in
                let place = work.transactions.startIndex + Int(index - work.firstIndex)
                return !ring.isJunk(work.transactions[place])
            }
            return .work(isGenuine: isGenuine, invalid: left)
        case (.transactions(let found), .transactions(let asked)):
            return .transactions(
                zip(found, asked).map { ring.isJunk($1) ? .made(up: $1) : $0 })
        default: return result
        }
    }

    /// Gives junk to an owner among the liars.
    func act(by liar: Int, _ ring: inout Ring) {
        guard liar < ring.validatorCount, ring.random.chance(150) else { return }
        let junk = ring.makeJunk()
        ring.post(.forward([junk]), from: liar, to: liar)
    }
}

/// Answers after everybody else.
struct AnswersLate: Misbehaviour {
    func send(
        _ message: MempoolMessage, to node: Int, by liar: Int, _ ring: inout Ring
    ) -> [MempoolMessage] {
        guard case .ack = message else { return [message] }
        ring.post(message, from: liar, to: node, delay: ring.random.number(in: 400...6_000))
        return []
    }
}

/// Signs two different lists for a chunk.
struct AnswersTwice: Misbehaviour {
    func send(
        _ message: MempoolMessage, to node: Int, by liar: Int, _ ring: inout Ring
    ) -> [MempoolMessage] {
        guard case .ack(let ack) = message, ack.entry.chunks != 0 else { return [message] }
        let chunk = ack.entry.chunks.trailingZeroBitCount
        let first = UInt32(ack.header.range(ofChunk: chunk).lowerBound)
        let said = ack.entry.invalid(in: chunk) ?? []
        let other = said.contains(first) ? said.filter { $0 != first } : [first] + said
        var verdicts = ack.entry.verdicts.filter { Int($0.chunk) != chunk }
        if !other.isEmpty {
            verdicts.append(ChunkVerdict(chunk: UInt8(chunk), invalid: other.sorted()))
        }
        let entry = ring.entry(
            ack.header, by: liar, signer: ack.entry.signer, stored: ack.entry.stored,
            chunks: ack.entry.chunks, verdicts: verdicts.sorted { $0.chunk < $1.chunk })
        let lie = MempoolMessage.ack(Ack(header: ack.header, entry: entry))
        return ring.random.chance(500) ? [message, lie] : [lie, message]
    }
}

/// Signs what it heard others sign, without a look.
struct CopiesAcks: Misbehaviour {
    func act(by liar: Int, _ ring: inout Ring) {
        guard let batch = ring.random.element(of: ring.batches),
            let entry = ring.random.element(of: ring.acks[batch.digest] ?? []),
            let set = ring.layout.verifiers(for: batch.header)
        else { return }
        let owner = Int(batch.header.content.owner.rawValue)
        // Word for word, in the other's name and by the other's index.
        ring.post(.ack(Ack(header: batch.header, entry: entry)), from: liar, to: owner)
        guard let own = set.index(of: ring.peers[liar]) else { return }
        let copy = ring.entry(
            batch.header, by: liar, signer: own, stored: entry.stored && set.isValidator(own),
            chunks: entry.chunks, verdicts: entry.verdicts)
        ring.post(.ack(Ack(header: batch.header, entry: copy)), from: liar, to: owner)
    }
}

/// Says that it can do everything, nothing, or now this and now that.
struct Hints: Misbehaviour {
    /// Nil for one that changes.
    let free: UInt32?

    func hint(_ ring: inout Ring) -> Capacity? {
        let free = free ?? (ring.random.chance(500) ? .max : 0)
        return Capacity(
            signaturesPerSecond: free, free: free, forecast: free,
            queueMilliseconds: free == 0 ? .max : 0, kilobitsPerSecond: .max,
            storageMegabytes: .max)
    }
}

/// A peer without a bond that attests all the same: under its own key by others' indexes, and with
/// the entries of others.
struct AttestsUnbonded {
    static func act(by outsider: Int, _ ring: inout Ring) {
        guard let batch = ring.random.element(of: ring.batches),
            let set = ring.layout.verifiers(for: batch.header)
        else { return }
        let index = VerifierIndex(UInt16(ring.random.next() % UInt64(set.count + 2)))
        let entry = ring.entry(
            batch.header, by: outsider, signer: index, stored: ring.random.chance(500),
            chunks: batch.header.allChunks, verdicts: [])
        ring.post(
            .ack(Ack(header: batch.header, entry: entry)), from: outsider,
            to: Int(batch.header.content.owner.rawValue))
        // The ring may try it in its certificates too.
        ring.learn(Ack(header: batch.header, entry: entry))
    }
}
