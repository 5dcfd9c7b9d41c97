package import Logging

/// The identifier of the request that the current task works for.
///
/// Whoever serves a request binds it once; every line that is logged below, in any room, then carries it.
package enum RequestID {
    /// The key of the identifier among a line's metadata.
    package static let key = "request-id"

    /// The identifier; nil outside a request.
    @TaskLocal package static var current: String?

    /// Adds the identifier to every line of a task that has one.
    package static let metadata = Logger.MetadataProvider {
        current.map { [key: .string($0)] } ?? [:]
    }
}
