internal import Foundation
internal import PosedDaemon
internal import PosedSystemd

/// The daemon's process around a core that computes nothing. Arguments: a configuration file, or none.
@main
struct Rehearsal {
    static func main() async {
        let activated = Result { () throws(SystemdError) in try ListenDescriptors.take() }
        let environment = ProcessInfo.processInfo.environment
        let process = DaemonProcess(
            source: ConfigurationSource(
                file: CommandLine.arguments.dropFirst().first, environment: environment, flags: []),
            environment: environment, activated: activated)
        let status = await process.run { _, _ in RehearsalCore(environment: environment) }
        exit(status.rawValue)
    }
}
