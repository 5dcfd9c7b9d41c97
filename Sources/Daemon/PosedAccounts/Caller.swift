internal import Glibc

/// Who is charged for the work that the daemon accepts.
///
/// A connection is charged to the peer at its other end. A call is charged to the identity of its caller, or
/// to the peer for the methods that are open to everybody.
package enum Caller: Hashable, Sendable, CustomStringConvertible {
    /// A user of this machine, by the number that the kernel notes for a Unix socket.
    case user(UInt32)
    /// A host, by the network prefix that stands for one: an IPv4 address, or the first 64 bits of an IPv6
    /// address, since a host is usually given that many.
    case host(String)
    /// An identity that was authenticated, such as `token:studio`, and `anonymous` for all others together.
    case identity(String)

    /// The host of an address of a socket, `192.0.2.1:40000` or `[2001:db8::1]:40000`; its port is ignored.
    /// A text that is no address stands for itself.
    package init(address text: String) {
        var host = text[...]
        if host.first == "[", let end = host.firstIndex(of: "]") {
            host = host[host.index(after: host.startIndex)..<end]
        } else if let colon = host.lastIndex(of: ":"), host.firstIndex(of: ":") == colon {
            host = host[..<colon]
        }
        let name = host.prefix { $0 != "%" }
        self = .host(Self.prefix(of: String(name)) ?? String(name))
    }

    /// The network prefix of an IPv6 address as text; nil for a text that is none.
    private static func prefix(of text: String) -> String? {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: &address) { bytes in
            let mapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 255 && bytes[11] == 255
            if mapped { return bytes[12...].map { String($0) }.joined(separator: ".") }
            let groups = stride(from: 0, to: 8, by: 2).map { index in
                String(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]), radix: 16)
            }
            return groups.joined(separator: ":") + "::/64"
        }
    }

    /// `unix:1000`, `192.0.2.1`, `2001:db8:0:0::/64`, or the identity.
    package var description: String {
        switch self {
        case .user(let number): "unix:\(number)"
        case .host(let text): text
        case .identity(let text): text
        }
    }

    /// The caller as the subject of a violated quota: `peer:192.0.2.1`, `identity:token:studio`.
    package var subject: String {
        if case .identity = self { "identity:\(self)" } else { "peer:\(self)" }
    }
}
