internal import Glibc
internal import PosedBase

/// Where a channel leads, and how.
package struct ChannelConfiguration: Sendable {
    /// What to connect to.
    package enum Target: Sendable, Hashable {
        /// A Unix socket.
        case unix(path: String)
        /// A host, by name or address, and a port.
        case tcp(host: String, port: Int)
    }

    package var target: Target
    package var security = ChannelSecurity.insecure
    package var transport = TransportOptions()
    /// How the client calls itself, "posectl/1.0".
    package var userAgent: String?
    /// Metadata of every call, asked for at its beginning: a token, for example.
    package var metadata: @Sendable () throws -> Metadata = { Metadata() }
    /// Counts what is alive.
    package var objectCounts = ObjectCounts.shared

    package init(target: Target) {
        self.target = target
    }

    /// The target in the library's words.
    var address: String {
        switch target {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port):
            ChannelConfiguration.scheme(of: host)
                + HostPort(host: host, port: port).description
        }
    }

    /// Names are resolved; addresses need no resolver.
    private static func scheme(of host: String) -> String {
        var address = in6_addr()
        if inet_pton(AF_INET, host, &address) == 1 { return "ipv4:" }
        if inet_pton(AF_INET6, host, &address) == 1 { return "ipv6:" }
        return "dns:///"
    }
}

/// What holds for one call.
package struct CallOptions: Sendable {
    /// Metadata to send, behind the channel's own.
    package var metadata = Metadata()
    /// How long the call may take; nil waits forever.
    package var timeout: Duration?
    /// Wait for a connection instead of failing while there is none.
    package var waitForReady = false

    package init(
        metadata: Metadata = Metadata(), timeout: Duration? = nil, waitForReady: Bool = false
    ) {
        self.metadata = metadata
        self.timeout = timeout
        self.waitForReady = waitForReady
    }
}
