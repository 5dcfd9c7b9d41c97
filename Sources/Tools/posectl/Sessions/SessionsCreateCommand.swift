import ArgumentParser
import PosedOptions
import PosedProtos
import SwiftProtobuf

/// `posectl sessions create`.
struct SessionsCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Encodes pictures of a person, and prints the session's name.",
        discussion: """
            The settings are what the session's frames are made with where a request does not say \
            otherwise.

            EXAMPLES
              posectl sessions create --source person.png
              posectl sessions create --source front.png --source back.png --name Ada --ttl 2h --nfe 8
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(
        help: ArgumentHelp(
            "A picture of the person, PNG, JPEG or WebP; may be repeated, the main one first.",
            valueName: "file"),
        completion: .file(extensions: ["png", "jpg", "jpeg", "webp"]))
    var source: [String] = []

    @OptionGroup(title: "Source") var framing: FramingOptions

    @Option(help: ArgumentHelp("A name for people.", valueName: "text"))
    var name = ""

    @Option(
        help: ArgumentHelp(
            "The id of the session, sessions/ID; the daemon chooses one where it is not given.",
            valueName: "id"))
    var id: String?

    @Option(help: ArgumentHelp("A model, as `posectl models` lists them.", valueName: "name"))
    var model: String?

    @Option(
        help: ArgumentHelp("How long it lives without a request.", valueName: "time"),
        transform: Duration.parsed)
    var ttl: Duration?

    @Option(help: "How its pictures travel where a request does not say.")
    var format: PictureFormat?

    @OptionGroup(title: "Settings") var settings: SettingsOptions

    @Flag(help: "Print JSON.")
    var json = false

    mutating func validate() throws {
        if source.isEmpty { throw ValidationError("--source: expected a picture of the person") }
    }

    func run() async throws {
        var request = Posed_V1_CreateSessionRequest(
            Posed_V1_Sources(try framing.pictures(source), model: model))
        request.sourceFit = framing.message
        request.displayName = name
        if let id { request.sessionID = id }
        request.defaultSettings = settings.message
        if let format { request.defaultSettings.imageFormat = format.message }
        if let ttl { request.ttl = Google_Protobuf_Duration(rounding: ttl) }
        let client = try await Client(connection)
        let session = try await client.call(
            SessionMethods.create, request, session: id.map { "sessions/" + $0 })
        if session.sourceCount < source.count {
            Terminal.note(
                Text.line(
                    "of \(source.count) pictures \(session.model) counts the first \(session.sourceCount)"
                ))
        }
        if json { return try JSON.show(session) }
        print(Text.line(session.name))
    }
}
