internal import Glibc

/// A descriptor that the service manager passed to this process: a listening socket, or a file that it kept.
package struct ListenDescriptor: Hashable, Sendable {
    /// What kind of socket it is.
    package enum Kind: Hashable, Sendable {
        /// A listening stream socket of the Unix family.
        case unixStream
        /// A listening stream socket of IPv4 or IPv6.
        case tcp
        /// Something that this daemon cannot accept connections on.
        case other
    }

    /// The number of the descriptor.
    package let number: Int32
    /// Its name: `FileDescriptorName=` of the socket unit, or `unknown`.
    package let name: String

    /// A descriptor and its name.
    package init(number: Int32, name: String) {
        self.number = number
        self.name = name
    }

    /// Whether it is a socket; anything else was kept for an earlier process (`FileDescriptorStoreMax=`).
    package var isSocket: Bool {
        var status = stat()
        return fstat(number, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// What the kernel says it is.
    ///
    /// - Throws: ``SystemdError`` where the descriptor is not open.
    package func kind() throws(SystemdError) -> Kind {
        guard fcntl(number, F_GETFD) >= 0 else {
            throw SystemdError(
                .badDescriptor,
                "descriptor \(number) ('\(name)') should be open, as LISTEN_FDS says; it is not",
                errno: errno)
        }
        guard option(SO_TYPE) == Int32(SOCK_STREAM.rawValue), option(SO_ACCEPTCONN) == 1 else {
            return .other
        }
        return switch option(SO_DOMAIN) {
        case AF_UNIX: .unixStream
        case AF_INET, AF_INET6: .tcp
        default: .other
        }
    }

    private func option(_ name: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(number, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}
