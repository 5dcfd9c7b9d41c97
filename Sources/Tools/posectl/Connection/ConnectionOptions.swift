import ArgumentParser
import Foundation
import PosedRPC

/// Where the daemon is, and who asks.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the daemon listens: unix:/path or host:port; else POSED_ADDRESS, else the "
                + "system's socket.", valueName: "address"),
        transform: ServerAddress.parsed)
    var address: ServerAddress?

    @Option(
        help: ArgumentHelp(
            "A file with a bearer token; else POSED_TOKEN_FILE.", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "Use TLS, and trust the authorities of this PEM file.", valueName: "file"),
        completion: .file(extensions: ["pem", "crt"]))
    var ca: String?

    @Flag(help: "Use TLS, and trust the system's authorities.")
    var tls = false

    @Option(
        help: ArgumentHelp("The client's certificate, for mutual TLS.", valueName: "file"),
        completion: .file(extensions: ["pem", "crt"]))
    var cert: String?

    @Option(
        help: ArgumentHelp("The key of the client's certificate.", valueName: "file"),
        completion: .file(extensions: ["pem", "key"]))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "The name to expect in the daemon's certificate instead of the host's.",
            valueName: "name"))
    var serverName: String?

    @Option(
        help: ArgumentHelp(
            "How long a request may take, such as 500ms or 2m.", valueName: "time"),
        transform: Duration.parsed)
    var timeout: Duration = .seconds(60)

    mutating func validate() throws {
        if (cert == nil) != (key == nil) {
            throw ValidationError("--cert and --key come together")
        }
        guard timeout > .zero else { throw ValidationError("--timeout: expected more than 0") }
    }

    /// The file with the token, given or inherited; nil if there is none.
    var effectiveTokenFile: String? {
        tokenFile ?? ProcessInfo.processInfo.environment["POSED_TOKEN_FILE"]
    }

    /// Whether connections are protected.
    private var usesTLS: Bool { tls || ca != nil || cert != nil || serverName != nil }

    /// Where the channel leads, and how. Throws `ValidationError`.
    func configuration() throws -> ChannelConfiguration {
        let address = try address ?? .inherited()
        var configuration = ChannelConfiguration(target: address.target)
        configuration.userAgent = "posectl"
        configuration.transport.maxReceiveBytes = 64 << 20
        configuration.transport.maxSendBytes = 64 << 20
        if usesTLS {
            guard address.isTCP else {
                throw ValidationError("a Unix socket has no TLS; leave out --tls, --ca and --cert")
            }
            let identity = cert.flatMap { cert in
                key.map { CertificateFiles(certificate: cert, key: $0) }
            }
            configuration.security = .tls(
                ChannelSecurity.TLS(roots: ca, identity: identity, expectedName: serverName))
        }
        if let file = effectiveTokenFile {
            guard usesTLS || !address.isRemote else {
                throw ValidationError(
                    """
                    a token over TCP without TLS can be read by anybody on the way to \(address); \
                    use --tls or --ca, or leave out the token (--token-file, POSED_TOKEN_FILE)
                    """)
            }
            let token = try Self.token(file)
            var metadata = Metadata()
            try metadata.add("authorization", "Bearer \(token)")
            configuration.metadata = { [metadata] in metadata }
        }
        return configuration
    }

    /// The token of a file, without the spaces around it.
    private static func token(_ file: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw PosectlError(.file, "\(file): the file with the token cannot be read")
        }
        let token = String(decoding: data.prefix(1 << 16), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw PosectlError(.file, "\(file): expected one token of printable ASCII")
        }
        return token
    }
}
