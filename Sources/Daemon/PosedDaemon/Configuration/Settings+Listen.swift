extension Settings {
    private static func allow(_ key: String, _ initial: [String]) -> Setting<[IdentityPattern]> {
        Setting(
            key,
            .list(
                of: .identity,
                "a list of identities: unix:UID, mtls:NAME, token:NAME, anonymous, KIND:* or *"),
            initial: initial.compactMap(IdentityPattern.init(parsing:)), .reload,
            "Who may call here; everyone else is told UNAUTHENTICATED or PERMISSION_DENIED.")
    }

    /// The sockets, their certificates, and who may call on them.
    package enum Listen {
        package static let unixPath = Setting(
            "listen.unix.path", .optional(.path("a socket")), initial: "/run/posed/posed.sock",
            .restart,
            "The Unix socket; none for no such socket. A socket from systemd takes its place.")
        package static let unixMode = Setting(
            "listen.unix.mode", .mode, initial: 0o660, .restart, "The Unix socket's permissions.")
        package static let unixAllow = Settings.allow("listen.unix.allow", ["unix:*"])
        package static let tcpAddresses = Setting(
            "listen.tcp.addresses",
            .list(of: .address, "a list of addresses such as 127.0.0.1:7443 or [::]:7443"),
            initial: [], .restart,
            "Addresses to listen on. Port 0 lets the system choose; the log says what it chose.")
        package static let tcpInsecure = Setting(
            "listen.tcp.insecure", .flag, initial: false, .restart,
            "Whether other machines may connect without TLS: everyone on the way can read and change "
                + "what is sent, tokens included.")
        package static let proxies = Setting(
            "listen.tcp.proxies",
            .list(of: .host, "a list of IP addresses such as 192.0.2.7 or 2001:db8::7"),
            initial: [], .restart,
            "Addresses of proxies: their connections must begin with a header of the PROXY protocol, version 2, "
                + "and count as those of the client that it names.")
        package static let tcpAllow = Settings.allow("listen.tcp.allow", ["mtls:*", "token:*"])
        package static let certificate = Setting(
            "listen.tcp.tls.certificate", .optional(.path("a PEM file")), initial: nil, .restart,
            "The certificate of the daemon and those between it and its authority. Read again when "
                + "the file changes.")
        package static let key = Setting(
            "listen.tcp.tls.key", .optional(.path("a PEM file")), initial: nil, .restart,
            "The private key of the certificate. Read again when the file changes.")
        package static let clientCA = Setting(
            "listen.tcp.tls.clientCA", .optional(.path("a PEM file")), initial: nil, .restart,
            "The authorities whose client certificates are believed. Read again when the file changes."
        )
        package static let requireClientCertificate = Setting(
            "listen.tcp.tls.requireClientCertificate", .flag, initial: false, .restart,
            "Whether a client without a certificate is refused before it can say anything.")

        static let all: [any AnySetting] = [
            unixPath, unixMode, unixAllow, tcpAddresses, tcpInsecure, proxies, tcpAllow,
            certificate, key,
            clientCA, requireClientCertificate,
        ]
    }

    /// Limits of connections and messages.
    package enum RPC {
        package static let maxReceiveBytes = Setting(
            "rpc.maxReceiveBytes", .bytes(4096...(1 << 30)), initial: 16 << 20, .restart,
            "The largest message that the daemon takes.")
        package static let maxSendBytes = Setting(
            "rpc.maxSendBytes", .bytes(4096...(1 << 30)), initial: 64 << 20, .restart,
            "The largest message that the daemon sends.")
        package static let maxConcurrentStreams = Setting(
            "rpc.maxConcurrentStreams", .integer(1...100_000), initial: 128, .restart,
            "Calls at once on one connection.")
        package static let keepaliveTime = Setting(
            "rpc.keepaliveTime", .duration(.seconds(10)...(.seconds(86_400))),
            initial: .seconds(60), .restart,
            "How long a connection may be quiet before the daemon asks whether anyone is there.")
        package static let keepaliveTimeout = Setting(
            "rpc.keepaliveTimeout", .duration(.seconds(1)...(.seconds(600))),
            initial: .seconds(20), .restart,
            "How long the daemon waits for that answer before it closes the connection.")

        static let all: [any AnySetting] = [
            maxReceiveBytes, maxSendBytes, maxConcurrentStreams, keepaliveTime, keepaliveTimeout,
        ]
    }

    /// Bearer tokens.
    package enum Authentication {
        package static let tokensFile = Setting(
            "authentication.tokensFile", .optional(.path("a file")), initial: nil, .reload,
            "Bearer tokens, a line NAME TOKEN each. Read again when the file changes.")

        package static let administrators = Setting(
            "authentication.administrators",
            .list(
                of: .identity, "a list of identities: unix:UID, mtls:NAME, token:NAME, KIND:* or *"),
            initial: ["unix:0"].compactMap(IdentityPattern.init(parsing:)), .reload,
            "Who is told of all callers by GetStatistics and of all backends by ListBackends, besides the "
                + "daemon's own user; others are told of themselves.")

        static let all: [any AnySetting] = [tokensFile, administrators]
    }
}
