internal import Glibc

/// Tells the service manager about this process, in the protocol of `sd_notify(3)`.
///
/// Without a service manager every call does nothing. A message is one datagram: the manager reads all of
/// it or none of it, and sending waits for nobody, so that a manager that does not read can never stop a
/// thread that notifies.
package struct Notifier: Sendable {
    /// Where messages go; nil where nobody wants them.
    package let address: NotifyAddress?

    /// A notifier that says nothing.
    package static let silent = Notifier(address: nil)

    /// A notifier to a given socket.
    package init(address: NotifyAddress?) {
        self.address = address
    }

    /// The notifier that the environment names: silent where it names none.
    ///
    /// - Throws: ``SystemdError`` for an address that cannot be one.
    package init(environment: [String: String]) throws(SystemdError) {
        self.address = try NotifyAddress(environment: environment)
    }

    /// Sends one message.
    ///
    /// - Throws: ``SystemdError`` where the kernel does not take it: nobody is bound to the address, or the
    ///   manager's queue is full.
    package func send(_ fields: [NotifyField]) throws(SystemdError) {
        guard let address, !fields.isEmpty else { return }
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw failure("no socket could be opened", errno) }
        defer { close(socket) }
        let bytes = NotifyField.encode(fields)
        let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        let refusal: Int32? = address.withSocketAddress { pointer, length in
            while sendto(socket, bytes, bytes.count, flags, pointer, length) < 0 {
                if errno != EINTR { return errno }
            }
            return nil
        }
        if let refusal { throw failure("the kernel refused it", refusal) }
    }

    /// Sends one message. Throws as the other.
    package func send(_ fields: NotifyField...) throws(SystemdError) {
        try send(fields)
    }

    private func failure(_ what: String, _ number: Int32) -> SystemdError {
        SystemdError(
            .sendFailed,
            "a notification should reach the service manager; \(what): "
                + String(cString: strerror(number)),
            errno: number)
    }
}
