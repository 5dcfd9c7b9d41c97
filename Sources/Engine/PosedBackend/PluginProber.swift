import Foundation
import PosedBase

/// Probes plugins in child processes, all at once: a plugin that crashes, hangs or leaves takes its
/// own child down and nothing else.
package struct PluginProber: Sendable {
    /// The executable that understands `probe-backend PATH`.
    package let helper: String
    /// How long one probe may take.
    package let timeLimit: Duration
    /// The environment of the children.
    package let environment: [String: String]

    /// - Throws: `.notFound` when `helper` is nil and no executable can be found that would do.
    package init(
        helper: String? = nil, timeLimit: Duration = .seconds(ProbeChild.timeLimit),
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(BackendError) {
        guard let found = helper ?? Self.standardHelper else {
            throw BackendError(
                .notFound, "no posekit beside this program; it is needed to probe backends")
        }
        self.helper = found
        self.timeLimit = timeLimit
        self.environment = environment
    }

    /// The running executable when it is one of this project's, else the `posekit` beside it.
    private static var standardHelper: String? {
        guard let own = PluginSearchPath.runningExecutable else { return nil }
        if ["posekit", "posed"].contains((own as NSString).lastPathComponent) { return own }
        let sibling = (own as NSString).deletingLastPathComponent + "/posekit"
        return FileManager.default.isExecutableFile(atPath: sibling) ? sibling : nil
    }

    /// One report per file, in order.
    package func probe(_ files: [PluginFile]) -> [ProbeReport] {
        var children: [Int: ProbeProcess] = [:]
        var reports: [Int: ProbeReport] = [:]
        for (index, file) in files.enumerated() {
            do throws(BackendError) {
                try file.checkTrust()
                children[index] = try ProbeProcess(
                    helper: helper, file: file, environment: environment)
            } catch {
                reports[index] = ProbeReport(refusal: error)
            }
        }
        let deadline = ContinuousClock.now + timeLimit
        return files.indices.map { index in
            if let report = reports[index] { return report }
            guard let child = children[index] else {
                return ProbeReport(refusal: BackendError(.internal, "the probe was not started"))
            }
            do throws(BackendError) {
                return try child.finish(by: deadline, limit: timeLimit)
            } catch {
                return ProbeReport(refusal: error)
            }
        }
    }
}

/// The result of a plugin's probe.
package struct ProbeReport: Codable, Sendable, Equatable {
    /// Whether a plugin can be used.
    package enum Status: String, Codable, Sendable {
        /// It can be opened here.
        case usable
        /// It works, but not on this machine: score 0, no device, or a probe that reports an error.
        case unsuitable
        /// It does not fit this host, cannot be trusted or cannot be loaded.
        case incompatible
        /// It died, hung or left while it was probed.
        case crashed
    }

    /// Whether the plugin can be used.
    package var status: Status
    /// How well it would serve; higher is better, 0 unless `status` is `.usable`.
    package var score: Int
    /// How many devices can be opened.
    package var devices: Int
    /// The plugin's own version; empty where it did not get to say.
    package var version: String
    /// One sentence: what was found, or why the plugin cannot be used.
    package var summary: String

    /// A report of a plugin that answered.
    package init(score: Int, devices: Int, version: String, summary: String) {
        let usable = score > 0 && devices > 0
        self.status = usable ? .usable : .unsuitable
        self.score = usable ? score : 0
        self.devices = max(0, devices)
        self.version = version
        self.summary = summary
    }

    /// A report of a plugin that did not answer, or whose answer is not worth asking for.
    package init(refusal error: BackendError) {
        switch error.code {
        case .crashed: status = .crashed
        case .incompatible, .notFound, .invalidArgument: status = .incompatible
        default: status = .unsuitable
        }
        self.score = 0
        self.devices = 0
        self.version = ""
        self.summary = "\(error)"
    }
}

/// The other side of ``PluginProber``: what the child process does. It prints one line of JSON, or
/// dies in the attempt.
package enum ProbeChild {
    /// The command that runs it: `posekit probe-backend PATH`.
    package static let command = "probe-backend"
    /// How long a probe may take, in seconds. A CUDA driver that nobody has used since the machine started takes
    /// some seconds for each of its devices.
    package static let timeLimit = 30

    /// Loads and probes the plugin at `path`, prints the report and leaves the process.
    package static func run(path: String) -> Never {
        // An orphan does not linger, and a crash leaves no core file behind.
        alarm(UInt32(timeLimit + 1))
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        closeInherited()
        // The answer goes where standard output went; what the plugin prints goes nowhere.
        let answer = dup(STDOUT_FILENO)
        let nowhere = open("/dev/null", O_WRONLY)
        dup2(nowhere, STDOUT_FILENO)

        var line = (try? JSONEncoder().encode(report(path: path))) ?? Data()
        line.append(UInt8(ascii: "\n"))
        let written = line.withUnsafeBytes { write(answer, $0.baseAddress, $0.count) }
        // Without the library's destructors, which may crash as well as anything else.
        _exit(written == line.count ? 0 : 1)
    }

    /// Closes what the parent had open and did not mark: a probe that hangs would keep its sockets open.
    private static func closeInherited() {
        let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        for number in (open ?? []).compactMap({ Int32($0) }) where number > STDERR_FILENO {
            close(number)
        }
    }

    private static func report(path: String) -> ProbeReport {
        do throws(BackendError) {
            return try BackendPlugin(path: path).probe()
        } catch {
            return ProbeReport(refusal: error)
        }
    }
}

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
            throw BackendError(.internal, "\(file.fileName): no socket: \(SystemError.last)")
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
                .internal, "\(file.fileName): \(helper) cannot be run: \(SystemError.text(status))")
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

    /// The child's output up to the end of the line, the end of the socket or the deadline.
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
        Int32(clamping: max(0, ContinuousClock.now.duration(to: deadline).wholeMilliseconds))
    }

    /// Calls `body` with `strings` as a C array that ends with NULL.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }
}
