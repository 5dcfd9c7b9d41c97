internal import Glibc

/// One message to a datagram socket, with the descriptors that travel along.
struct Datagram {
    let bytes: [UInt8]
    let descriptors: [Int32]

    /// Sends the message without waiting for room in the receiver's queue.
    ///
    /// - Returns: the value of `errno` where the kernel did not take it.
    func send(socket: Int32, to address: UnsafePointer<sockaddr>, length: socklen_t) -> Int32? {
        bytes.withUnsafeBytes { data in
            var vector = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: data.baseAddress), iov_len: data.count)
            return withUnsafeMutablePointer(to: &vector) { vector in
                var message = msghdr()
                message.msg_name = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(address))
                message.msg_namelen = length
                message.msg_iov = vector
                message.msg_iovlen = 1
                return withControl { control in
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    return Self.send(socket: socket, message: &message)
                }
            }
        }
    }

    private static func send(socket: Int32, message: inout msghdr) -> Int32? {
        let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        while sendmsg(socket, &message, flags) < 0 {
            if errno != EINTR { return errno }
        }
        return nil
    }

    /// The ancillary data of the message: one `SCM_RIGHTS` block, or nothing.
    private func withControl<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
        guard !descriptors.isEmpty else { return body(.init(start: nil, count: 0)) }
        let payload = descriptors.count * MemoryLayout<Int32>.size
        let header = MemoryLayout<cmsghdr>.stride  // already a multiple of the block's alignment
        let padded = (header + payload + 7) / 8 * 8
        return withUnsafeTemporaryAllocation(byteCount: padded, alignment: 8) { control in
            control.initializeMemory(as: UInt8.self, repeating: 0)
            let words = control.bindMemory(to: cmsghdr.self)
            words[0].cmsg_len = header + payload
            words[0].cmsg_level = SOL_SOCKET
            words[0].cmsg_type = Int32(SCM_RIGHTS)
            for (index, descriptor) in descriptors.enumerated() {
                control.storeBytes(
                    of: descriptor, toByteOffset: header + index * MemoryLayout<Int32>.size,
                    as: Int32.self)
            }
            return body(control)
        }
    }
}
