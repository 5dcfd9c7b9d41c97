import Foundation
import PosedRPC
import Testing

@Suite("Identity and tokens", .timeLimit(.minutes(10)))
struct AuthenticationTests {
    private let folder: TemporaryFolder
    private var path: String { folder["tokens"] }

    init() throws {
        folder = try TemporaryFolder()
    }

    private func write(_ text: String, mode: Int = 0o600) throws {
        let next = folder["tokens.next"]
        try text.write(toFile: next, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: next)
        guard rename(next, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// Puts the new contents of the file to use, which there must be.
    private func apply(_ file: TokenFile) throws {
        let apply = try #require(try file.prepare(always: false))
        apply()
    }

    private static let good = "aaaaaaaaaaaaaaaaaaaaaaaa"
    private static let other = "bbbbbbbbbbbbbbbbbbbbbbbb"

    /// The identity that a server with `authentication` gives a call with the metadata.
    private func identity(
        _ authentication: Authentication, _ metadata: Metadata = Metadata()
    ) async throws -> Result<String, RPCError> {
        var result: Result<String, RPCError>?
        try await Harness.run(Settings(server: { $0.admit = authentication.admit })) {
            try $0.unary(Methods.text) { _, context in context.identity.description }
        } test: { harness in
            do {
                let options = CallOptions(metadata: metadata)
                let text = try await harness.channel.unary(Methods.text, "", options: options)
                result = .success(text)
            } catch let error as RPCError {
                result = .failure(error)
            }
        }
        return try #require(result)
    }

    private func expectRefusal(
        _ authentication: Authentication, _ metadata: Metadata = Metadata()
    ) async throws {
        let result = try await identity(authentication, metadata)
        #expect(code(result) == .unauthenticated)
    }

    private func code(_ result: Result<String, RPCError>) -> StatusCode? {
        guard case .failure(let error) = result else { return nil }
        return error.code
    }

    @Test("a token tells its holder's name, a wrong one is refused whoever shows it")
    func tokens() async throws {
        try write("# people\n\nstudio \(Self.good)\n")
        var authentication = Authentication()
        authentication.tokens = try TokenFile(path)
        let right = try await identity(authentication, .init(token: Self.good))
        #expect(try right.get() == "token:studio")
        for wrong in [Self.other, Self.good + "a", String(Self.good.dropLast()), "", "é"] {
            guard let metadata = try? Metadata(token: wrong) else { continue }
            let result = try await identity(authentication, metadata)
            #expect(code(result) == .unauthenticated, "\(wrong)")
        }
        var basic = Metadata()
        try basic.add("authorization", "Basic \(Self.good)")
        try await expectRefusal(authentication, basic)
        var twice = try Metadata(token: Self.good)
        twice.append(contentsOf: try Metadata(token: Self.good))
        try await expectRefusal(authentication, twice)
    }

    @Test("a running server takes up new tokens by itself")
    func reloadWhileRunning() async throws {
        try write("studio \(Self.good)\n")
        let tokens = try TokenFile(path)
        var authentication = Authentication()
        authentication.tokens = tokens
        let settings = Settings(
            server: { [authentication] configuration in
                configuration.admit = authentication.admit
                configuration.reloadable = [tokens]
                configuration.fileCheckInterval = .milliseconds(10)
            })
        try await Harness.run(settings) {
            try $0.unary(Methods.text) { _, context in context.identity.description }
        } test: { harness in
            let options = CallOptions(metadata: try .init(token: Self.other))
            let early = await status {
                try await harness.channel.unary(Methods.text, "", options: options)
            }
            #expect(early?.code == .unauthenticated)
            try write("other \(Self.other)\n")
            await harness.events.first { if case .filesReloaded = $0 { true } else { false } }
            let answer = try await harness.channel.unary(Methods.text, "", options: options)
            #expect(answer == "token:other")
            try write("broken\n")
            await harness.events.first { if case .filesRefused = $0 { true } else { false } }
            let still = try await harness.channel.unary(Methods.text, "", options: options)
            #expect(still == "token:other")
        }
    }

    @Test("without a token the user of a Unix socket is the identity, unless not trusted")
    func unix() async throws {
        var authentication = Authentication()
        let trusted = try await identity(authentication)
        #expect(try trusted.get() == "unix:\(getuid())")
        authentication.trustsUnixPeers = false
        try await expectRefusal(authentication)
        authentication.openMethods = [Methods.text.path]
        let open = try await identity(authentication)
        #expect(try open.get() == "anonymous")
        authentication.openMethods = []
        authentication.allowsAnonymous = true
        let anonymous = try await identity(authentication)
        #expect(try anonymous.get() == "anonymous")
        // A token means something only where tokens are known.
        let token = try await identity(authentication, .init(token: Self.good))
        #expect(code(token) == .unauthenticated)
    }

    @Test("a verified certificate is an identity")
    func certificate() throws {
        func request(_ certificate: Peer.Certificate) -> ServerRequest {
            ServerRequest(
                id: "1", method: "/a/b", authority: "", metadata: Metadata(),
                peer: Peer(address: .tcp("192.0.2.1:1"), certificate: certificate), deadline: nil,
                arrival: .now)
        }
        let authentication = Authentication()
        let named = Peer.Certificate(
            subject: "CN=a", commonName: "a", alternativeNames: ["a.test"])
        #expect(try authentication.identify(request(named)) == .certificate("a"))
        let alternative = Peer.Certificate(
            subject: "O=x", commonName: nil, alternativeNames: ["a.test"])
        #expect(try authentication.identify(request(alternative)) == .certificate("a.test"))
        let subject = Peer.Certificate(subject: "O=x", commonName: nil, alternativeNames: [])
        #expect(try authentication.identify(request(subject)).description == "mtls:O=x")
    }

    @Test("a changed file is taken up, a bad one is not")
    func reload() throws {
        try write("studio \(Self.good)\n")
        let file = try TokenFile(path)
        #expect(file.holder(of: Self.good.utf8) == "studio")
        #expect(try file.prepare(always: false) == nil)
        try write("studio \(Self.other)\nstudio \(Self.good)\n")
        try apply(file)
        #expect(file.holder(of: Self.other.utf8) == "studio")
        try write("studio short\n")
        #expect(throws: RPCError.self) { try file.prepare(always: false) }
        #expect(file.holder(of: Self.good.utf8) == "studio")
        try write("new \(Self.good)\n")
        try apply(file)
        #expect(file.holder(of: Self.good.utf8) == "new")
        #expect(file.holder(of: Self.other.utf8) == nil)
        #expect(file.holder(of: "".utf8) == nil)
    }

    @Test(
        "files of tokens that are no good are refused, and the message keeps the secret",
        arguments: [
            "studio", "studio \(good) more", "stu/dio \(good)", "studio short",
            "a \(good)\nb \(good)", "studio " + String(repeating: "x", count: 4097),
        ])
    func badFiles(text: String) throws {
        try write(text)
        let error = #expect(throws: RPCError.self) { try TokenFile(path) }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message.contains(path) == true)
        #expect(error?.message.contains(Self.good) == false)
    }

    @Test("a file of tokens that everyone may read, or that is none, is refused")
    func unsafeFiles() throws {
        try write("studio \(Self.good)\n", mode: 0o644)
        #expect(throws: RPCError.self) { try TokenFile(path) }
        #expect(throws: RPCError.self) { try TokenFile(folder.path) }
        #expect(throws: RPCError.self) { try TokenFile(folder["missing"]) }
        try write("studio \0\(Self.good)\n")
        #expect(throws: RPCError.self) { try TokenFile(path) }
    }
}

extension Metadata {
    fileprivate init(token: String) throws(RPCError) {
        self = try Authentication.metadata(token: token)
    }
}
