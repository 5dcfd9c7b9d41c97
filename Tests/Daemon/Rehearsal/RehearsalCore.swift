internal import Glibc
internal import PosedDaemon
internal import PosedGuarded
internal import PosedSystemd

/// A core without an engine, whose troubles are told by its environment. Tests run it as a process, under
/// the tools that a service manager brings.
///
/// `REHEARSAL_STALL=1` stops the compute loop after the start; `REHEARSAL_DRAIN=never` never drains.
/// Sockets that were inherited are accepted on: each caller is told the socket's name.
final class RehearsalCore: DaemonCore {
    private let rounds = Guarded<UInt64>(0)
    var pulse: UInt64 { rounds.withLock { $0 } }

    private let stalls: Bool
    private let drains: Bool
    private let state = Guarded(CoreStatistics())

    init(environment: [String: String]) {
        stalls = environment["REHEARSAL_STALL"] == "1"
        drains = environment["REHEARSAL_DRAIN"] != "never"
    }

    var statistics: CoreStatistics { state.withLock { $0 } }

    func start(_ configuration: DaemonConfiguration, _ context: CoreContext) async throws {
        context.progress("Rehearsing")
        state.withLock { state in
            state.model = "models/rehearsal"
            state.endpoints = context.activated.map { "inherited:\($0.name)" }
            if !drains { state.framesRunning = 1 }
        }
        startThread { [self] in
            while !stalls {
                rounds.withLock { $0 += 1 }
                usleep(10_000)
            }
        }
        for descriptor in context.activated {
            startThread { Self.serve(descriptor) }
        }
    }

    func untilEnded() async throws { try await Task.sleep(for: .seconds(86_400)) }
    func reload(_ configuration: DaemonConfiguration) async throws {}

    func drain() async -> Int {
        if !drains { try? await Task.sleep(for: .seconds(86_400)) }
        return 0
    }

    func abandon() {}
    func stop() async {}

    /// Tells every caller of a socket its name.
    private static func serve(_ descriptor: ListenDescriptor) {
        while true {
            let connection = accept(descriptor.number, nil, nil)
            guard connection >= 0 else { return }
            let answer = Array("rehearsal \(descriptor.name)\n".utf8)
            _ = answer.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            close(connection)
        }
    }
}

/// Runs a body on a thread of its own.
private func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Box(body)).toOpaque()
    pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        }, argument)
    pthread_detach(thread)
}
