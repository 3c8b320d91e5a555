internal import Primitives

/// Who checks what: the owner's wish, by weighted rendezvous and the power of two choices.
///
/// Verifiers without a vote come first, since they lend what is idle, then the validators. Within
/// each of the two, a chunk's order is drawn by speed from the batch's digest, so that different
/// chunks and batches meet different verifiers; of each next two the one that would answer sooner
/// is taken, until their bonds reach H_U and a tenth more.
extension MempoolEngine {
    /// Draws who checks each chunk of a batch of this owner.
    func assign(
        _ header: BatchHeader, _ verifiers: VerifierSet, at now: Instant
    ) -> [[VerifierIndex]] {
        let own = ownIndex.map { VerifierIndex($0) }
        guard layout.settings.spread else { return assignAll(header, verifiers, at: now) }
        var load: [VerifierIndex: UInt64] = [:]
        return (0..<header.chunkCount).map { chunk in
            let bond = own.map { verifiers.bond(of: $0) } ?? 0
            let chosen = choose(
                header, chunk, verifiers, without: own.map { [$0] } ?? [], having: bond,
                load: load, at: now)
            let signatures = signatures(in: chunk, of: header)
            for index in chosen { load[index, default: 0] += signatures }
            return chosen
        }
    }

    /// Everything to all validators, and to others only if validators have too little bond.
    private func assignAll(
        _ header: BatchHeader, _ verifiers: VerifierSet, at now: Instant
    ) -> [[VerifierIndex]] {
        let own = ownIndex.map { VerifierIndex($0) }
        let validators = verifiers.indices.filter { verifiers.isValidator($0) }
        let others = validators.filter { $0 != own }
        let bond = verifiers.bond(of: validators)
        return (0..<header.chunkCount).map { chunk in
            guard bond < verifiers.validityThreshold else { return others }
            return others
                + choose(
                    header, chunk, verifiers, without: validators, having: bond, at: now)
        }
    }

    /// Signatures in a chunk, taken as evenly spread.
    func signatures(in chunk: Int, of header: BatchHeader) -> UInt64 {
        let count = UInt64(header.range(ofChunk: chunk).count)
        return max(
            count,
            count * UInt64(header.content.signatureCount)
                / UInt64(max(1, header.content.transactionCount)))
    }

    /// Verifiers for a chunk, beside those in `without` who have `bond`.
    func choose(
        _ header: BatchHeader, _ chunk: Int, _ verifiers: VerifierSet,
        without excluded: [VerifierIndex], having bond: UInt64,
        load: [VerifierIndex: UInt64] = [:], at now: Instant
    ) -> [VerifierIndex] {
        let threshold = verifiers.validityThreshold
        let wanted = threshold + threshold / 10
        var bond = bond
        var chosen: [VerifierIndex] = []
        let signatures = signatures(in: chunk, of: header)
        for candidates in tiers(verifiers, excluded, at: now) {
            var order = candidates[...]
            draw(header, chunk, verifiers, &order)
            while bond < wanted, let first = order.popFirst() {
                var pick = first
                if let second = order.first,
                    estimate(second, verifiers, signatures, load)
                        < estimate(first, verifiers, signatures, load)
                {
                    order.removeFirst()
                    order.insert(first, at: order.startIndex)
                    pick = second
                }
                chosen.append(pick)
                bond += verifiers.bond(of: pick)
            }
        }
        return chosen
    }

    /// Those that can be asked: first verifiers without a vote, then validators, then those that
    /// were late or are busy.
    private func tiers(
        _ verifiers: VerifierSet, _ excluded: [VerifierIndex], at now: Instant
    ) -> [[VerifierIndex]] {
        let out = Set(excluded)
        var tiers: [[VerifierIndex]] = [[], [], []]
        for index in verifiers.indices where !out.contains(index) {
            guard let member = verifiers[index], member.bond > 0,
                connected.contains(member.peerID)
            else { continue }
            if !workers.isWilling(member.peerID, at: now) {
                tiers[2].append(index)
            } else {
                tiers[verifiers.isValidator(index) ? 1 : 0].append(index)
            }
        }
        return tiers
    }

    private func estimate(
        _ index: VerifierIndex, _ verifiers: VerifierSet, _ signatures: UInt64,
        _ load: [VerifierIndex: UInt64]
    ) -> UInt64 {
        guard let member = verifiers[index] else { return .max }
        return workers.estimate(member.peerID, signatures + (load[index] ?? 0))
    }

