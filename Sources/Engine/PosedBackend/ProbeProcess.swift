import Foundation

/// One child process that probes one plugin.
struct ProbeProcess {
    private let file: PluginFile
    private let identifier: pid_t
    /// The socket that the answer comes from.
    private let answer: Int32

    /// Starts `helper probe-backend PATH`.
    init(
        helper: String, file: PluginFile, environment: [String: String]
    ) throws(BackendError) {
        var ends: [Int32] = [0, 0]
        // A pair of sockets rather than a pipe: it can be made closed to other children at once.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw BackendError(.internal, "\(file.fileName): no socket: \(Self.reason(errno))")
        }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        // A group of its own, so that what it starts ends with it; no signal blocked or ignored.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var environment = environment
        // A crash is an answer here; nobody wants a backtrace of it, which takes seconds.
        environment["SWIFT_BACKTRACE"] = "enable=no"
        var child: pid_t = 0
        let status = Self.withCStrings([helper, ProbeChild.command, file.path]) { arguments in
            Self.withCStrings(environment.map { "\($0.key)=\($0.value)" }) { variables in
                posix_spawn(&child, helper, &actions, &attributes, arguments, variables)
            }
        }
        guard status == 0 else {
            close(ends[0])
            throw BackendError(
                .internal, "\(file.fileName): \(helper) cannot be run: \(Self.reason(status))")
        }
        self.file = file
        self.identifier = child
        self.answer = ends[0]
    }

    /// Waits for the answer and for the child's end; a child that is still running at `deadline` is
    /// killed.
    func finish(
        by deadline: ContinuousClock.Instant, limit: Duration
    ) throws(BackendError) -> ProbeReport {
        let line = readLine(by: deadline)
        close(answer)
        let status = end(by: deadline)
        // An answer counts even when the child was slow to go after giving it.
        if let report = try? JSONDecoder().decode(ProbeReport.self, from: line) { return report }
        guard let status else {
            throw BackendError(
                .crashed, "\(file.fileName): the probe hung and was ended after \(limit)")
        }
        throw BackendError(.crashed, "\(file.fileName): the probe \(Self.describe(status))")
    }

    /// What the child writes up to the end of the line, the end of the socket or the deadline.
    private func readLine(by deadline: ContinuousClock.Instant) -> Data {
        var line = Data()
        var buffer = [UInt8](repeating: 0, count: 4096)
        while line.count < 1 << 16 {
            let left = Self.milliseconds(until: deadline)
            var waiting = pollfd(fd: answer, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, left)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { break }
            let count = read(answer, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            line.append(contentsOf: buffer.prefix(count))
            if buffer.prefix(count).contains(UInt8(ascii: "\n")) { break }
        }
        return line
    }

    /// The child's exit status, or nil when it had to be killed.
    private func end(by deadline: ContinuousClock.Instant) -> Int32? {
        var status: Int32 = 0
        while true {
            let ended = waitpid(identifier, &status, WNOHANG)
            if ended == identifier {
                kill(-identifier, SIGKILL)
                return status
            }
            if ended < 0, errno != EINTR { return nil }
            if ContinuousClock.now >= deadline { break }
            usleep(500)
        }
        kill(-identifier, SIGKILL)
        kill(identifier, SIGKILL)
        while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        return nil
    }

    /// "was killed by SIGILL", "left with status 3 instead of answering".
    static func describe(_ status: Int32) -> String {
        let signal = status & 0x7f
        guard signal != 0 else {
            return "left with status \((status >> 8) & 0xff) instead of answering"
        }
        let names = [
            SIGILL: "SIGILL", SIGSEGV: "SIGSEGV", SIGABRT: "SIGABRT", SIGBUS: "SIGBUS",
            SIGFPE: "SIGFPE", SIGTRAP: "SIGTRAP", SIGKILL: "SIGKILL", SIGTERM: "SIGTERM",
            SIGSYS: "SIGSYS", SIGALRM: "SIGALRM",
        ]
        return "was killed by \(names[signal] ?? "signal \(signal)")"
    }

    private static func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
        let left = ContinuousClock.now.duration(to: deadline).components
        let whole = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
        return Int32(clamping: max(0, whole))
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// Calls `body` with `strings` as a C array that ends with NULL.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }
}
