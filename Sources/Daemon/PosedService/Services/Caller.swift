package import PosedAccounts

/// Who asks, since when, and until when.
package struct Caller: Sendable {
    /// The identity that sessions belong to.
    package var owner: String
    /// Whether the caller may see what others do.
    package var isAdministrator = false
    /// Whom the request's work is charged to.
    package var account: Account
    /// When the caller gives up.
    package var deadline: ContinuousClock.Instant?
    /// When the request came.
    package var arrival: ContinuousClock.Instant

    /// A caller as given; without an account, on one without bounds.
    package init(
        owner: String, account: Account? = nil, deadline: ContinuousClock.Instant? = nil,
        arrival: ContinuousClock.Instant = .now
    ) {
        self.owner = owner
        self.account = account ?? Accounts().account(of: .identity(owner))
        self.deadline = deadline
        self.arrival = arrival
    }
}
