internal import Glibc

/// Says something to a port of this machine, and hears everything that it answers.
enum TCPExchange {
    /// The answer, up to the end of the connection; empty where there is none.
    static func run(port: Int, _ text: String) -> String {
        guard let connection = connection(port: port) else { return "" }
        return finish(connection, text)
    }

    /// A connection to a port, for `finish`; nil where nobody listens.
    static func connection(port: Int) -> Int32? {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if connected == 0 { return connection }
        close(connection)
        return nil
    }

    /// Says something on a connection, and hears all that comes until its end.
    static func finish(_ connection: Int32, _ text: String) -> String {
        defer { close(connection) }
        return exchange(connection, text)
    }

    /// The same over a Unix socket.
    static func run(path: String, _ text: String = "") -> String {
        let connection = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(connection) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            for (index, byte) in path.utf8.prefix(bytes.count - 1).enumerated() {
                bytes[index] = byte
            }
        }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return connected == 0 ? exchange(connection, text) : ""
    }

    private static func exchange(_ connection: Int32, _ text: String) -> String {
        var bytes = Array(text.utf8)
        _ = send(connection, &bytes, bytes.count, Int32(MSG_NOSIGNAL))
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        var ready = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
        while poll(&ready, 1, 600_000) == 1 {
            let count = read(connection, &part, part.count)
            guard count > 0 else { break }
            answer += part.prefix(count)
        }
        return String(decoding: answer, as: UTF8.self)
    }
}
