internal import Glibc

/// Addresses of sockets as text and back.
enum SocketAddress {
    /// The longest path that a Unix socket can have, bytes.
    static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Calls `body` with the address of the Unix socket at `path`.
    ///
    /// - Throws: `RPCError` with `invalidArgument` when the path is empty or too long.
    static func withUnix<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws(RPCError) -> Result {
        let bytes = Array(path.utf8)
        guard (1...longestPath).contains(bytes.count), !bytes.contains(0) else {
            throw RPCError(
                .invalidArgument,
                "the path of a Unix socket has 1 to \(longestPath) bytes, \"\(path)\" has"
                    + " \(bytes.count)")
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// "192.0.2.1:4000" or "[2001:db8::1]:4000" of the other end of a connected socket.
    static func text(ofPeer descriptor: Int32) -> String? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard getpeername(descriptor, pointer, &size) == 0 else { return EAI_FAIL }
                return getnameinfo(
                    pointer, size, &host, socklen_t(host.count), &port, socklen_t(port.count),
                    NI_NUMERICHOST | NI_NUMERICSERV)
            }
        }
        guard result == 0 else { return nil }
        return joined(host: text(host), port: text(port))
    }

    /// "host:port", with brackets around an address that has colons itself.
    static func joined(host: String, port: String) -> String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The address in the library's name of a peer, "ipv4:192.0.2.1:4000" or
    /// "ipv6:%5B2001:db8::1%5D:4000"; nil for other kinds.
    static func text(ofLibraryPeer peer: String) -> String? {
        for prefix in ["ipv4:", "ipv6:"] where peer.hasPrefix(prefix) {
            var text = peer.dropFirst(prefix.count)
            var decoded = ""
            while let percent = text.firstIndex(of: "%") {
                decoded += text[..<percent]
                let code = text[percent...].dropFirst().prefix(2)
                guard code.count == 2, let byte = UInt8(code, radix: 16) else { return nil }
                decoded.unicodeScalars.append(Unicode.Scalar(byte))
                text = text[percent...].dropFirst(3)
            }
            return decoded + text
        }
        return nil
    }

    private static func text(_ characters: [CChar]) -> String {
        let bytes = characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
