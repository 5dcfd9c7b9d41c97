internal import Glibc
internal import PosedBase

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
        try send(fields, descriptors: [])
    }

    /// Sends one message. Throws as the other.
    package func send(_ fields: NotifyField...) throws(SystemdError) {
        try send(fields)
    }

    /// Asks the manager to keep a file while this process is away: the next one is passed it at its start. A unit
    /// without `FileDescriptorStoreMax=` does not keep it, and says so in its own journal alone.
    ///
    /// - Throws: ``SystemdError`` where the kernel does not take the message.
    package func store(_ memory: SealedMemory, name: String) throws(SystemdError) {
        try memory.withDescriptor { descriptor throws(SystemdError) in
            try send(
                [NotifyField("FDSTORE", "1"), NotifyField("FDNAME", name)],
                descriptors: [descriptor])
        }
    }

    /// Asks the manager to give up what it keeps under a name.
    ///
    /// - Throws: ``SystemdError`` where the kernel does not take the message.
    package func discard(_ name: String) throws(SystemdError) {
        try send(NotifyField("FDSTOREREMOVE", "1"), NotifyField("FDNAME", name))
    }

    private func send(
        _ fields: [NotifyField], descriptors: [Int32]
    ) throws(SystemdError) {
        guard let address, !fields.isEmpty else { return }
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw failure("no socket could be opened", errno) }
        defer { close(socket) }
        let refusal = address.withSocketAddress { pointer, length in
            Datagram(bytes: NotifyField.encode(fields), descriptors: descriptors)
                .send(socket: socket, to: pointer, length: length)
        }
        if let refusal { throw failure("the kernel refused it", refusal) }
    }

    private func failure(_ what: String, _ number: Int32) -> SystemdError {
        SystemdError(
            .sendFailed,
            "a notification should reach the service manager; \(what): "
                + SystemError.text(number),
            errno: number)
    }
}
