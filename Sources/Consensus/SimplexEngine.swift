package import Primitives

/// Consensus by Simplex (Chan and Pass, TCC 2023): three votes, no locks, no sub-protocol for the
/// change of leaders. A value without clock, randomness or I/O: events in, ordered effects out.
///
/// W is the committee's weight, F = (W - 1) / 3 may lie, a quorum is Q = W - F, and H = F + 1 has
/// an honest member. Δ is the unit of time; "holding" a certificate means having accepted it.
///
/// Views
/// - R1 upon a certificate of view v at or above the current one: enter v + 1.
/// - R2 upon entering v: set its timers; propose if this node leads, vote if a proposal waits.
/// - R3 upon a timer, a refused proposal, a failed build, the leader's own nullify vote or nullify
///   votes of weight H, all in the current view only: nullify it, unless it was nullified or
///   finalized by this node. (H is not in the paper: with that much the view can't be finalized,
///   and nodes that wait for nothing else follow those that have work to order.)
///
/// Proposals
/// - R4 upon leading: the parent is the notarized block of the latest view below which only
///   nullified views lie above; what is missing is fetched; then ask for a block.
/// - R5 upon the block: journal block and vote, send the proposal with its justification.
/// - R6 upon the first proposal of the leader for the current view: notarize it if (a) this node
///   neither notarized nor nullified in the view, (b) header and place are right, (c) the parent's
///   notarization or finalization is held, (d) every view between parent and block has its
///   nullification, (e) the bytes of the chain down to the finalized block are held, (f) the
///   application finds the block valid.
/// - R7 upon something missing for R4 or R6: ask the leader, after a while any other member.
/// - R8 upon a second vote of a signer that can't stand beside the first: evidence.
///
/// Certificates
/// - R9 upon votes of weight Q for one subject: make the certificate.
/// - R10 upon a new certificate: journal it unsynced, send it on once.
/// - R11 upon certificates that can't both be: halt, for more than F lies.
/// - R12 what is certified counts, whatever proposal was stored or signed.
/// - R13 upon holding a notarization of any view above the finalized one: finalize it, unless this
///   node nullified that view.
/// - R14 nullification and notarization of one view don't disturb each other.
/// - R15 upon a finalization: commit its chain in rising order, each height once.
///
/// Repair
/// - R16 upon the retry timer: send own votes, the proposal, finalize votes of unfinalized views,
///   the certificate that opened the view, and the status.
/// - R17 upon a status of somebody behind: send the newest finalization and the certificate that
///   opened this node's view, once for each peer and Δ.
/// - R18 upon a status of somebody ahead: answer with the own status, which R17 turns into
///   certificates. (The paper's successors count claims up to H; certificates prove themselves, so
///   a lie costs one message.)
/// - R19 a leader with nothing to order waits for the idle time, or only for Δ if its parent isn't
///   final, and then proposes an empty block.
/// - R20 a block's time lies above its parent's and within the voter's bounds of its own clock.
///
/// Epochs
/// - E1 the epoch's last height is that of its boundary block, which names the next committee. Its
///   descendants in the epoch, tail blocks, bring nothing and aren't committed: they are there to
///   make it final.
/// - E2 upon the boundary block's finalization: the epoch ends with the proof of it, and an engine
///   with the next committee goes on from that block, at view 0.
///
/// Journal and restart
/// - P1 a vote's record stands before its message, a block's before the vote for it.
/// - P3 a restart replays the records, and sends stored bytes again; it signs nothing twice.
/// - P4 after a start a validator hears others before it signs; one whose signing record is empty
///   signs only above what its key may have signed before. (Inputs/Recovery.swift)
/// - P5 upon an own signature that isn't in the record: halt, for somebody else has the key.
/// - P7 records at or below the finalized view are dropped, after a journal that holds the
///   finalization was synced.
///
/// Invariants: `checkInvariants()`. Why it is safe: two notarizations of a view share an honest
/// signer (R6a); a view is never both finalized and nullified (R3, R13); so every later notarized
/// block descends from a finalized one (R6c, R6d).
package struct SimplexEngine: Sendable {
    package let configuration: ConsensusConfiguration
    let committee: Committee
    let own: ValidatorIndex?

    /// The current view, above every view that is known to have ended.
    package internal(set) var view: View
    /// The last block that was committed.
    package internal(set) var finalized: Block
    /// The newest finalization held; its chain may still have gaps.
    package internal(set) var finalization: Certificate?
    /// Whether rule R11 or P5 stopped the engine for good, and which.
    package internal(set) var stopCause: StopCause?
    package var halted: Bool { stopCause != nil }
    /// How the epoch ended; nil while it lasts. An engine whose epoch is over only helps others to
    /// get there.
    package internal(set) var end: EpochEnd?
    /// Whether the journal holds records of another epoch only.
    let beginsJournal: Bool

    /// By view, all above `finalizedView`.
    var slots: [View: Slot] = [:]
    /// The last view in which this key may have signed what isn't in the record; nil until it is
    /// known: then nothing is signed.
    package internal(set) var floor: View?
    /// The view that the record of signatures led to at the start.
    var recordedView: View
    /// The least view in which this node signs since its start, by what others answered; nil
    /// before it heard enough of them.
    var resumption: View?
    /// The first signing record that was known of each other validator.
    var knownRecords: [ValidatorIndex: RecordID] = [:]
    /// What others answered since the start.
    var answers: [ValidatorIndex: RecoveryAnswer] = [:]
    /// Subjects of all certificates in `slots`, and of `finalization`.
    var held: Set<VoteSubject> = []
    /// Views above `finalizedView` with a notarization, ascending.
    var notarizedViews: [View] = []
    var blocks = BlockTree()

    var moment: Moment
    var entered: Instant
    /// Δ as it was when the view was entered.
    var delta: UInt64
    var leader: ValidatorIndex
    var building: Building?
    /// Whether the node holds something to order that no commit has covered.
    var work = false
    var lastFinalized: Instant?
    var deadlines: [TimerID: Instant] = [:]
    var fetches: [Fetch] = []
    var syncPeer: ValidatorIndex?
    /// Milliseconds that an answer with a range of the chain is waited for.
    var syncPatience = ConsensusLimits.syncPatienceMin
    var requestAllowances: [PeerID: Allowance] = [:]
    var statusAllowances: [PeerID: Allowance] = [:]
    var committedSinceCompaction: UInt64 = 0

    /// Certificates that were made or received and not yet acted upon.
    var incoming: [Certificate] = []
    /// Whether something changed that a rule waits for.
    var isDirty = false
    var effects: [ConsensusEffect] = []

    /// What the leader asked to be filled.
    struct Building: Sendable {
        let view: View
        let parent: Block
    }

    /// Takes in an event; the effects are to be carried out in order.
    package mutating func handle(_ event: ConsensusEvent, at moment: Moment) -> [ConsensusEffect] {
        guard !halted else { return [] }
        self.moment = moment
        guard end == nil else { return help(event) }
        take(event)
        settle()
        defer { effects.removeAll() }
        return effects
    }

    private mutating func take(_ event: ConsensusEvent) {
        switch event {
        case .start: start()
        case .message(let peer, let message): receive(message.value, from: peer)
        case .timer(let id): expire(id)
        case .blockBuilt(let view, let contents): propose(contents, in: view)
        case .buildFailed(let view): buildFailed(in: view)
        case .blockChecked(let digest, let valid): blockChecked(digest, valid: valid)
        case .workAvailable: workAvailable()
        }
    }

    private mutating func receive(_ message: ConsensusMessage, from peer: PeerID) {
        switch message {
        case .proposal(let proposal): receive(proposal)
        case .vote(let vote): count(vote)
        case .certificate(let certificate): incoming.append(certificate)
        case .status(let status): receive(status, from: peer)
        case .certificateRequest(let request): answer(request, of: peer)
        case .blockRequest(let request): answer(request, of: peer)
        case .block(let block): receive(block)
        case .syncRequest: break
        case .syncResponse(let response): receive(response, from: peer)
        case .recoveryRequest(let request): answer(request, of: peer)
        case .recoveryAnswer(let answer): receive(answer, from: peer)
        }
    }

    /// Applies every rule until nothing is left to do.
    private mutating func settle() {
        while !halted, isDirty || !incoming.isEmpty {
            while !halted, !incoming.isEmpty { accept(incoming.removeFirst()) }
            guard !halted, isDirty else { continue }
            isDirty = false
            commitFinal()
            guard end == nil else { return incoming.removeAll() }
            giveUpIfHopeless()
            notarizeIfReady()
            buildIfLeading()
            if incoming.isEmpty, !isDirty { fetchWhatIsMissing() }
        }
    }

    /// Rules R11 and P5: nothing more is done, so that nothing is made worse.
    mutating func halt(_ reason: String) {
        stopCause = stopCause ?? .contradiction
        effects.append(.halt(reason))
    }
}
