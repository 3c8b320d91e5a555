internal import Mempool
internal import Primitives

/// A node's figures for Prometheus, read when they are asked for.
enum NodeMetrics {
    static func register(_ node: RunningNode, in metrics: Metrics) {
        registerChain(node, metrics)
        registerMempool(node, metrics)
        registerProcess(node, metrics)
        ShareMetrics.register(metrics) { node.shareStatus }
        ProcessResources.register(in: metrics)
    }

    private static func registerChain(_ node: RunningNode, _ metrics: Metrics) {
        metrics.gauge("offpeak_finalized_height", "Height of the newest finalized block.") {
            Double(node.status.finalizedHeight.rawValue)
        }
        metrics.gauge("offpeak_applied_height", "Height of the newest executed block.") {
            Double(node.status.appliedHeight.rawValue)
        }
        metrics.gauge("offpeak_view", "View that consensus is in.") {
            Double(node.status.view.rawValue)
        }
        metrics.gauge(
            "offpeak_key_silent", "1 while this validator's key must not sign, after a loss."
        ) { node.status.recovery == .none ? 0 : 1 }
        metrics.counter(
            "offpeak_transactions_executed_total", "Transactions that took their sequence."
        ) { Double(node.status.transactionsExecuted) }
        metrics.counter(
            "offpeak_transactions_skipped_total", "Transactions in blocks that had no effect."
        ) { Double(node.status.transactionsSkipped) }
        metrics.counter(
            "offpeak_signatures_checked_total", "Users' signatures that this node has checked."
        ) { Double(node.status.signatures.total) }
        for (purpose, count) in SignatureTally.purposes {
            metrics.counter(
                "offpeak_signatures_checked_by_purpose_total",
                "Users' signatures that this node has checked, by what for.",
                labels: [("purpose", purpose)]
            ) { Double(count(node.status.signatures)) }
        }
        metrics.gauge(
            "offpeak_connected_weight", "Weight of this validator and those it has links with."
        ) { Double(node.connectedWeight) }
    }

    private static func registerMempool(_ node: RunningNode, _ metrics: Metrics) {
        metrics.gauge(
            "offpeak_mempool_following", "Clients' transactions whose fate is open here."
        ) { Double(node.status.mempool.following) }
        metrics.gauge(
            "offpeak_mempool_pooled", "Transactions that this node admitted as an owner."
        ) { Double(node.status.mempool.pooled) }
        metrics.gauge(
            "offpeak_mempool_certificates", "Certified batches that no block has included."
        ) { Double(node.status.mempool.certificates) }
        metrics.gauge("offpeak_core_queue_events", "Events that wait for the core.") {
            Double(node.queuedEvents)
        }
        metrics.gauge("offpeak_requests_open", "Clients that wait for an answer.") {
            Double(node.openRequests)
        }
        metrics.counter("offpeak_verifier_jobs_total", "Checking jobs done by the pool.") {
            Double(node.verifierCounters.jobsDone)
        }
        metrics.gauge("offpeak_verifier_jobs_waiting", "Checking jobs that wait.") {
            Double(node.verifierCounters.jobsWaiting)
        }
    }

    private static func registerProcess(_ node: RunningNode, _ metrics: Metrics) {
        metrics.gauge("offpeak_store_bytes", "Bytes of the store's files.") {
            Double(node.storeBytes)
        }
        metrics.gauge("offpeak_uptime_seconds", "Seconds since the node started.") {
            Double(node.uptimeMilliseconds) / 1000
        }
    }
}
