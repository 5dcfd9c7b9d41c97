import ArgumentParser

/// `posekit backends`: what this machine can compute with.
struct BackendsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends",
        abstract: "List the compute backends of this machine, or test one.",
        discussion: """
            Backends are plugins, libposed-backend-NAME.so, found in --path, in POSED_BACKEND_PATH, \
            beside posekit, in ../lib/posed/backends seen from there, and in /usr/lib/posed/backends.

            EXAMPLES
              posekit backends list
              posekit backends test cpu
            """,
        subcommands: [BackendsListCommand.self, BackendsTestCommand.self],
        defaultSubcommand: BackendsListCommand.self)
}
