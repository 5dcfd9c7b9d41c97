import Dispatch

/// A thread of its own for what takes the host's time and waits for nothing: hashing pictures.
enum HostWork {
    private static let queue = DispatchQueue(label: "posed.host")

    /// Computes there.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }

    /// Does something there, for which nobody waits.
    static func begin(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }
}
