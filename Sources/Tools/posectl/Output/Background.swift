import Dispatch

/// Work that blocks, away from the threads that everybody shares.
enum Background {
    private static let queue = DispatchQueue(label: "posectl.work", attributes: .concurrent)

    /// Carries out `work` elsewhere. Throws what it throws.
    static func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}
