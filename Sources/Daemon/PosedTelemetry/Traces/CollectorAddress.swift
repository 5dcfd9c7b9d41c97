internal import Glibc
internal import PosedBase

/// Where a collector takes traces: `http://127.0.0.1:4318/v1/traces`.
package struct CollectorAddress: Hashable, Sendable, CustomStringConvertible {
    /// Why spans were not taken.
    package struct Failure: Error {
        package let reason: String
    }

    /// How long a collector may take for each step, in seconds.
    private static let patience = 2

    private let host: String
    private let port: String
    private let path: String
    package let description: String

    /// The address in a text; nil where there is none, and for `https`, which is not spoken.
    package init?(parsing text: String) {
        let scheme = "http://"
        guard text.hasPrefix(scheme), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return nil
        }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        guard let colon = authority.lastIndex(of: ":") else { return nil }
        var host = authority[..<colon]
        let port = authority[authority.index(after: colon)...]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.contains("@"), UInt16(port) != nil, port != "0" else {
            return nil
        }
        self.host = String(host)
        self.port = String(port)
        self.path = path.isEmpty || path == "/" ? "/v1/traces" : String(path)
        description = text
    }

    /// Sends a body as `application/x-protobuf`, and waits for the answer.
    ///
    /// - Throws: `Failure` where nobody takes it.
    package func post(_ body: [UInt8]) throws(Failure) {
        let descriptor = try connected()
        defer { close(descriptor) }
        let authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let head =
            "POST \(path) HTTP/1.1\r\nHost: \(authority)\r\nContent-Type: application/x-protobuf\r\n"
            + "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        var left = (Array(head.utf8) + body)[...]
        while !left.isEmpty {
            let count = left.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(reason: "does not read: \(SystemError.last)") }
            left = left.dropFirst(count)
        }
        var answer = [UInt8](repeating: 0, count: 12)
        var count = 0
        while count < answer.count {
            let part = answer.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count, 0)
            }
            guard part > 0 else { throw Failure(reason: "does not answer: \(SystemError.last)") }
            count += part
        }
        let text = String(decoding: answer, as: UTF8.self)
        guard text.hasPrefix("HTTP/1."), text.dropFirst(9).first == "2" else {
            throw Failure(reason: "answers \(text.dropFirst(9))")
        }
    }

    private func connected() throws(Failure) -> Int32 {
        var wanted = addrinfo()
        wanted.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &wanted, &found) == 0, let first = found else {
            throw Failure(reason: "has no address")
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(
            first.pointee.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw Failure(reason: "cannot be called: \(SystemError.last)")
        }
        var patience = timeval(tv_sec: Self.patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, size)
        }
        guard connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
            let reason = SystemError.last
            close(descriptor)
            throw Failure(reason: "cannot be reached: \(reason)")
        }
        return descriptor
    }
}
