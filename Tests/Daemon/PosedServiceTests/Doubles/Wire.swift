import PosedAccounts
import Foundation
import PosedProtos
import PosedRPC
import PosedServing
import PosedService
import Testing

/// All services behind a Unix socket, and a client of theirs.
struct Wire: Sendable {
    let serving: FakeServing
    let services: Services
    let server: Server
    let channel: Channel

    /// Runs `body` with a server that is gone when it returns, and has left nothing behind.
    static func withServer(
        answering: FakeFrameStream.Answering = .atOnce,
        _ body: (Wire) async throws -> Void
    ) async throws {
        let objectCounts = ObjectCounts()
        try await run(objectCounts, answering, body)
        await objectCounts.settled()
        #expect(objectCounts.snapshot().isEmpty, "\(objectCounts.snapshot())")
    }

    private static func run(
        _ objectCounts: ObjectCounts, _ answering: FakeFrameStream.Answering,
        _ body: (Wire) async throws -> Void
    ) async throws {
        let path = NSTemporaryDirectory() + "posed-\(UInt64.random(in: 0...UInt64.max)).sock"
        let serving = FakeServing(answering: answering)
        let services = try Services(
            serving: serving,
            facts: ServerService.Facts(
                version: "1.2.3", started: Date(timeIntervalSince1970: 1000),
                maxMessageBytes: 1 << 24), isAdministrator: { $0 == .token("root") })
        var router = Router()
        try services.register(in: &router)
        var configuration = ServerConfiguration(endpoints: [.unix(path: path, mode: 0o600)])
        configuration.objectCounts = objectCounts
        configuration.admit = { request in
            let identity = request.metadata["x-name"].map { Identity.token($0) } ?? .anonymous
            let account = serving.accounts.account(of: .init(identity))
            return Admission(identity: identity, account: account, call: account.note(.calls, 1))
        }
        let server = Server(configuration: configuration, router: router)
        try server.start()
        var client = ChannelConfiguration(target: .unix(path: path))
        client.objectCounts = objectCounts
        let channel = try Channel(client)
        do {
            // A machine with other things to do may take its time.
            guard await channel.ready(within: .seconds(100)) else {
                throw RPCError(.unavailable, "the server did not answer")
            }
            try await body(
                Wire(serving: serving, services: services, server: server, channel: channel))
        } catch {
            server.cancelAll()
            throw error
        }
        services.beginDraining()
        server.beginGracefulShutdown()
        await server.stopped()
        channel.close()
    }
}
