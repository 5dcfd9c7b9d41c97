/// Who asks, since when, and until when.
package struct Caller: Sendable {
    /// The identity that sessions belong to.
    package var owner: String
    /// When the caller gives up.
    package var deadline: ContinuousClock.Instant?
    /// When the request came.
    package var arrival: ContinuousClock.Instant

    /// A caller as given.
    package init(
        owner: String, deadline: ContinuousClock.Instant? = nil,
        arrival: ContinuousClock.Instant = .now
    ) {
        self.owner = owner
        self.deadline = deadline
        self.arrival = arrival
    }
}
