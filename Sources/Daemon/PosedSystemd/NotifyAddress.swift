internal import Glibc

/// Where notifications go: a datagram socket in the file system, or one in Linux's abstract name space.
package enum NotifyAddress: Hashable, Sendable {
    /// An absolute path.
    case path(String)
    /// A name without a file, written `@name`.
    case abstract(String)

    /// The address in `NOTIFY_SOCKET`; nil where nobody wants to be notified.
    ///
    /// - Throws: ``SystemdError`` for an address that is neither absolute nor abstract, or too long.
    package init?(environment: [String: String]) throws(SystemdError) {
        guard let text = environment["NOTIFY_SOCKET"], !text.isEmpty else { return nil }
        try self.init(parsing: text)
    }

    /// The address written as systemd writes it.
    ///
    /// - Throws: ``SystemdError`` for an address that is neither absolute nor abstract, or too long.
    package init(parsing text: String) throws(SystemdError) {
        switch text.utf8.first {
        case UInt8(ascii: "/"):
            self = .path(text)
        case UInt8(ascii: "@"):
            self = .abstract(String(text.dropFirst()))
        default:
            throw SystemdError(
                .unsupportedAddress,
                "NOTIFY_SOCKET should be an absolute path or an abstract name that begins with @; "
                    + "it is '\(text)'")
        }
        let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        // A path needs its terminating zero, an abstract name its leading one: both cost one byte.
        guard text.utf8.count < limit + (isAbstract ? 1 : 0), text.utf8.count > 1 else {
            throw SystemdError(
                .unsupportedAddress,
                "NOTIFY_SOCKET should name a socket in 1 to \(limit - 1) bytes; "
                    + "it has \(text.utf8.count - (isAbstract ? 1 : 0))")
        }
    }

    private var isAbstract: Bool {
        if case .abstract = self { true } else { false }
    }

    /// Calls `body` with the address as the kernel reads it.
    func withSocketAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let (name, lead) =
            switch self {
            case .path(let path): (path, 0)
            case .abstract(let name): (name, 1)
            }
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            for (index, byte) in name.utf8.prefix(bytes.count - lead).enumerated() {
                bytes[index + lead] = byte
            }
        }
        // An abstract name is as long as the address says; a path's length counts its zero.
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        let length = socklen_t(offset + lead + name.utf8.count + (lead == 0 ? 1 : 0))
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
