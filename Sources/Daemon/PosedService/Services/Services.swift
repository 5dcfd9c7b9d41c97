import PosedErrors
import PosedProtos
package import PosedRPC
package import PosedServing
import SwiftProtobuf

/// All that the daemon serves, bound to a router.
package final class Services: Sendable {
    /// How the services are; none serves until somebody says so.
    package let health: HealthRegistry

    /// Ends calls without an end of their own.
    package let drain = Drain()
    /// `posed.v1.SessionService`.
    package let sessions: SessionService
    /// `posed.v1.SynthesisService`.
    package let synthesis: SynthesisService
    /// `posed.v1.CatalogService`.
    package let catalog: CatalogService
    private let server: ServerService
    private let healthService: HealthService
    private let reflection: ReflectionService
    private let shapes: MessageShapes
    private let isAdministrator: @Sendable (Identity) -> Bool

    /// The full names of all services, which are also those that have a health.
    package static let names = [
        SessionMethods.service, SynthesisMethods.service, CatalogMethods.service,
        ServerMethods.service, HealthMethods.service, ReflectionMethods.service,
        ReflectionMethods.alphaService,
    ]

    /// The services, as `serving` does their work.
    ///
    /// - Parameters:
    ///   - serving: The engine room.
    ///   - facts: What the daemon says of itself.
    ///   - isAdministrator: Whether an identity may see what others do.
    ///   - workers: The threads that read and write pictures.
    /// - Throws: `RequestError` when the embedded descriptors cannot be read.
    package init(
        serving: any Serving, facts: ServerService.Facts,
        isAdministrator: @escaping @Sendable (Identity) -> Bool = { _ in false },
        workers: Workers = Workers(threads: 2)
    ) throws {
        let codec = PictureCodec(workers: workers)
        self.isAdministrator = isAdministrator
        health = HealthRegistry(services: Self.names)
        sessions = SessionService(serving: serving, codec: codec)
        synthesis = SynthesisService(serving: serving, codec: codec, drain: drain)
        catalog = CatalogService(serving: serving)
        server = ServerService(serving: serving, facts: facts)
        healthService = HealthService(registry: health)
        let pool = try DescriptorPool()
        reflection = ReflectionService(pool: pool, services: Self.names)
        shapes = try MessageShapes(pool)
    }

    /// Takes no more poses and ends all calls without an end of their own: poses that were taken are
    /// answered first, and whoever watches the health hears that nothing serves any more.
    package func beginDraining() {
        health.finish()
        drain.begin()
    }

    /// Registers all methods. Throws what the router throws.
    package func register(in router: inout Router) throws(RPCError) {
        try registerSessions(in: &router)
        try registerSynthesis(in: &router)
        try registerCatalog(in: &router)
        try registerHealth(in: &router)
        try registerReflection(in: &router)
    }

    private func registerSessions(in router: inout Router) throws(RPCError) {
        let service = sessions
        try bind(SessionMethods.create, in: &router) { try await service.create($0, $1) }
        try bind(SessionMethods.get, in: &router) { try await service.get($0, $1) }
        try bind(SessionMethods.list, in: &router) { try await service.list($0, $1) }
        try bind(SessionMethods.update, in: &router) { try await service.update($0, $1) }
        try bind(SessionMethods.delete, in: &router) { try await service.delete($0, $1) }
    }

    private func registerSynthesis(in router: inout Router) throws(RPCError) {
        let service = synthesis
        try bind(SynthesisMethods.synthesize, in: &router) { try await service.synthesize($0, $1) }
        try router.bidirectional(SynthesisMethods.stream.weighed(by: shapes)) {
            requests, writer, context in
            try await Self.told(context) {
                try await service.stream(
                    Caller(context), receive: { try await requests.received() },
                    send: { try await writer.write($0) })
            }
        }
    }

    private func registerCatalog(in router: inout Router) throws(RPCError) {
        let (catalog, server) = (catalog, server)
        try bind(CatalogMethods.listModels, in: &router) { _, _ in catalog.listModels() }
        try bind(CatalogMethods.getModel, in: &router) { request, _ in
            try catalog.getModel(request)
        }
        try bind(CatalogMethods.listBackends, in: &router) { catalog.listBackends($1) }
        try bind(CatalogMethods.listSolvers, in: &router) { _, _ in catalog.listSolvers() }
        try bind(ServerMethods.getInfo, in: &router) { _, caller in server.info(caller) }
        try bind(ServerMethods.getStatistics, in: &router) { server.statistics($1) }
        try router.unary(ServerMethods.createStudioTicket.weighed(by: shapes)) { _, context in
            try await Self.told(context) { try server.studioTicket(context.identity) }
        }
    }

    private func registerHealth(in router: inout Router) throws(RPCError) {
        let service = healthService
        try bind(HealthMethods.check, in: &router) { request, _ in try service.check(request) }
        try router.serverStreaming(HealthMethods.watch.weighed(by: shapes)) {
            request, writer, context in
            try await Self.told(context) {
                try await service.watch(request) { try await writer.write($0) }
            }
        }
    }

    private func registerReflection(in router: inout Router) throws(RPCError) {
        for method in [ReflectionMethods.info, ReflectionMethods.alphaInfo] {
            try router.bidirectional(method.weighed(by: shapes)) {
                [drain, reflection] requests, writer, context in
                try await Self.told(context) {
                    try await drain.interrupting {
                        while let request = try await requests.next() {
                            try await writer.write(try reflection.answer(request))
                        }
                    }
                }
            }
        }
    }

    private func bind<Request: Message, Response>(
        _ method: MethodDescriptor<Request, Response>, in router: inout Router,
        _ body: @escaping @Sendable (Request, Caller) async throws -> Response
    ) throws(RPCError) {
        try router.unary(method.weighed(by: shapes)) { [isAdministrator] request, context in
            try await Self.told(context) {
                var caller = Caller(context)
                caller.isAdministrator = isAdministrator(context.identity)
                return try await body(request, caller)
            }
        }
    }

    /// Runs a call; its errors become what the caller is told of them.
    private static func told<Value>(
        _ context: ServerContext, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch {
            // Why a call is over decides its status, not how the engine was interrupted.
            if context.isCancelled { throw CancellationError() }
            switch error {
            case is RPCError, is CancellationError: throw error
            default: throw RPCError(RequestError(error))
            }
        }
    }
}

extension Caller {
    /// The caller of a call.
    fileprivate init(_ context: ServerContext) {
        self.init(
            owner: context.identity.description, account: context.account,
            deadline: context.request.deadline,
            arrival: context.request.arrival)
    }
}
