import ArgumentParser
import Foundation
import PosedBase
package import PosedRPC

/// Where the daemon listens.
package struct ServerAddress: ExpressibleByArgument, Equatable, Sendable, CustomStringConvertible {
    /// The socket of the system's daemon.
    package static let defaultPath = "/run/posed/posed.sock"

    package let target: ChannelConfiguration.Target

    /// An address as given.
    init(_ target: ChannelConfiguration.Target) { self.target = target }

    /// `unix:/path`, a path, `host:port` or `[address]:port`; nil for anything else.
    package init?(argument: String) {
        if argument.hasPrefix("unix:") {
            var path = argument.dropFirst(5)
            if path.hasPrefix("//") { path = path.dropFirst(2) }
            guard !path.isEmpty else { return nil }
            target = .unix(path: String(path))
            return
        }
        if argument.hasPrefix("/") || argument.hasPrefix("./") {
            target = .unix(path: argument)
            return
        }
        guard let place = HostPort(parsing: argument), place.port > 0 else { return nil }
        target = .tcp(host: place.host, port: place.port)
    }

    /// The address that an option gives. Throws `ValidationError`, which says what is expected.
    @Sendable static func parsed(_ text: String) throws -> ServerAddress {
        guard let address = ServerAddress(argument: text) else {
            throw ValidationError("expected unix:/path or host:port")
        }
        return address
    }

    /// The address where nobody gave one: `POSED_ADDRESS`, else the system's socket. Throws
    /// `ValidationError` when the variable is no address.
    package static func inherited(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> ServerAddress {
        guard let text = environment["POSED_ADDRESS"], !text.isEmpty else {
            return ServerAddress(.unix(path: defaultPath))
        }
        guard let address = ServerAddress(argument: text) else {
            throw ValidationError(
                "POSED_ADDRESS: expected unix:/path or host:port, got “\(Text.line(text))”")
        }
        return address
    }

    /// As it is written.
    package var description: String {
        switch target {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): "\(HostPort(host: host, port: port))"
        }
    }

    /// Whether it is a TCP port, which may speak TLS.
    var isTCP: Bool {
        if case .tcp = target { return true }
        return false
    }

    /// Whether others could listen on the way: a TCP port that is not the loopback's.
    package var isRemote: Bool {
        guard case .tcp(let host, let port) = target else { return false }
        return !HostPort(host: host, port: port).isLoopback
    }
}
