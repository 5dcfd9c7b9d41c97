internal import Glibc
internal import PosedBase

/// A listening socket, of which the acceptor accepts the connections.
final class ListeningSocket: Sendable {
    let descriptor: Descriptor
    /// The socket's file, when this object has made it.
    private let file: (path: String, signature: SocketFile)?

    /// Which file a path named when the socket was made.
    private struct SocketFile: Equatable {
        let device: dev_t
        let inode: ino_t

        init?(_ path: String) {
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            device = status.st_dev
            inode = status.st_ino
        }
    }

    /// Listens at `path` with the permissions `mode`.
    ///
    /// A socket that nobody listens at is replaced; anything else in its place is refused.
    ///
    /// - Throws: `RPCError` with `alreadyExists`, `invalidArgument` or `failedPrecondition`.
    init(path: String, mode: UInt32, objectCounts: ObjectCounts) throws(RPCError) {
        descriptor = try ListeningSocket.newSocket(objectCounts: objectCounts)
        try ListeningSocket.removeStale(path, objectCounts: objectCounts)
        // The file is born with no more permissions than these, whatever the umask.
        guard fchmod(descriptor.number, mode_t(mode)) == 0 else {
            throw ListeningSocket.failure("prepare", path)
        }
        let bound = try SocketAddress.withUnix(path) { [descriptor] address, size in
            bind(descriptor.number, address, size) == 0
        }
        guard bound else { throw ListeningSocket.failure("create", path) }
        file = SocketFile(path).map { (path, $0) }
        guard chmod(path, mode_t(mode)) == 0, listen(descriptor.number, SOMAXCONN) == 0 else {
            throw ListeningSocket.failure("listen at", path)
        }
    }

    /// Listens at all addresses of a host, on one port; port 0 takes a free one.
    ///
    /// - Returns: The sockets, one or more, and the port.
    /// - Throws: `RPCError` with `alreadyExists` or `invalidArgument`.
    static func tcp(
        _ host: String, _ port: Int, objectCounts: ObjectCounts
    ) throws(RPCError) -> (sockets: [ListeningSocket], port: Int) {
        guard (0...65535).contains(port) else {
            throw RPCError(.invalidArgument, "a port is a number of 0…65535, not \(port)")
        }
        var sockets: [ListeningSocket] = []
        var actual = port
        var reason = "it is no address of this machine"
        for address in SocketAddress.resolve(host) {
            let descriptor = try newSocket(
                objectCounts: objectCounts, family: Int32(address.family))
            guard address.bind(descriptor.number, port: actual) else {
                reason = SystemError.last
                // A host may have addresses that this machine does not.
                if errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT { continue }
                sockets = []
                break
            }
            guard listen(descriptor.number, SOMAXCONN) == 0 else {
                reason = SystemError.last
                sockets = []
                break
            }
            actual = SocketAddress.port(of: descriptor.number) ?? actual
            sockets.append(ListeningSocket(listening: descriptor))
        }
        guard !sockets.isEmpty else {
            let address = HostPort(host: host, port: port)
            throw RPCError(.alreadyExists, "could not listen at \(address): \(reason)")
        }
        return (sockets, actual)
    }

    private init(listening descriptor: Descriptor) {
        self.descriptor = descriptor
        file = nil
    }

    /// Takes over a socket that listens already.
    ///
    /// - Throws: `RPCError` with `invalidArgument` when it is none.
    init(inherited descriptor: Descriptor) throws(RPCError) {
        self.descriptor = descriptor
        file = nil
        var listens: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard
            getsockopt(descriptor.number, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0,
            listens != 0
        else {
            throw RPCError(
                .invalidArgument,
                "descriptor \(descriptor.number) was to be a listening socket, it is none")
        }
        let flags = fcntl(descriptor.number, F_GETFL)
        guard flags >= 0, fcntl(descriptor.number, F_SETFL, flags | O_NONBLOCK) == 0,
            fcntl(descriptor.number, F_SETFD, FD_CLOEXEC) == 0
        else {
            throw RPCError(
                .failedPrecondition,
                "descriptor \(descriptor.number) could not be prepared: \(SystemError.last)")
        }
    }

    deinit {
        // Not if another server has taken the place meanwhile.
        if let file, SocketFile(file.path) == file.signature { unlink(file.path) }
    }

    private static func newSocket(
        objectCounts: ObjectCounts, family: Int32 = AF_UNIX
    ) throws(RPCError) -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let number = socket(family, type, 0)
        guard number >= 0 else {
            throw RPCError(.resourceExhausted, "no socket could be made: \(SystemError.last)")
        }
        return Descriptor(number, objectCounts: objectCounts)
    }

    private static func removeStale(_ path: String, objectCounts: ObjectCounts) throws(RPCError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw RPCError(
                .alreadyExists, "\(path) was to become a socket, but another file is there")
        }
        let probe = try newSocket(objectCounts: objectCounts)
        let (result, reason) = try SocketAddress.withUnix(path) { address, size in
            let result = connect(probe.number, address, size)
            return (result, errno)
        }
        guard result != 0, reason == ECONNREFUSED else {
            throw RPCError(
                .alreadyExists, "another process is listening at \(path) already")
        }
        guard unlink(path) == 0 || errno == ENOENT else { throw failure("replace", path) }
    }

    private static func failure(_ verb: String, _ path: String) -> RPCError {
        RPCError(.failedPrecondition, "could not \(verb) the socket \(path): \(SystemError.last)")
    }
}
