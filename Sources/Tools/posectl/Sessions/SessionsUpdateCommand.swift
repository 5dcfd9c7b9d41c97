import ArgumentParser
import PosedProtos
import SwiftProtobuf

/// `posectl sessions update`.
struct SessionsUpdateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Changes a session's name for people, its default settings or its time to live.",
        discussion: """
            Default settings are replaced as a whole by those given; what is not mentioned at all \
            stays.

            EXAMPLES
              posectl sessions update sessions/… --ttl 8h
              posectl sessions update sessions/… --name Ada --nfe 8 --solver heun
              posectl sessions update sessions/… --clear-settings
            """)

    @OptionGroup var query: QueryOptions

    @Argument(help: "The session.")
    var session: SessionName

    @Option(help: ArgumentHelp("A name for people.", valueName: "text"))
    var name: String?

    @Option(
        help: ArgumentHelp("How long it lives without a request.", valueName: "time"),
        transform: Duration.parsed)
    var ttl: Duration?

    @Option(help: "How its pictures travel where a request does not say.")
    var format: PictureFormat?

    @OptionGroup(title: "Settings") var settings: SettingsOptions

    @Flag(help: "Forget its default settings.")
    var clearSettings = false

    mutating func validate() throws {
        if try request().updateMask.paths.isEmpty {
            throw ValidationError("nothing to change: --name, --ttl, --format or settings")
        }
    }

    /// What is to change.
    func request() throws -> Posed_V1_UpdateSessionRequest {
        var request = Posed_V1_UpdateSessionRequest()
        request.session.name = session.name
        if let name {
            request.session.displayName = name
            request.updateMask.paths.append("display_name")
        }
        var defaults = settings.message
        if let format { defaults.imageFormat = format.message }
        let saysSomething = defaults != Posed_V1_SynthesisSettings()
        if saysSomething, clearSettings {
            throw ValidationError("--clear-settings and settings exclude each other")
        }
        if saysSomething || clearSettings {
            request.session.defaultSettings = defaults
            request.updateMask.paths.append("default_settings")
        }
        if let ttl {
            request.session.ttl = Google_Protobuf_Duration(rounding: ttl)
            request.updateMask.paths.append("ttl")
        }
        return request
    }

    func run() async throws {
        try await query.show(SessionMethods.update, try request(), session: session.name) {
            SessionsCommand.table([$0])
        }
    }
}
