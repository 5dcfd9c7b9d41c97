import ArgumentParser
import PosedBackend

/// `posekit probe-backend PATH`: the child process in which a plugin is tried out. Not for people.
struct ProbeBackendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ProbeChild.command, abstract: "Probe one backend plugin.",
        shouldDisplay: false)

    @Argument(help: "The plugin's file.")
    var path: String

    func run() { ProbeChild.run(path: path) }
}
