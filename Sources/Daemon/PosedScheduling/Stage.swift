/// Work on a job that runs alone, unlike evaluations, which run together.
package enum Stage: String, Hashable, Sendable, CaseIterable {
    /// Encoding a source.
    case source
    /// Encoding a pose.
    case pose
    /// Bringing source and pose together and starting the solve.
    case begin
    /// Turning a finished solve into a picture.
    case decode
}

/// What a job needs next.
package enum Demand: Hashable, Sendable {
    /// A stage of its own.
    case stage(Stage)
    /// Its solve's next evaluation, in a batch with others'.
    case evaluation
}
