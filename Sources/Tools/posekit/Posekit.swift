import ArgumentParser
import CPosedVersion
import Foundation
import PosedOptions

/// `posekit`: the engine without a daemon.
@main
struct Posekit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "posekit",
        abstract: "The person of a picture in a new pose, and tools around it.",
        discussion: """
            Every command has examples in its --help. The exit status is 0 on success, 1 when \
            something failed, and 2 when the command line was not understood.

            EXAMPLES
              posekit synthesize --model MODEL --source a.png --pose p.json --out out.png
              posekit bench --preset S --json bench.json
              posekit backends list
            """,
        version: POSED_VERSION,
        subcommands: [
            SynthesizeCommand.self, RunCommand.self, EvalCommand.self, BenchCommand.self,
            SheetCommand.self, BackendsCommand.self, ProbeBackendCommand.self,
        ])

    /// Runs the command that the arguments name. What fails is one sentence on stderr.
    static func main() {
        do {
            var command = try parseAsRoot()
            do {
                try command.run()
            } catch {
                finish(error)
            }
        } catch {
            finish(parsing: error)
        }
    }

    /// Ends the process after a command failed.
    private static func finish(_ error: any Error) -> Never {
        if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
        // Help for a command comes from a command of its own.
        let code = exitCode(for: error)
        if code == .success || code == .validationFailure { finish(parsing: error) }
        complain(ErrorSentence.text(error))
        Foundation.exit(1)
    }

    /// Ends the process with what the parser has to say: help, or why it did not understand.
    private static func finish(parsing error: any Error) -> Never {
        if exitCode(for: error) == .success {
            print(fullMessage(for: error))
            Foundation.exit(0)
        }
        complain(ErrorSentence.line(message(for: error)) + " (posekit --help says more)")
        Foundation.exit(2)
    }

    private static func complain(_ sentence: String) {
        Terminal.clearProgress()
        FileHandle.standardError.write(Data("posekit: \(sentence)\n".utf8))
    }
}
