internal import CPosedGRPC
internal import Glibc

/// Owner of a file descriptor of the operating system.
final class Descriptor: Sendable {
    let number: Int32
    private let entry: ObjectCounts.Entry

    /// Takes `number` over.
    init(_ number: Int32, objectCounts: ObjectCounts) {
        self.number = number
        entry = ObjectCounts.Entry(.descriptors, in: objectCounts)
    }

    deinit {
        close(number)
    }

    /// Who is at the other end of a connected socket.
    var peer: Peer {
        var credentials = posed_socket_peer()
        switch family {
        case AF_UNIX:
            guard posed_socket_credentials(number, &credentials) else { break }
            return Peer(
                address: .unix(
                    user: credentials.user, group: credentials.group,
                    process: credentials.process))
        case AF_INET, AF_INET6:
            if let address = SocketAddress.text(ofPeer: number) {
                return Peer(address: .tcp(address))
            }
        default: break
        }
        return Peer(address: .other("fd:\(number)"))
    }

    /// The family of a socket's address, `AF_UNIX` and its like; nil when it is no socket.
    var family: Int32? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(number, $0, &size)
            }
        }
        return result == 0 ? Int32(address.ss_family) : nil
    }
}
