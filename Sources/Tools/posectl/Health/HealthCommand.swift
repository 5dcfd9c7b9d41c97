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
            The exit status is 0 if it does and 1 if it does not, so scripts need not read. With \
            --wait the daemon need not be there yet.

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

    @Flag(help: "Wait until it is there and serves, --timeout at most.")
    var wait = false

    @Flag(help: "Print JSON, an object on a line of its own for each status.")
    var json = false

    private typealias Status = Grpc_Health_V1_HealthCheckResponse.ServingStatus

    /// What a script reads.
    private struct Report: Encodable {
        var service: String
        var status: String
    }

    func run() async throws {
        var request = Grpc_Health_V1_HealthCheckRequest()
        request.service = service
        if wait { return try await waitUntilServing(request) }
        let client = try await Client(connection)
        guard watch else {
            let status = try await client.call(HealthMethods.check, request).status
            try show(status)
            if status != .serving { throw ExitCode(1) }
            return
        }
        do {
            let call = try await client.channel.serverStreaming(HealthMethods.watch, request)
            while let status = try await call.next()?.status { try show(status) }
        } catch let error as RPCError {
            throw client.explained(error)
        }
    }

    /// Shows every status until it is SERVING. A daemon that is not there yet, or goes, is waited for.
    private func waitUntilServing(_ request: Grpc_Health_V1_HealthCheckRequest) async throws {
        let end = ContinuousClock.now + connection.timeout
        while true {
            let client = try await Client(connection, waitingUntil: end)
            let left = max(end - ContinuousClock.now, .milliseconds(1))
            do {
                let call = try await client.channel.serverStreaming(
                    HealthMethods.watch, request, options: CallOptions(timeout: left))
                while let status = try await call.next()?.status {
                    try show(status)
                    if status == .serving { return }
                }
            } catch let error as RPCError {
                let isLast = error.code != .unavailable || ContinuousClock.now >= end
                if isLast { throw client.explained(error) }
            }
            guard ContinuousClock.now < end else {
                throw PosectlError(.refused, "the daemon did not serve in time")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func show(_ status: Status) throws {
        let name = Self.name(status)
        if json { try JSON.show(Report(service: service, status: name)) } else { print(name) }
        // Whoever reads from a pipe is to know it now.
        fflush(nil)
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
