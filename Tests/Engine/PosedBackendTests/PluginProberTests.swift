import Foundation
import PosedBackend
import Testing

@Suite struct PluginProberTests {
    private static let file = "libposed-backend-crashing.so"

    private func report(_ mode: String) throws -> ProbeReport {
        try Plugins.prober(crashMode: mode).probe([Plugins.file("crashing")])[0]
    }

    @Test(arguments: [
        ("sigill", "was killed by SIGILL"), ("segv", "was killed by SIGSEGV"),
        ("abort", "was killed by SIGABRT"), ("fpe", "was killed by SIGFPE"),
        ("exit", "left with status 7 instead of answering"),
        ("exit-0", "left with status 0 instead of answering"),
        ("constructor-sigill", "was killed by SIGILL"),
        ("constructor-exit", "left with status 3 instead of answering"),
        ("entry-segv", "was killed by SIGSEGV"),
    ])
    func deathIsReported(mode: String, sentence: String) throws {
        let report = try report(mode)
        #expect(report.status == .crashed)
        #expect(report.score == 0)
        #expect(report.summary == "\(Self.file): the probe \(sentence)")
    }

    @Test(arguments: ["hang", "constructor-hang", "fork-hang"])
    func hangIsEnded(mode: String) throws {
        let prober = try Plugins.prober(crashMode: mode, timeLimit: .milliseconds(300))
        let report = try prober.probe([Plugins.file("crashing")])[0]
        #expect(report.status == .crashed)
        #expect(report.summary.contains("hung"))
    }

    @Test(arguments: [
        ("lie-abi", "was built for ABI 2.0, and this host speaks \(BackendABI.host)"),
        ("lie-minor", "this host speaks \(BackendABI.host)"),
        ("lie-size", "its table has 24 bytes"), ("null-name", "has no name"),
        ("lie-name", "calls itself \"blas\", and its file says \"crashing\""),
        ("null-slot", "its table has no function attention"),
        ("null-last-slot", "its table has no function quantize"),
        ("entry-null", "says that it does not fit"),
    ])
    func lieIsFoundOut(mode: String, sentence: String) throws {
        let report = try report(mode)
        #expect(report.status == .incompatible)
        #expect(report.summary.hasPrefix("\(Self.file): "))
        #expect(report.summary.contains(sentence))
    }

    @Test(arguments: ["zero", "no-devices", "negative", "error", "error-empty"])
    func unsuitablePluginHasNoScore(mode: String) throws {
        let report = try report(mode)
        #expect(report.status == .unsuitable)
        #expect(report.score == 0)
        #expect(!report.summary.isEmpty)
    }

    @Test func errorOfTheProbeIsPassedOn() throws {
        #expect(try report("error").summary.contains("nothing works today"))
    }

    @Test func probesInheritNoFiles() throws {
        let nowhere = open("/dev/null", O_RDONLY)
        // A number that the child's own files do not get, and no mark that closes it for other programs.
        let number = fcntl(nowhere, F_DUPFD, 400)
        defer { [nowhere, number].forEach { _ = close($0) } }
        #expect(number >= 400)
        #expect(try report("descriptor-\(number)").summary.contains("closed"))
    }

    @Test(arguments: ["works", "constructor-output"])
    func printingDoesNotCount(mode: String) throws {
        let report = try report(mode)
        #expect(report.status == .usable)
        #expect(report.score == 1)
        #expect(report.devices == 1)
        #expect(report.summary == "crashes on request, and not now")
    }

    @Test func summaryWithoutAnEndIsCut() throws {
        #expect(try report("unterminated").summary == String(repeating: "x", count: 256))
    }

    @Test func oneDeathDoesNotTouchTheOthers() throws {
        let files = try ["crashing", "example", "crashing"].map(Plugins.file)
        let reports = try Plugins.prober().probe(files)
        #expect(reports.map(\.status) == [.crashed, .usable, .crashed])
    }

    @Test func fileThatIsNoLibraryIsIncompatible() throws {
        try Plugins.withFolder { folder in
            let file = try PluginFile(path: folder + "/libposed-backend-x.so")
            try Data("not a library".utf8).write(to: URL(fileURLWithPath: file.path))
            let report = try Plugins.prober().probe([file])[0]
            #expect(report.status == .incompatible)
            #expect(report.summary.hasPrefix("libposed-backend-x.so: "))
        }
    }

    @Test func libraryWithoutAnEntryIsIncompatible() throws {
        try Plugins.withFolder { folder in
            let libraries = ["/lib/x86_64-linux-gnu/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6"]
            let library = try #require(libraries.first(where: FileManager.default.fileExists))
            let file = try PluginFile(path: folder + "/libposed-backend-m.so")
            try FileManager.default.copyItem(atPath: library, toPath: file.path)
            let report = try Plugins.prober().probe([file])[0]
            #expect(report.status == .incompatible)
            #expect(report.summary.contains("posed_backend_entry"))
        }
    }

    @Test func helperThatCannotRunIsReported() throws {
        let prober = try PluginProber(helper: "/nowhere/posekit")
        let report = try prober.probe([Plugins.file("example")])[0]
        #expect(report.status == .unsuitable)
        #expect(report.summary.contains("/nowhere/posekit"))
    }
}
