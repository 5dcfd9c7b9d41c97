import Foundation
import Synchronization

/// A few threads that read and write pictures, so that nobody else waits for zlib.
///
/// Work that was asked for first begins first. Work whose caller is cancelled before it begins is left
/// undone.
package final class PictureWorkers: Sendable {
    private let queue: OperationQueue

    /// Workers of that many threads.
    package init(threads: Int) {
        queue = OperationQueue()
        queue.name = "posed.pictures"
        queue.maxConcurrentOperationCount = max(1, threads)
        queue.qualityOfService = .userInitiated
    }

    /// Carries out `work` on one of the threads.
    ///
    /// - Throws: What `work` throws, and `CancellationError` when the caller was cancelled before it began.
    package func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let cancelled = Flag()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queue.addOperation {
                    continuation.resume(
                        with: Result {
                            if cancelled.isRaised { throw CancellationError() }
                            return try work()
                        })
                }
            }
        } onCancel: {
            cancelled.raise()
        }
    }

    /// Something that happens once.
    private final class Flag: Sendable {
        private let value = Atomic(false)

        var isRaised: Bool { value.load(ordering: .relaxed) }

        func raise() { value.store(true, ordering: .relaxed) }
    }
}
