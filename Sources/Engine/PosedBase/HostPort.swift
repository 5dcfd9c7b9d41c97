internal import Glibc

/// A host and a port: `127.0.0.1:7443`, `[::1]:7443`, `localhost:0`.
package struct HostPort: Hashable, Sendable, CustomStringConvertible {
    /// A name, or an address without its brackets.
    package let host: String
    /// The port; where one is to listen, 0 lets the system choose.
    package let port: Int

    /// A host and a port.
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// The address in a text; nil where there is none.
    package init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port),
            text[text.index(after: colon)...].allSatisfy(\.isNumber)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard Self.isIPv6(String(host)) else { return nil }
        } else if host.contains(":") {
            return nil
        }
        let allowed = host.allSatisfy { character in
            character.isASCII
                && (character.isLetter || character.isNumber || ".-_:%".contains(character))
        }
        guard !host.isEmpty, allowed else { return nil }
        self.init(host: String(host), port: port)
    }

    /// With brackets around an address that has colons itself.
    package var description: String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        host.lowercased() == "localhost" || host == "::1"
            || (host.hasPrefix("127.") && Self.isIPv4(host))
    }

    private static func isIPv4(_ text: String) -> Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    private static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text.prefix { $0 != "%" }.description, &address) == 1
    }
}
