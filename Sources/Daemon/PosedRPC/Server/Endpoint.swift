/// Where a server is to be reached.
package enum Endpoint: Sendable, Hashable {
    /// A Unix socket, created with these permissions; a stale one in its place is replaced.
    case unix(path: String, mode: UInt32)
    /// An address and port of this machine; port 0 takes a free one.
    case tcp(host: String, port: Int, security: ServerSecurity)
    /// A listening socket that someone else has opened, as systemd does; it becomes the server's,
    /// which closes it but never removes its file.
    case listener(descriptor: Int32)
}

/// Where a server is reached.
package enum BoundEndpoint: Sendable, Hashable {
    case unix(path: String)
    case tcp(host: String, port: Int)
    case listener(descriptor: Int32)
}
