internal import Glibc

/// A socket that could not be bound.
package struct BindFailure: Error {
    /// The value of `errno`.
    package let number: Int32
}

/// The other end of the notification protocol: a bound datagram socket, as a service manager has one.
package final class NotifySink {
    /// A message as it arrived.
    package struct Message: Equatable, Sendable {
        /// What it said.
        package var text: String
        /// The sender, as the kernel tells it.
        package var process: Int32
        /// The descriptors that came along, which are the receiver's to close.
        package var descriptors: [Int32] = []
    }

    /// The address, as `NOTIFY_SOCKET` names it.
    package let address: String
    private let socket: Int32

    /// Binds a socket in the file system or in the abstract name space, with a name of its own.
    package init(abstract: Bool) throws {
        let name = "posed-notify-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        address = abstract ? "@" + name : "/tmp/" + name
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var on: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, 4)
        var socketName = sockaddr_un()
        socketName.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &socketName.sun_path) { path in
            for (index, byte) in address.utf8.enumerated() { path[index] = byte }
            if abstract { path[0] = 0 }
        }
        let length = socklen_t(2 + address.utf8.count + (abstract ? 0 : 1))
        let bound = withUnsafePointer(to: &socketName) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
        }
        if bound != 0 { throw BindFailure(number: errno) }
    }

    deinit {
        close(socket)
        if address.hasPrefix("/") { unlink(address) }
    }

    /// The next message; waits for it no longer than a test may.
    package func receive() -> Message? {
        var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, 600_000) == 1 else { return nil }
        var text = [UInt8](repeating: 0, count: 65_536)
        var control = [UInt64](repeating: 0, count: 128)
        return text.withUnsafeMutableBytes { data in
            control.withUnsafeMutableBytes { control in
                var vector = iovec(iov_base: data.baseAddress, iov_len: data.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    let count = recvmsg(socket, &message, 0)
                    guard count >= 0 else { return nil }
                    let ancillary = UnsafeRawBufferPointer(control).prefix(message.msg_controllen)
                    return Self.decode(
                        text: data.prefix(count),
                        ancillary: UnsafeRawBufferPointer(rebasing: ancillary))
                }
            }
        }
    }

    private static func decode(
        text: UnsafeMutableRawBufferPointer.SubSequence, ancillary: UnsafeRawBufferPointer
    ) -> Message {
        var message = Message(
            text: String(decoding: text, as: UTF8.self), process: 0)
        var offset = 0
        while offset + 16 <= ancillary.count {
            let length = ancillary.loadUnaligned(fromByteOffset: offset, as: Int.self)
            let type = ancillary.loadUnaligned(fromByteOffset: offset + 12, as: Int32.self)
            guard length >= 16, offset + length <= ancillary.count else { break }
            if type == Int32(SCM_RIGHTS) {
                message.descriptors += stride(from: offset + 16, to: offset + length, by: 4).map {
                    ancillary.loadUnaligned(fromByteOffset: $0, as: Int32.self)
                }
            }
            // SCM_CREDENTIALS, of which the first number is the process's.
            if type == 2, length >= 20 {
                message.process = ancillary.loadUnaligned(
                    fromByteOffset: offset + 16, as: Int32.self)
            }
            offset += (length + 7) / 8 * 8
        }
        return message
    }
}
