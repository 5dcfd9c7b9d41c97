internal import Glibc
internal import PosedBase
internal import PosedGuarded
internal import ServiceLifecycle

/// The daemon as one of the services of a process.
final class DaemonService: Service {
    private let daemon: Daemon
    private let pages: AsyncStream<Void>
    private let result = Guarded<DaemonExit?>(nil)

    /// A daemon that starts when its pages can be read, of which `pages` tells.
    init(daemon: Daemon, pages: AsyncStream<Void>) {
        self.daemon = daemon
        self.pages = pages
    }

    /// How the daemon ended; nil where it has not.
    var outcome: DaemonExit? { result.withLock { $0 } }

    func run() async throws {
        for await _ in pages { break }
        try Task.checkCancellation()
        let status = await withTaskCancellationHandler {
            await daemon.run()
        } onCancel: {
            daemon.receive(.terminate)
        }
        result.withLock { $0 = status }
    }
}

/// The status server, whose failure to listen names the setting that is to blame.
struct AddressedService: Service {
    let server: StatusServer
    let address: HostPort

    func run() async throws {
        do {
            try await server.run()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw DaemonError(
                .address,
                "http.address should be one to listen on; \(address) is not: \(Self.reason(error))",
                cause: error)
        }
    }

    /// Why the system refused, in its own words where the error has the system's number.
    private static func reason(_ error: any Error) -> String {
        let text = String(describing: error)
        guard let mark = text.firstRange(of: "errno: "),
            let number = Int32(text[mark.upperBound...].prefix(while: \.isNumber))
        else { return text }
        return SystemError.text(number)
    }
}
