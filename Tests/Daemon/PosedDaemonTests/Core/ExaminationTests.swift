import Foundation
import PosedDaemon
import PosedTesting
import Testing

@Suite("A configuration is examined before anything is loaded")
struct ExaminationTests {
    private let folder: TemporaryFolder
    /// A model that there is, and a backend by name.
    private let values: SettingValues

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("", to: "libposed-backend-fake.so")
        values = SettingValues().with(Settings.Model.folder, Goldens.model("tiny").path)
            .with(Settings.Model.backendPath, folder.path).with(Settings.Model.backend, "fake")
    }

    private func problems(_ values: SettingValues, socket: Bool = false) async -> [String] {
        do {
            try await DaemonConfiguration(values: values).examine(socket: socket)
            return []
        } catch {
            return error.list.map(\.sentence)
        }
    }

    /// Expects one problem, which begins so.
    private func expect(
        _ beginning: String, _ values: SettingValues, socket: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let found = await problems(values, socket: socket)
        #expect(found.count == 1, "\(found)", sourceLocation: sourceLocation)
        #expect(
            found.first?.hasPrefix(beginning) == true, "\(found)", sourceLocation: sourceLocation)
    }

    @Test("and passes where all is there")
    func good() async {
        #expect(await problems(values) == [])
    }

    @Test("for a model")
    func model() async {
        await expect(
            "model.folder should name a model's folder; \(folder.path): no model_index.json",
            values.with(Settings.Model.folder, folder.path))
    }

    @Test("for backends of these names")
    func backends() async {
        await expect(
            "model.backend should name backends that there are; 'nosuch' is not, found: ",
            values.with(Settings.Model.backend, "fake,vae=nosuch"))
    }

    @Test("for solvers, and the one that requests get")
    func solvers() async throws {
        #expect(await problems(values.with(Settings.Sampling.solver, "heun")) == [])
        await expect(
            "sampling.solver should name a solver that there is; unknown solver \"nope\"",
            values.with(Settings.Sampling.solver, "nope"))
        let file = try folder.write("{}", to: "tableau.json")
        await expect(
            "solvers.files should name files of solvers; ",
            values.with(Settings.Model.solverFiles, [file]))
        await expect(
            "solvers.libraries should name libraries of solvers; ",
            values.with(Settings.Model.solverLibraries, [file]))
    }

    @Test("for tokens that are long enough")
    func tokens() async throws {
        let file = try folder.write("ada short\n", to: "tokens")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        await expect(
            "authentication.tokensFile should name a file of tokens; \(file):1: a token has",
            values.with(Settings.Authentication.tokensFile, file))
    }

    @Test("for the folder of the socket, where the daemon makes that itself")
    func socket() async {
        let lost = values.with(Settings.Listen.unixPath, folder.path + "/none/posed.sock")
        await expect(
            "listen.unix.path should be in a folder that there is; \(folder.path)/none is none",
            lost, socket: true)
        #expect(await problems(lost, socket: false) == [])
        let found = values.with(Settings.Listen.unixPath, folder.path + "/posed.sock")
        #expect(await problems(found, socket: true) == [])
    }

    @Test("for certificates that belong to their keys")
    func certificates() async throws {
        func with(_ certificate: String, _ key: String, _ roots: String? = nil) -> SettingValues {
            values.with(Settings.Listen.certificate, certificate).with(Settings.Listen.key, key)
                .with(Settings.Listen.clientCA, roots)
        }
        let (one, other) = (try certificate("one"), try certificate("other"))
        #expect(await problems(with(one.certificate, one.key, other.certificate)) == [])
        await expect(
            "listen.tcp.tls.key should belong to the certificate; ",
            with(one.certificate, other.key))
        let text = try folder.write("no certificate\n", to: "text")
        await expect(
            "listen.tcp.tls.certificate should name a PEM file; \(text) is none",
            with(text, one.key))
        await expect(
            "listen.tcp.tls.clientCA should name a PEM file; \(text) is none",
            with(one.certificate, one.key, text))
    }

    /// A certificate that signs itself, and its key.
    private func certificate(_ name: String) throws -> (certificate: String, key: String) {
        let (certificate, key) = (folder.path + "/\(name).crt", folder.path + "/\(name).key")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=\(name)",
            "-keyout", key, "-out", certificate,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return (certificate, key)
    }
}
