internal import CPosedGRPC
internal import Glibc
internal import PosedBase

/// A thread of its own for work that blocks, which Swift's cooperative threads must never do.
package enum NativeThread {
    /// What the new thread takes over.
    private final class Start {
        let body: @Sendable () -> Void

        init(body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Runs `body` on a new, detached thread that shows as `name` (at most 15 bytes).
    ///
    /// - Throws: `RPCError` with `resourceExhausted` when the system has no thread to give.
    package static func run(_ name: String, _ body: @escaping @Sendable () -> Void) throws(RPCError)
    {
        let start = Unmanaged.passRetained(
            Start {
                posed_thread_set_name(name)
                body()
            })
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            throw RPCError(
                .resourceExhausted,
                "the thread \"\(name)\" could not be started: \(SystemError.text(result))")
        }
    }
}
