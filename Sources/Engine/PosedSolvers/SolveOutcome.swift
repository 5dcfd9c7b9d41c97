/// How a solve stands.
package enum SolveOutcome: String, Hashable, Sendable {
    /// Not finished.
    case running
    /// At t = 1, every step within its tolerance (or on its grid).
    case completed
    /// At t = 1, but the last of the budget was spent on a step longer than the tolerance allows.
    case budgetReached
    /// At t = 1, but at least one step of the least size missed the tolerance.
    case toleranceMissed
    /// Given up: the error is not finite even at the least step, or in the budget's last one.
    case diverged
}
