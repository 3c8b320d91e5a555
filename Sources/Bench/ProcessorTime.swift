internal import Glibc

/// What a thread has had of a processor.
package enum ProcessorTime {
    /// Of the calling thread since its start.
    package static var nanoseconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}