    /// Orders candidates by draws without replacement, weighted by speed.
    private func draw(
        _ header: BatchHeader, _ chunk: Int, _ verifiers: VerifierSet,
        _ order: inout ArraySlice<VerifierIndex>
    ) {
        var left = Array(order)
        var weights = left.map { verifiers[$0].map { workers.speed(of: $0.peerID) } ?? 1 }
        var drawn: [VerifierIndex] = []
        while left.count > 1 {
            var hasher = Hasher256(.assignment)
            hasher.update(header.digest.bytes32)
            hasher.update([UInt8(truncatingIfNeeded: chunk)])
            hasher.update(UInt64(drawn.count).bcsLittleEndian)
            var target = hasher.finalize().bytes32.remainder(
                dividingBy: weights.reduce(0, +))
            let place = weights.firstIndex { weight in
                if target < weight { return true }
                target -= weight
                return false
            }
            drawn.append(left.remove(at: place ?? 0))
            weights.remove(at: place ?? 0)
        }
        order = (drawn + left)[...]
    }

    // MARK: Asking

    /// Sends a sealed batch: to validators the body, to verifiers without a vote their chunks.
    mutating func send(_ sealed: SealedLane.Sealed, _ verifiers: VerifierSet, at now: Instant) {
        let header = sealed.batch.header
        let assignment = Assignment(sealed.asked)
        let validators = connectedValidators
        if !validators.isEmpty {
            effects.append(.multicast(validators, .batch(sealed.batch, assignment)))
        }
        for index in verifiers.indices {
            let chunks = assignment.chunks(of: index)
            guard chunks != 0, let peer = verifiers[index]?.peerID else { continue }
            noteAsked(index, chunks, header, verifiers, at: now)
            guard !verifiers.isValidator(index) else { continue }
            let task = ChunkTask(sealed.batch, chunks: chunks, tree: sealed.tree)
            effects.append(.send(peer, .task(task)))
        }
    }

    private mutating func noteAsked(
        _ index: VerifierIndex, _ chunks: UInt32, _ header: BatchHeader,
        _ verifiers: VerifierSet, at now: Instant
    ) {
        guard let peer = verifiers[index]?.peerID else { return }
        let signatures = (0..<header.chunkCount).filter { chunks & 1 << UInt32($0) != 0 }
            .reduce(0) { $0 + self.signatures(in: $1, of: header) }
        workers.ask(peer, signatures: signatures)
        let wait = workers.estimate(peer, 0)
        sealedLanes[header.content.lane]?.update(header.digest) { sealed in
            if sealed.open[index] == nil {
                sealed.open[index] = .init(chunks: chunks, signatures: signatures, at: now)
            } else {
                sealed.open[index]?.chunks |= chunks
                sealed.open[index]?.signatures += signatures
            }
            let patience = min(
                max(MempoolTimes.hedgeWait, 3 * max(wait, storageWait)),
                MempoolTimes.hedgeWaitMax)
            sealed.hedgeAt = max(sealed.hedgeAt, now.advanced(byMilliseconds: patience))
        }
    }

    /// Asks others for what wasn't answered in time.
    mutating func hedge(at now: Instant) {
        for lane in sealedLanes.keys.sorted() {
            for sealed in sealedLanes[lane]?.sealed ?? []
            where sealed.certificate == nil && sealed.hedgeAt <= now && !sealed.asked.isEmpty {
                hedge(sealed, at: now)
            }
        }
    }

    private mutating func hedge(_ sealed: SealedLane.Sealed, at now: Instant) {
        let header = sealed.batch.header
        guard let verifiers = layout.verifiers(for: header) else { return }
        for (index, request) in sealed.open {
            guard let peer = verifiers[index]?.peerID else { continue }
            workers.markLate(
                peer, signatures: request.signatures,
                after: now.millisecondsSince(request.at), at: now)
        }
        if sealed.hedges > 0 { forgetSilent(sealed, verifiers) }
        sealedLanes[header.content.lane]?.update(header.digest) {
            $0.hedges += 1
            $0.hedgeAt = now.advanced(
                byMilliseconds: MempoolTimes.hedgeWait << UInt64(min($0.hedges, 4)))
        }
        guard let left = sealedLanes[header.content.lane]?.batch(header.digest) else { return }
        askOthers(left, verifiers, chunks: header.allChunks, at: now)
    }

