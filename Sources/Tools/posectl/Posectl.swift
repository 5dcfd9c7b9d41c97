import ArgumentParser
import CPosedVersion
import Foundation
import PosedOptions

/// `posectl`: talks to the daemon.
@main
struct Posectl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "posectl",
        abstract: "Sessions, pictures and streams of a running posed.",
        discussion: """
            The daemon is found at --address, else at POSED_ADDRESS, else at \
            unix:\(ServerAddress.defaultPath). Every command has examples in its --help.

            The exit status is 0 on success, 1 when the daemon refused a request or could not fulfil \
            it, 2 when the command line was not understood, 3 when the daemon could not be reached, \
            4 when a file could not be read or written, and 128 plus the signal when the command was \
            interrupted.

            Completions: posectl --generate-completion-script bash, zsh or fish.

            EXAMPLES
              posectl demo
              posectl status
              posectl sessions create --source person.png
              posectl synthesize --session sessions/… --pose pose.json --out frame.png
              posectl stream --session sessions/… --poses walk/ --out frames/ --rate 25
              posectl bench --concurrency 4 --duration 30s
            """,
        version: POSED_VERSION,
        subcommands: [
            StatusCommand.self, SessionsCommand.self, SynthesizeCommand.self, StreamCommand.self,
            ModelsCommand.self, BackendsCommand.self, SolversCommand.self, HealthCommand.self,
            BenchCommand.self, DemoCommand.self, StudioCommand.self,
        ])

    /// Runs the command that the arguments name, until it is over or a signal cancels it.
    static func main() async {
        let work = Task { await Posectl.perform() }
        let listening = Interruption.cancels(work)
        await work.value
        for source in listening { source.cancel() }
        if let status = Interruption.exitStatus { Foundation.exit(status) }
    }

    /// Runs the command. What fails is one sentence on stderr, and the end of the process.
    private static func perform() async {
        do {
            var command = try parseAsRoot()
            do {
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            } catch {
                finish(error)
            }
        } catch {
            finish(parsing: error)
        }
    }

    /// Ends the process after a command failed.
    private static func finish(_ error: any Error) -> Never {
        if let status = Interruption.exitStatus {
            complain(PosectlError(CancellationError()).message)
            Foundation.exit(status)
        }
        if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
        let parsing = exitCode(for: error)
        if parsing == .success || parsing == .validationFailure { finish(parsing: error) }
        let problem = PosectlError(error)
        complain(problem.message)
        Foundation.exit(problem.code.exitStatus)
    }

    /// Ends the process with what the parser has to say: help, or why it did not understand.
    private static func finish(parsing error: any Error) -> Never {
        if exitCode(for: error) == .success {
            print(fullMessage(for: error))
            Foundation.exit(0)
        }
        complain(Text.line(message(for: error)) + " (posectl --help says more)")
        Foundation.exit(2)
    }

    private static func complain(_ sentence: String) {
        Terminal.clearProgress()
        FileHandle.standardError.write(Data("posectl: \(sentence)\n".utf8))
    }
}
