import ArgumentParser
import PosedOptions
import PosedProtos

/// `posectl demo`.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "A sample person moves: frames in a folder, and how fast they came.",
        discussion: """
            The sample people come with the default model. They are looked for in \
            ../share/posed/models/default/samples beside the folder of this program, and in \
            weights/default/samples below the working folder; --samples names another folder, which \
            has a folder for each person with source.png and pose files such as wave.jsonl.

            EXAMPLES
              posectl demo
              posectl demo cleo --motion turn --out turning
            """)

    @OptionGroup var connection: ConnectionOptions

    @Argument(help: ArgumentHelp("The person; the first one by default.", valueName: "person"))
    var person: String?

    @Option(help: ArgumentHelp("The sequence of poses.", valueName: "name"))
    var motion = "wave"

    @Option(
        help: ArgumentHelp("The folder of the sample people.", valueName: "folder"),
        completion: .directory)
    var samples: String?

    @Option(
        help: ArgumentHelp("The folder for the frames.", valueName: "folder"),
        completion: .directory)
    var out = "posed-demo"

    @OptionGroup(title: "Settings") var settings: SettingsOptions

    @Flag(help: "Print what became of the stream and of every pose, as JSON.")
    var json = false

    func run() async throws {
        let sample = try SamplePeople(folder: samples).sample(person, motion: motion)
        let reader = try PoseReader([sample.poses])
        let source = try InputFile.picture(sample.source)
        let output = try FolderOutput(out)
        let client = try await Client(connection)
        let (report, failure) = try await TemporarySession.with(
            client, [Posed_V1_Sources([source], model: nil)]
        ) { sessions in
            var start = Posed_V1_StreamStart()
            start.session = sessions[0]
            start.settings = settings.message
            let run = StreamRun(
                client: client, start: start, reader: reader, output: output, rate: nil, ahead: 2,
                deadline: nil)
            return try await run.report()
        }
        Terminal.clearProgress()
        if json {
            try JSON.show(report)
        } else {
            print(
                "\(sample.person), \(motion): \(report.frames) frames in "
                    + "\(Text.number(report.seconds, decimals: 2)) s, "
                    + "\(Text.number(report.framesPerSecond, decimals: 1)) a second. "
                    + "They are in \(out).")
        }
        if let failure { throw failure }
        if report.failed > 0 {
            throw PosectlError(.refused, "\(report.failed) of \(report.poses.count) poses failed")
        }
    }
}
