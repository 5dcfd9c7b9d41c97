internal import Foundation
internal import PosedBackend
internal import PosedPipeline
internal import PosedRPC
internal import PosedSolvers

extension DaemonConfiguration {
    /// Looks into the files and the folders that the settings name, and for the backends: what would
    /// otherwise be found out when the model is loaded and warm.
    ///
    /// - Parameter socket: whether the Unix socket's folder should be there: not where the service
    ///   manager opens the socket, or has yet to make the folder.
    /// - Throws: ``ConfigurationProblems`` with all that is wrong.
    package func examine(socket: Bool) async throws(ConfigurationProblems) {
        var problems = model() + backends() + solvers()
        if socket { problems += socketFolder() }
        do {
            _ = try tokens()
        } catch {
            problems += error.list
        }
        problems += await tls()
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    }

    /// The bearer tokens; none where there is no file of them.
    func tokens() throws(ConfigurationProblems) -> TokenFile {
        let setting = Settings.Authentication.tokensFile
        do {
            return try TokenFile(self[setting])
        } catch {
            throw ConfigurationProblems([
                problem(setting, "should name a file of tokens; \(error.message)")
            ])
        }
    }

    private func model() -> [ConfigurationProblem] {
        let setting = Settings.Model.folder
        guard let path = self[setting] else { return [] }
        do {
            _ = try ModelFolder(path: path)
            return []
        } catch {
            return [problem(setting, "should name a model's folder; \(error)")]
        }
    }

    /// Looks for the plugins by name; whether they can be used, their probe says when the model is loaded.
    private func backends() -> [ConfigurationProblem] {
        let setting = Settings.Model.backend
        guard let placements = try? Placement.copies(parsing: self[setting]) else { return [] }
        let found = PluginSearchPath.standard(explicit: self[Settings.Model.backendPath])
            .plugins().map(\.name)
        let wanted = Set(
            placements.flatMap { placement in Placement.Part.allCases.map { placement[$0].plugin } }
        )
        let inventory =
            found.isEmpty ? "none was found" : "found: \(found.sorted().joined(separator: ", "))"
        return wanted.map { $0 ?? "" }.sorted().compactMap { name -> ConfigurationProblem? in
            if name.isEmpty {
                guard found.isEmpty else { return nil }
                return problem(setting, "should have a backend to choose; \(inventory)")
            }
            guard !found.contains(name) else { return nil }
            return problem(
                setting, "should name backends that there are; '\(name)' is not, \(inventory)")
        }
    }

    private func solvers() -> [ConfigurationProblem] {
        typealias Model = Settings.Model
        var registry = SolverRegistry()
        do {
            for path in self[Model.solverFiles] { try registry.add(file: path) }
        } catch {
            return [problem(Model.solverFiles, "should name files of solvers; \(error)")]
        }
        do {
            for path in self[Model.solverLibraries] { try registry.add(library: path) }
        } catch {
            return [problem(Model.solverLibraries, "should name libraries of solvers; \(error)")]
        }
        let setting = Settings.Sampling.solver
        guard let name = self[setting] else { return [] }
        do {
            _ = try registry.tableau(name)
            return []
        } catch {
            return [problem(setting, "should name a solver that there is; \(error)")]
        }
    }

    private func socketFolder() -> [ConfigurationProblem] {
        let setting = Settings.Listen.unixPath
        guard let path = self[setting] else { return [] }
        let folder = (path as NSString).deletingLastPathComponent
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
        guard exists, isFolder.boolValue else {
            return [problem(setting, "should be in a folder that there is; \(folder) is none")]
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            return [
                problem(
                    setting, "should be in a folder that this user can write in; \(folder) is not")
            ]
        }
        return []
    }
}

extension DaemonConfiguration {
    /// Tries out the certificate with its key, and then with the authorities.
    private func tls() async -> [ConfigurationProblem] {
        typealias Listen = Settings.Listen
        guard let certificate = self[Listen.certificate], let key = self[Listen.key] else {
            return []
        }
        let texts = [Listen.certificate, Listen.key, Listen.clientCA].filter { setting in
            self[setting].map { !Self.holdsPEM($0) } ?? false
        }
        guard texts.isEmpty else {
            return texts.map { problem($0, "should name a PEM file; \(values.text($0)) is none") }
        }
        let identity = CertificateFiles(certificate: certificate, key: key)
        if let refusal = await Self.refusal(.init(identity: identity)) {
            return [problem(Listen.key, "should belong to the certificate; \(refusal)")]
        }
        guard let roots = self[Listen.clientCA] else { return [] }
        let files = ServerSecurity.TLS(
            identity: identity, clientRoots: roots,
            requiresClientCertificate: self[Listen.requireClientCertificate])
        guard let refusal = await Self.refusal(files) else { return [] }
        return [problem(Listen.clientCA, "should hold certificates; \(refusal)")]
    }

    private static func holdsPEM(_ path: String) -> Bool {
        guard let data = FileManager.default.contents(atPath: path) else { return false }
        return data.range(of: Data("-----BEGIN ".utf8)) != nil
    }

    /// What a server says that is to serve with these files, on a port that nobody knows; nil where it can.
    private static func refusal(_ files: ServerSecurity.TLS) async -> String? {
        let server = Server(
            configuration: ServerConfiguration(endpoints: [
                .tcp(host: "127.0.0.1", port: 0, security: .tls(files))
            ]), router: Router())
        do {
            try server.start()
        } catch {
            // That there is no such port is not the files' fault.
            return error.code == .failedPrecondition ? error.message : nil
        }
        server.beginGracefulShutdown()
        await server.stopped()
        return nil
    }
}
