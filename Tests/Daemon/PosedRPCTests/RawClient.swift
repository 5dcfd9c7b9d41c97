import Foundation
import PosedRPC

/// A client that sends what bytes it likes: HTTP/2 by hand, or anything else.
final class RawClient: Sendable {
    private let descriptor: Int32

    /// Connects to the Unix socket at `path`.
    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw POSIXError(.ECONNREFUSED) }
    }

    /// Connects to a port of this machine.
    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = in_port_t(port).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw POSIXError(.ECONNREFUSED) }
    }

    deinit {
        close(descriptor)
    }

    /// Sends bytes; false when the other side is gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Returns when the other side has closed the connection, and what it sent before.
    func readToEnd() async -> [UInt8] {
        await withCheckedContinuation { continuation in
            let thread = Thread { [self] in
                var all: [UInt8] = []
                var piece = [UInt8](repeating: 0, count: 4096)
                while true {
                    let count = read(descriptor, &piece, piece.count)
                    if count <= 0 { break }
                    all += piece[..<count]
                }
                continuation.resume(returning: all)
            }
            thread.start()
        }
    }

    // MARK: HTTP/2

    /// What every client begins with, and empty settings.
    static let greeting =
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(type: 4, flags: 0, stream: 0, [])

    static func frame(type: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        let count = payload.count
        return [
            UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags,
            UInt8(stream >> 24), UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255),
            UInt8(stream & 255),
        ] + payload
    }

    /// The headers of a call, without compression.
    static func headers(
        _ path: String, stream: UInt32, more: [(String, String)] = []
    ) -> [UInt8] {
        let list =
            [
                (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
                ("content-type", "application/grpc"), ("te", "trailers"),
            ] + more
        var block: [UInt8] = []
        for (name, value) in list {
            block += [0, UInt8(name.utf8.count)]
            block += name.utf8
            block.append(UInt8(value.utf8.count))
            block += value.utf8
        }
        return frame(type: 1, flags: 4, stream: stream, block)
    }

    /// A message that claims to have `claimed` bytes, and those that follow.
    static func data(stream: UInt32, claimed: Int, _ bytes: [UInt8], ending: Bool) -> [UInt8] {
        let prefix: [UInt8] = [
            0, UInt8(claimed >> 24 & 255), UInt8(claimed >> 16 & 255), UInt8(claimed >> 8 & 255),
            UInt8(claimed & 255),
        ]
        return frame(type: 0, flags: ending ? 1 : 0, stream: stream, prefix + bytes)
    }
}
