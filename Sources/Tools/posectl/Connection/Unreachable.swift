import Foundation
package import PosedRPC

/// Why a daemon may not be there, and what to do about it.
package struct Unreachable {
    private let target: ChannelConfiguration.Target

    /// Nothing answered at `target`.
    package init(_ target: ChannelConfiguration.Target) { self.target = target }

    /// Whether nobody listens at the socket, so that waiting is of no use.
    package var isCertain: Bool {
        guard case .unix(let path) = target else { return false }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return true }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return status != 0
    }

    /// The error that says so.
    package var error: PosectlError {
        switch target {
        case .unix(let path): PosectlError(.unreachable, sentence(socket: path))
        case .tcp(let host, let port):
            PosectlError(
                .unreachable,
                "nothing answers at \(ServerAddress(.tcp(host: host, port: port))); is the daemon "
                    + "running there, does it listen on TCP (listen.tcp.addresses), and do both "
                    + "sides agree on TLS (--ca, --tls)?")
        }
    }

    private func sentence(socket path: String) -> String {
        let start =
            "start it with `systemctl start posed`, or with `posed`; --address names another socket"
        guard FileManager.default.fileExists(atPath: path) else {
            return "the daemon is not running: there is no socket \(path); \(start)"
        }
        guard access(path, W_OK) == 0 else {
            return "\(path) may not be used by this user; the members of its group may "
                + "(`usermod -aG posed USER`, then log in anew)"
        }
        return "the daemon does not answer at \(path), although the socket is there; \(start), and "
            + "`journalctl -u posed` says how it fares"
    }
}