    /// Lets verifiers without a vote that handed chunks back or didn't answer be asked once more,
    /// after all others: too few may be left without them. Validators hold the batch, and check it
    /// unasked in the end.
    private mutating func forgetSilent(_ sealed: SealedLane.Sealed, _ verifiers: VerifierSet) {
        var silent: Set<VerifierIndex> = []
        for (chunk, asked) in sealed.asked.enumerated() {
            silent.formUnion(
                asked.filter { index in
                    !verifiers.isValidator(index)
                        && !sealed.entries.contains {
                            $0.signer == index && $0.chunks & 1 << UInt32(chunk) != 0
                        }
                })
        }
        for (index, request) in sealed.open where silent.contains(index) {
            release(request, of: index, for: sealed.batch.header)
        }
        sealedLanes[sealed.batch.lane]?.update(sealed.batch.digest) {
            for index in silent { $0.open[index] = nil }
            for chunk in $0.asked.indices { $0.asked[chunk].removeAll(where: silent.contains) }
        }
    }

    /// The chunks in `chunks` whose verdict lacks bonds.
    func missingChunks(
        _ sealed: SealedLane.Sealed, _ verifiers: VerifierSet, among chunks: UInt32
    ) -> [Int] {
        (0..<sealed.batch.header.chunkCount).filter { chunk in
            chunks & 1 << UInt32(chunk) != 0
                && sealed.bond(onChunk: chunk, of: verifiers) < verifiers.validityThreshold
        }
    }

    /// Asks for chunks for which those asked so far have too little bond, as after a restart.
    mutating func assignUnassigned(_ sealed: SealedLane.Sealed, at now: Instant) {
        guard let verifiers = layout.verifiers(for: sealed.batch.header) else { return }
        let own = ownIndex.map { [VerifierIndex($0)] } ?? []
        for (chunk, asked) in sealed.asked.enumerated()
        where verifiers.bond(of: Set(asked + own)) < verifiers.validityThreshold {
            askOthers(sealed, verifiers, chunks: 1 << UInt32(chunk), at: now)
        }
    }

    /// Asks further verifiers for the chunks in `chunks` whose verdict lacks bonds.
    mutating func askOthers(
        _ sealed: SealedLane.Sealed, _ verifiers: VerifierSet, chunks: UInt32, at now: Instant
    ) {
        let header = sealed.batch.header
        var asks: [VerifierIndex: UInt32] = [:]
        for chunk in missingChunks(sealed, verifiers, among: chunks) {
            let asked = chunk < sealed.asked.count ? sealed.asked[chunk] : []
            let own = ownIndex.map { [VerifierIndex($0)] } ?? []
            for index in choose(
                header, chunk, verifiers, without: asked + own,
                having: sealed.bond(onChunk: chunk, of: verifiers), at: now)
            {
                asks[index, default: 0] |= 1 << UInt32(chunk)
                sealedLanes[header.content.lane]?.update(header.digest) {
                    if chunk < $0.asked.count { $0.asked[chunk].append(index) }
                }
            }
        }
        for index in asks.keys.sorted() {
            guard let chunks = asks[index], let peer = verifiers[index]?.peerID else { continue }
            noteAsked(index, chunks, header, verifiers, at: now)
            effects.append(
                .send(
                    peer,
                    verifiers.isValidator(index)
                        ? .checkAlso(header.digest, chunks)
                        : .task(ChunkTask(sealed.batch, chunks: chunks, tree: sealed.tree))))
        }
    }

    /// A verifier hands chunks back: others get them at once.
    mutating func takeBack(
        _ digest: Digest, chunks: UInt32, from peer: PeerID, at now: Instant
    ) {
        for lane in sealedLanes.keys.sorted() {
            guard let sealed = sealedLanes[lane]?.batch(digest) else { continue }
            guard sealed.certificate == nil,
                let verifiers = layout.verifiers(for: sealed.batch.header),
                let index = verifiers.index(of: peer), let request = sealed.open[index]
            else { return }
            workers.release(peer, signatures: request.signatures)
            workers.markDeclined(peer, signatures: request.signatures, at: now)
            sealedLanes[lane]?.update(digest) { $0.open[index] = nil }
            askOthers(sealed, verifiers, chunks: request.chunks & chunks, at: now)
            sealedLanes[lane]?.update(digest) { sealed in
                // Nobody is left to wait for.
                guard sealed.open.isEmpty else { return }
                sealed.hedgeAt = min(
                    sealed.hedgeAt, now.advanced(byMilliseconds: MempoolTimes.hedgeWait))
            }
            return
        }
    }
}
