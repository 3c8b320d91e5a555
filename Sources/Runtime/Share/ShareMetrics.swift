internal import Primitives

/// The figures of what is lent, for Prometheus.
enum ShareMetrics {
    /// - Parameter status: reads them when they are asked for.
    static func register(_ metrics: Metrics, _ status: @escaping @Sendable () -> ShareStatus) {
        registerDecision(metrics, status)
        registerWork(metrics, status)
        registerAdvert(metrics, status)
    }

    private static func registerDecision(
        _ metrics: Metrics, _ status: @escaping @Sendable () -> ShareStatus
    ) {
        for reason in ShareDecision.Reason.allCases {
            metrics.gauge(
                "offpeak_share_reason", "1 for the reason why the machine is lent or not.",
                labels: [("reason", reason.rawValue)]
            ) { status().decision.reason == reason ? 1 : 0 }
        }
        metrics.gauge("offpeak_share_lending", "1 while the machine is lent, else 0.") {
            status().decision.isLending ? 1 : 0
        }
        metrics.gauge("offpeak_share_cores", "Cores that are lent now.") {
            Double(status().decision.cores)
        }
        metrics.gauge("offpeak_share_duty_ratio", "Part of these cores' time that is lent.") {
            Double(status().decision.dutyPermille) / 1000
        }
        metrics.gauge("offpeak_share_load_ratio", "Part of all cores that others use.") {
            Double(status().loadPermille ?? 0) / 1000
        }
        metrics.gauge(
            "offpeak_share_pressure_ratio",
            "Part of the time in which others wait for processor, memory or disk."
        ) { Double(status().pressurePermille ?? 0) / 1000 }
    }

    private static func registerWork(
        _ metrics: Metrics, _ status: @escaping @Sendable () -> ShareStatus
    ) {
        metrics.counter(
            "offpeak_share_stepbacks_total", "Times that a lent machine was wanted by its owner."
        ) { Double(status().stepBacks) }
        metrics.gauge(
            "offpeak_share_last_stepback_seconds",
            "Time from the last step back until all lent work was done or handed back."
        ) { Double(status().jobs.lastStepBackNanoseconds) / 1e9 }
        metrics.counter("offpeak_share_jobs_total", "Lent jobs done.") {
            Double(status().jobs.jobsDone)
        }
        metrics.counter("offpeak_share_jobs_declined_total", "Lent jobs handed back.") {
            Double(status().jobs.jobsDeclined)
        }
        metrics.gauge("offpeak_share_jobs_waiting", "Lent jobs that wait.") {
            Double(status().jobs.jobsWaiting)
        }
        metrics.gauge("offpeak_share_threads_busy", "Lent threads with a job.") {
            Double(status().jobs.threadsBusy)
        }
        metrics.counter("offpeak_share_cpu_seconds_total", "Time on the cores of lent jobs.") {
            Double(status().jobs.processorNanoseconds) / 1e9
        }
    }

    private static func registerAdvert(
        _ metrics: Metrics, _ status: @escaping @Sendable () -> ShareStatus
    ) {
        let figures: [(String, @Sendable (Capacity) -> UInt32)] = [
            ("all", { $0.signaturesPerSecond }), ("free", { $0.free }),
            ("forecast", { $0.forecast }),
        ]
        for (name, figure) in figures {
            metrics.gauge(
                "offpeak_share_signatures_per_second",
                "Signatures a second: what the machine can check, what is free, what is expected.",
                labels: [("figure", name)]
            ) { Double(figure(status().capacity)) }
        }
    }
}
