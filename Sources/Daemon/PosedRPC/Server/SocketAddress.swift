internal import Glibc
internal import PosedBase

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

    /// An address of the internet to listen at.
    struct Internet {
        private var storage: sockaddr_storage

        fileprivate init?(_ information: addrinfo) {
            guard let address = information.ai_addr,
                information.ai_family == AF_INET || information.ai_family == AF_INET6,
                Int(information.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size
            else { return nil }
            storage = sockaddr_storage()
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(
                    from: UnsafeRawBufferPointer(
                        start: address, count: Int(information.ai_addrlen)))
            }
        }

        var family: sa_family_t { storage.ss_family }

        /// Binds a socket to the address and a port; false with `errno`.
        func bind(_ descriptor: Int32, port: Int) -> Bool {
            var (yes, no): (Int32, Int32) = (1, 0)
            let size = socklen_t(MemoryLayout<Int32>.size)
            // A port of a daemon that ended a moment ago is free; the wildcard of IPv6 takes IPv4 as well.
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
            if Int32(family) == AF_INET6 {
                setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, size)
            }
            var address = storage
            let number = in_port_t(truncatingIfNeeded: port).bigEndian
            return withUnsafeMutablePointer(to: &address) { pointer in
                // The port has the same place in both families.
                pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    $0.pointee.sin_port = number
                }
                let size =
                    Int32(family) == AF_INET6
                    ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
                return pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(descriptor, $0, socklen_t(size)) == 0
                }
            }
        }
    }

    /// The addresses of a host's name, or the one that `host` is; with brackets or without.
    static func resolve(_ host: String) -> [Internet] {
        var wanted = addrinfo()
        wanted.ai_socktype = Int32(SOCK_STREAM.rawValue)
        wanted.ai_flags = Int32(AI_PASSIVE)
        var name = host
        if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &wanted, &found) == 0 else { return [] }
        defer { freeaddrinfo(found) }
        return sequence(first: found, next: { $0?.pointee.ai_next }).compactMap { entry in
            entry.flatMap { Internet($0.pointee) }
        }
    }

    /// The port that a socket is bound to.
    static func port(of descriptor: Int32) -> Int? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            let result = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &size)
            }
            guard result == 0 else { return nil }
            return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(in_port_t(bigEndian: $0.pointee.sin_port))
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
        return Int(text(port)).map {
            HostPort(host: withoutMapping(text(host)), port: $0).description
        }
    }

    /// An IPv6 address of 16 bytes as text; an IPv4 address in one is written as such.
    static func text(ofIPv6 bytes: [UInt8]) -> String {
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { $0.copyBytes(from: bytes.prefix($0.count)) }
        var characters = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(AF_INET6, &address, &characters, socklen_t(characters.count))
        return withoutMapping(text(characters))
    }

    /// A client of IPv4 at a socket for both has an IPv6 address around its own.
    private static func withoutMapping(_ name: String) -> String {
        name.hasPrefix("::ffff:") && name.contains(".")
            ? String(name.dropFirst("::ffff:".count)) : name
    }

    private static func text(_ characters: [CChar]) -> String {
        let bytes = characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
