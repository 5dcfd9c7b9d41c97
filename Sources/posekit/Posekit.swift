import ArgumentParser

@main
struct Posekit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "posekit",
        abstract: "The person of a picture in a new pose, and tools around it.",
        subcommands: [BackendsCommand.self, ProbeBackendCommand.self])
}
