/// A certificate with its chain, and the private key that belongs to it: two PEM files.
package struct CertificateFiles: Sendable, Hashable {
    /// The certificate, followed by those that lead to a root.
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// How a channel protects its connections.
package enum ChannelSecurity: Sendable, Hashable {
    /// What a client of TLS needs.
    package struct TLS: Sendable, Hashable {
        /// PEM file of the authorities to trust; nil for those of Debian's `ca-certificates`.
        package var roots: String?
        /// Who the client is, for mutual TLS.
        package var identity: CertificateFiles?
        /// The name to expect in the server's certificate instead of the host's.
        package var expectedName: String?

        package init(
            roots: String? = nil, identity: CertificateFiles? = nil, expectedName: String? = nil
        ) {
            self.roots = roots
            self.identity = identity
            self.expectedName = expectedName
        }
    }

    /// Not at all: for Unix sockets and this machine.
    case insecure
    /// TLS; the files are read when the channel is made.
    case tls(TLS)

    var expectedName: String? {
        guard case .tls(let tls) = self else { return nil }
        return tls.expectedName
    }
}

/// How a server protects a TCP endpoint.
package enum ServerSecurity: Sendable, Hashable {
    /// What a server of TLS needs.
    package struct TLS: Sendable, Hashable {
        package var identity: CertificateFiles
        /// PEM file of the authorities that sign clients' certificates; nil does not ask for any.
        package var clientRoots: String?
        /// Whether clients without a certificate are turned away.
        package var requiresClientCertificate: Bool
        /// Whether HTTP/1.1 is spoken within TLS; HTTP/2 otherwise.
        package var speaksHTTP1 = false

        package init(
            identity: CertificateFiles, clientRoots: String? = nil,
            requiresClientCertificate: Bool = false
        ) {
            self.identity = identity
            self.clientRoots = clientRoots
            self.requiresClientCertificate = requiresClientCertificate
        }
    }

    case insecure
    /// TLS; the files are read again when they change.
    case tls(TLS)
}
