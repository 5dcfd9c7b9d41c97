import Foundation
import PosedRPC
import Testing

@Suite("Endpoints", .timeLimit(.minutes(10)))
struct EndpointTests {
    private func server(_ endpoints: Endpoint..., objectCounts: ObjectCounts) throws -> Server {
        var configuration = ServerConfiguration(endpoints: endpoints)
        configuration.objectCounts = objectCounts
        var router = Router()
        try router.unary(Methods.text) { _, context in context.request.peer.description }
        return Server(configuration: configuration, router: router)
    }

    /// Starts and stops the server; `body` runs in between.
    private func running(
        _ endpoints: Endpoint..., body: (Server, ObjectCounts) async throws -> Void
    ) async throws {
        let objectCounts = ObjectCounts()
        do {
            var configuration = ServerConfiguration(endpoints: endpoints)
            configuration.objectCounts = objectCounts
            var router = Router()
            try router.unary(Methods.text) { _, context in context.request.peer.description }
            let server = Server(configuration: configuration, router: router)
            try server.start()
            try await body(server, objectCounts)
            server.cancelAll()
            await server.stopped()
        }
        await objectCounts.settled()
    }

    private func ask(_ target: ChannelConfiguration.Target, _ objectCounts: ObjectCounts)
        async throws
        -> String
    {
        var configuration = ChannelConfiguration(target: target)
        configuration.objectCounts = objectCounts
        return try await Channel(configuration).unary(Methods.text, "")
    }

    @Test(
        "a Unix socket has the permissions that were asked for", arguments: [0o600, 0o660, 0o777])
    func mode(mode: UInt32) async throws {
        let folder = try TemporaryFolder()
        try await running(.unix(path: folder["s"], mode: mode)) { _, _ in
            let attributes = try FileManager.default.attributesOfItem(atPath: folder["s"])
            #expect(attributes[.posixPermissions] as? Int == Int(mode))
        }
        #expect(!FileManager.default.fileExists(atPath: folder["s"]))
    }

    @Test("a socket that nobody listens at is replaced, any other file is not")
    func stale() async throws {
        let folder = try TemporaryFolder()
        let abandoned = try ListeningPair.listen(folder["s"])
        close(abandoned)
        try await running(.unix(path: folder["s"], mode: 0o600)) { _, objectCounts in
            let answer = try await ask(.unix(path: folder["s"]), objectCounts)
            #expect(answer.hasPrefix("unix:uid="))
            let second = try server(
                .unix(path: folder["s"], mode: 0o600), objectCounts: objectCounts)
            let error = #expect(throws: RPCError.self) { try second.start() }
            #expect(error?.code == .alreadyExists)
        }
        try "precious".write(toFile: folder["s"], atomically: true, encoding: .utf8)
        let objectCounts = ObjectCounts()
        let third = try server(.unix(path: folder["s"], mode: 0o600), objectCounts: objectCounts)
        #expect(throws: RPCError.self) { try third.start() }
        let text = try String(contentsOfFile: folder["s"], encoding: .utf8)
        #expect(text == "precious")
    }

    @Test("a failed start leaves nothing behind")
    func failedStart() async throws {
        let folder = try TemporaryFolder()
        let objectCounts = ObjectCounts()
        let bad: [Endpoint] = [
            .unix(path: folder["missing/s"], mode: 0o600),
            .unix(path: String(repeating: "x", count: 200), mode: 0o600),
            .tcp(host: "127.0.0.1", port: 70_000, security: .insecure),
            .tcp(host: "192.0.2.77", port: 0, security: .insecure),
            .listener(descriptor: open("/dev/null", O_RDONLY)),
        ]
        for endpoint in bad {
            let server = try server(
                .unix(path: folder["s"], mode: 0o600),
                .tcp(host: "127.0.0.1", port: 0, security: .insecure), endpoint,
                objectCounts: objectCounts)
            #expect(throws: RPCError.self) { try server.start() }
            #expect(server.boundEndpoints.isEmpty)
            await server.stopped()
        }
        let none = Server(
            configuration: ServerConfiguration(endpoints: []), router: Router())
        #expect(throws: RPCError.self) { try none.start() }
        await objectCounts.settled()
        #expect(!FileManager.default.fileExists(atPath: folder["s"]))
    }

    @Test("TCP serves on a free port, and tells the peer's address")
    func tcp() async throws {
        let endpoint = Endpoint.tcp(host: "127.0.0.1", port: 0, security: .insecure)
        try await running(endpoint) { server, objectCounts in
            guard case .tcp(let host, let port) = server.boundEndpoints.first else {
                Issue.record("no port")
                return
            }
            let answer = try await ask(.tcp(host: host, port: port), objectCounts)
            #expect(answer.hasPrefix("127.0.0.1:"))
            let second = try self.server(
                .tcp(host: host, port: port, security: .insecure), objectCounts: objectCounts)
            let error = #expect(throws: RPCError.self) { try second.start() }
            #expect(error?.code == .alreadyExists)
        }
    }

    @Test("inherited listeners are served and closed, and their files stay")
    func inherited() async throws {
        let folder = try TemporaryFolder()
        let descriptor = try ListeningPair.listen(folder["s"])
        try await running(.listener(descriptor: descriptor)) { _, objectCounts in
            let answer = try await ask(.unix(path: folder["s"]), objectCounts)
            #expect(answer == "unix:uid=\(getuid()),pid=\(getpid())")
        }
        #expect(FileManager.default.fileExists(atPath: folder["s"]))
    }

    @Test("an inherited TCP listener tells addresses too")
    func inheritedTCP() async throws {
        let (descriptor, port) = try ListeningPair.listenTCP()
        try await running(.listener(descriptor: descriptor)) { _, objectCounts in
            let answer = try await ask(.tcp(host: "127.0.0.1", port: port), objectCounts)
            #expect(answer.hasPrefix("127.0.0.1:"))
        }
    }

    @Test("connections of several clients keep their own peers")
    func peers() async throws {
        let folder = try TemporaryFolder()
        try await running(.unix(path: folder["s"], mode: 0o600)) { _, objectCounts in
            for _ in 0..<30 {
                let answer = try await ask(.unix(path: folder["s"]), objectCounts)
                #expect(answer == "unix:uid=\(getuid()),pid=\(getpid())")
            }
        }
    }
}

/// Sockets that someone else has opened.
enum ListeningPair {
    static func listen(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try withUnsafePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let size = socklen_t(MemoryLayout<sockaddr_un>.size)
                guard bind(descriptor, $0, size) == 0, Foundation.listen(descriptor, 8) == 0
                else { throw POSIXError(.EADDRINUSE) }
            }
        }
        return descriptor
    }

    static func listenTCP() throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard bind(descriptor, $0, size) == 0, Foundation.listen(descriptor, 8) == 0,
                    getsockname(descriptor, $0, &size) == 0
                else { throw POSIXError(.EADDRINUSE) }
            }
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }
}
