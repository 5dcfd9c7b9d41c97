internal import Glibc

/// The descriptors that socket activation hands to this process.
package enum ListenDescriptors {
    /// The first descriptor that the service manager passes; the others follow.
    package static let first: Int32 = 3

    /// The variables of the protocol, which concern this process alone and not its children.
    package static let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]

    /// The descriptors that the environment names for a process: none where the process was not activated.
    ///
    /// A lone `LISTEN_PID`, or one of another process, was leaked by somebody's parent and means nothing.
    ///
    /// - Throws: ``SystemdError`` for values that systemd never sets.
    package static func parse(
        environment: [String: String], process: Int32 = getpid()
    ) throws(SystemdError) -> [ListenDescriptor] {
        guard let owner = environment["LISTEN_PID"], let text = environment["LISTEN_FDS"] else {
            return []
        }
        guard let pid = Int32(owner), pid > 0 else {
            throw SystemdError(
                .invalidEnvironment, "LISTEN_PID should be a process's number; it is '\(owner)'")
        }
        guard pid == process else { return [] }
        guard let count = Int32(text), count > 0, count <= Int32.max - first else {
            throw SystemdError(
                .invalidEnvironment,
                "LISTEN_FDS should be a positive number of descriptors; it is '\(text)'")
        }
        let names = try names(environment["LISTEN_FDNAMES"], count: Int(count))
        return (0..<count).map { index in
            ListenDescriptor(
                number: first + index, name: names.map { $0[Int(index)] } ?? "unknown")
        }
    }

    /// Takes the descriptors of this process over: children will not inherit them, and the variables are
    /// gone, so that a second call, or a child, finds none. Call it before there is a second thread: the
    /// environment of a process cannot be changed safely once there is.
    ///
    /// - Throws: ``SystemdError`` for values that systemd never sets, and descriptors that are not open.
    package static func take() throws(SystemdError) -> [ListenDescriptor] {
        var environment: [String: String] = [:]
        for variable in variables {
            if let value = getenv(variable) { environment[variable] = String(cString: value) }
        }
        defer { for variable in variables { unsetenv(variable) } }
        let descriptors = try parse(environment: environment)
        for descriptor in descriptors {
            _ = try descriptor.kind()
            _ = fcntl(descriptor.number, F_SETFD, FD_CLOEXEC)
        }
        return descriptors
    }

    private static func names(_ text: String?, count: Int) throws(SystemdError) -> [String]? {
        guard let text else { return nil }
        let names = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard names.count == count else {
            throw SystemdError(
                .invalidEnvironment,
                "LISTEN_FDNAMES should have a name for each of \(count) descriptors; "
                    + "'\(text)' has \(names.count)")
        }
        return names
    }
}
