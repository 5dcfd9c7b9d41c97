import ArgumentParser
import Foundation
import PosedProtos
import PosedRPC

/// `posectl health`.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Whether the daemon, or one of its services, takes requests.",
        discussion: """
            The exit status is 0 if it does and 1 if it does not, so scripts need not read.

            EXAMPLES
              posectl health
              posectl health posed.v1.SynthesisService
              posectl health --wait --timeout 2m
              posectl health --watch
            """)

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: "A service's full name; the daemon as a whole without one.")
    var service = ""

    @Flag(help: "Print the status again whenever it changes, until interrupted.")
    var watch = false

    @Flag(help: "Wait until it serves, --timeout at most.")
    var wait = false

    func run() async throws {
        let client = try await Client(connection)
        var request = Grpc_Health_V1_HealthCheckRequest()
        request.service = service
        guard watch || wait else {
            let status = try await client.call(HealthMethods.check, request).status
            print(Self.name(status))
            if status != .serving { throw ExitCode(1) }
            return
        }
        let options = watch ? CallOptions() : client.options
        do {
            let call = try await client.channel.serverStreaming(
                HealthMethods.watch, request, options: options)
            while let status = try await call.next()?.status {
                print(Self.name(status))
                if wait, status == .serving { return }
            }
        } catch let error as RPCError {
            throw PosectlError(error)
        }
    }

    /// A status as it is written.
    static func name(
        _ status: Grpc_Health_V1_HealthCheckResponse.ServingStatus
    ) -> String {
        switch status {
        case .serving: "SERVING"
        case .notServing: "NOT_SERVING"
        case .serviceUnknown: "SERVICE_UNKNOWN"
        case .unknown: "UNKNOWN"
        case .UNRECOGNIZED(let number): "\(number)"
        }
    }
}
