extension Settings {
    /// The API and the studio over HTTP.
    package enum HTTP {
        package static let address = Setting(
            "http.api.address", .optional(.address), initial: nil, .restart,
            "Where the API and the studio are served over HTTP; none for nowhere. Other machines reach it over TLS "
                + "with listen.tcp.tls.certificate, or where listen.tcp.insecure allows it without."
        )
        package static let allow = Setting(
            "http.api.allow",
            .list(
                of: .identity,
                "a list of identities: unix:UID, mtls:NAME, token:NAME, anonymous, KIND:* or *"),
            initial: ["unix:*", "mtls:*", "token:*"].compactMap(IdentityPattern.init(parsing:)),
            .reload,
            "Who may call over HTTP. A browser is whoever ran posectl studio; everyone without an identity is "
                + "anonymous.")
        package static let hosts = Setting(
            "http.api.hosts", .list(of: .text("a host name"), "a list of host names"), initial: [],
            .restart,
            "Further names under which browsers reach the API, as in posed.example.org:8443.")
        package static let idleTimeout = Setting(
            "http.api.idleTimeout", .duration(.seconds(1)...(.seconds(3600))),
            initial: .seconds(60), .restart,
            "How long a connection may be quiet, take for its first request, or leave an answer unread."
        )
        package static let samples = Setting(
            "http.api.samples", .optional(.path("a folder")), initial: nil, .restart,
            "The folder of the people and motions that the studio offers; none for samples in the model's folder."
        )

        static let all: [any AnySetting] = [address, allow, hosts, idleTimeout, samples]
    }
}
