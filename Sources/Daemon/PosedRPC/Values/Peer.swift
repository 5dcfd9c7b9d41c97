package import PosedAccounts

/// The other end of a connection, as far as the transport vouches for it.
package struct Peer: Sendable, Hashable, CustomStringConvertible {
    /// How it is connected.
    package enum Address: Sendable, Hashable {
        /// A Unix socket, with the credentials that the kernel noted when it connected.
        case unix(user: UInt32, group: UInt32, process: Int32)
        /// Over IP, "192.0.2.1:40000" or "[2001:db8::1]:40000".
        case tcp(String)
        /// Some other way, in the library's words.
        case other(String)
    }

    /// The names in a certificate that was verified against the client authority.
    package struct Certificate: Sendable, Hashable {
        /// The subject in one line, "CN=studio,O=Example".
        package var subject: String
        package var commonName: String?
        /// All subject alternative names: DNS names, addresses, URIs.
        package var alternativeNames: [String]

        package init(subject: String, commonName: String?, alternativeNames: [String]) {
            self.subject = subject
            self.commonName = commonName
            self.alternativeNames = alternativeNames
        }
    }

    package var address: Address
    /// Present when the client showed a certificate and it was verified.
    package var certificate: Certificate?

    package init(address: Address, certificate: Certificate? = nil) {
        self.address = address
        self.certificate = certificate
    }

    /// The IP address of its host; nil where it is not connected over IP.
    package var host: String? {
        guard case .tcp(let text) = address, let colon = text.lastIndex(of: ":") else { return nil }
        let host = text[..<colon]
        return host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
    }

    /// Whose account its connection is charged to.
    package var caller: Caller {
        switch address {
        case .unix(let user, _, _): .user(user)
        case .tcp(let address): Caller(address: address)
        case .other(let text): .host(text)
        }
    }

    package var description: String {
        switch address {
        case .unix(let user, _, let process): "unix:uid=\(user),pid=\(process)"
        case .tcp(let address): address
        case .other(let text): text
        }
    }
}
