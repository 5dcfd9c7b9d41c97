import Foundation

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
