/// What the links count.
struct NetworkFigures {
    private let metrics: Metrics
    private let open: Gauge
    private let penalties: Counter

    init(_ metrics: Metrics) {
        self.metrics = metrics
        open = metrics.gauge("offpeak_network_links", "Open links.")
        penalties = metrics.counter(
            "offpeak_network_penalties_total", "Misbehaviour that was counted against peers.")
    }

    func setOpen(_ count: Int) { open.set(Double(count)) }

    func countPenalty() { penalties.add() }

    func countClosed(_ reason: LinkRefusal) {
        metrics.counter(
            "offpeak_network_links_closed_total", "Links refused or closed, by reason.",
            labels: [("reason", reason.name)]
        ).add()
    }

    func countDropped(_ kind: FrameKind) {
        metrics.counter(
            "offpeak_network_frames_dropped_total",
            "Frames that found no room in a peer's queue, by kind.", labels: [("kind", kind.name)]
        ).add()
    }
}
