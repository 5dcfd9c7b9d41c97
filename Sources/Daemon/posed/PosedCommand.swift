internal import ArgumentParser
internal import CPosedVersion
internal import Foundation
internal import PosedBackend
internal import PosedDaemon
internal import PosedSystemd

/// `posed`: the daemon.
@main
struct PosedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "posed",
        abstract: "Repaints people in new poses, for other programs, for months.",
        discussion: """
            Settings come from a YAML file, from variables POSED_SECTION_KEY, and from flags; later ones \
            win. docs/operations.md describes them all. SIGHUP reads the file again, all or nothing; \
            SIGTERM finishes what was accepted and ends.

            The exit status is 0 when the daemon was told to stop and every accepted frame was answered, \
            1 when it could not start, 2 when the command line was not understood, 70 when it failed, \
            75 when the drain time ran out, 78 when the configuration was refused, and 128 plus the \
            signal when it was told to stop twice.

            EXAMPLES
              posed --config /etc/posed/posed.yaml
              posed --config posed.yaml --check-config
              posed --model /srv/models/default --socket /tmp/posed.sock --log-level debug
              posed --model /srv/models/default --set limits.sessions=8 --set http.address=none
            """,
        version: POSED_VERSION)

    @Option(
        help: ArgumentHelp(
            "The configuration file; without it POSED_CONFIG, or none.", valueName: "file"))
    var config: String?

    @Flag(help: "Check the configuration and what it names, print what it amounts to, and end.")
    var checkConfig = false

    @Flag(help: "Print a configuration file in which every setting is explained, and end.")
    var exampleConfig = false

    @OptionGroup(title: "Settings")
    var settings: SettingFlags

    func run() async throws {
        if exampleConfig {
            print(SettingsReference.example(), terminator: "")
            return
        }
        let environment = ProcessInfo.processInfo.environment
        let file = config ?? environment["POSED_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        let process = DaemonProcess(
            source: ConfigurationSource(
                file: file, environment: environment, flags: settings.values),
            environment: environment, activated: Inherited.descriptors)
        // A socket from the service manager takes the place of the configured one.
        let opensSocket = (try? Inherited.descriptors.get())?.contains(where: \.isSocket) != true
        let status =
            checkConfig
            ? await process.check()
            : await process.run { configuration, log in
                try await configuration.examine(socket: opensSocket)
                return ServingCore(log: log)
            }
        fflush(nil)
        // Threads of the engine may be at work where the end is not an orderly one: nothing that they use
        // is torn down under them.
        if status == .drained { Foundation.exit(0) }
        _exit(status.rawValue)
    }

    /// Runs the command that the arguments name.
    static func main() async {
        let arguments = CommandLine.arguments
        if arguments.count == 3, arguments[1] == ProbeChild.command {
            // The child process in which the daemon tries a backend out.
            ProbeChild.run(path: arguments[2])
        }
        HeapPolicy.apply(environment: ProcessInfo.processInfo.environment)
        // Else libdispatch tells the system's log, in its own form, of each thread whose priority the sandbox
        // does not let it change.
        setenv("LIBDISPATCH_LOG", "NO", 0)
        Inherited.take()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            finish(error)
        }
    }

    /// Ends the process with what the parser has to say: help, or why it did not understand.
    private static func finish(_ error: any Error) -> Never {
        if exitCode(for: error) == .success {
            print(fullMessage(for: error))
            Foundation.exit(0)
        }
        let lines = message(for: error).split(separator: "\n").joined(separator: " ")
        FileHandle.standardError.write(Data("posed: \(lines) (posed --help says more)\n".utf8))
        Foundation.exit(2)
    }
}
