/// Where the engine room reports what it does, for whoever watches.
///
/// Called from the compute thread: implementations return at once and never block.
package protocol ServingMetrics: Sendable {
    /// A frame of an owner's came to its end. `outcome`: `completed`, `failed`, `cancelled`, `superseded`, `expired`.
    func frame(of owner: String, outcome: String, total: Duration, queue: Duration)
    /// A stage of a frame was carried out: `source`, `pose`, `solve`, `decode`.
    func stage(_ name: String, _ duration: Duration)
    /// The first frame of a session, or that of a request with its own pictures, was made.
    func firstFrame(_ total: Duration)
    /// A batch of velocity evaluations of that many rows was carried out.
    func batch(rows: Int, _ duration: Duration)
    /// A cache was asked: `source` or `pose`.
    func cache(_ name: String, hit: Bool)
}

/// Nobody watches.
package struct NoMetrics: ServingMetrics {
    /// Nobody.
    package init() {}
    package func frame(of owner: String, outcome: String, total: Duration, queue: Duration) {}
    package func stage(_ name: String, _ duration: Duration) {}
    package func firstFrame(_ total: Duration) {}
    package func batch(rows: Int, _ duration: Duration) {}
    package func cache(_ name: String, hit: Bool) {}
}
