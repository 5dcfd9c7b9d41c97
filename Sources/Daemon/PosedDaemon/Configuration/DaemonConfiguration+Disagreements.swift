internal import Foundation
internal import PosedBase

extension DaemonConfiguration {
    /// What is wrong with values that are right by themselves: they contradict each other, or the machine.
    func disagreements() -> [ConfigurationProblem] {
        listening() + certificates() + store() + ranges() + files()
    }

    /// What is wrong with a setting, and where its value stands.
    func problem(_ setting: any AnySetting, _ sentence: String) -> ConfigurationProblem {
        let origin = values.origin(setting)
        return ConfigurationProblem(
            origin == "default" ? file ?? "configuration" : origin, "\(setting.key) \(sentence)")
    }

    private func listening() -> [ConfigurationProblem] {
        typealias Listen = Settings.Listen
        var problems: [ConfigurationProblem] = []
        let addresses = self[Listen.tcpAddresses]
        if self[Listen.unixPath] == nil, addresses.isEmpty {
            problems.append(
                problem(
                    Listen.tcpAddresses,
                    "should have an address where listen.unix.path is none; nobody could call"))
        }
        if let path = self[Listen.unixPath], path.utf8.count > 107 {
            problems.append(
                problem(
                    Listen.unixPath,
                    "should have at most 107 bytes, as sockets do; it has \(path.utf8.count)"))
        }
        if Set(addresses).count < addresses.count {
            problems.append(problem(Listen.tcpAddresses, "should have each address once"))
        }
        let open = addresses.filter { !$0.isLoopback }
        if let first = open.first, self[Listen.certificate] == nil, !self[Listen.tcpInsecure] {
            problems.append(
                problem(
                    Listen.tcpAddresses,
                    "should be this machine's own where there is no listen.tcp.tls.certificate; "
                        + "\(first) is not (listen.tcp.insecure: true allows it)"))
        }
        if let address = self[Settings.HTTP.address], !address.isLoopback,
            self[Listen.certificate] == nil, !self[Listen.tcpInsecure]
        {
            problems.append(
                problem(
                    Settings.HTTP.address,
                    "should be this machine's own where there is no listen.tcp.tls.certificate; "
                        + "\(address) is not (listen.tcp.insecure: true allows it)"))
        }
        return problems
    }

    private func certificates() -> [ConfigurationProblem] {
        typealias Listen = Settings.Listen
        var problems: [ConfigurationProblem] = []
        let certificate = self[Listen.certificate]
        if certificate != nil, self[Listen.key] == nil {
            problems.append(problem(Listen.key, "should be set where a certificate is"))
        }
        for setting in [Listen.key, Listen.clientCA]
        where self[setting] != nil && certificate == nil {
            problems.append(
                problem(setting, "should go with a listen.tcp.tls.certificate; there is none"))
        }
        if self[Listen.requireClientCertificate], self[Listen.clientCA] == nil {
            problems.append(
                problem(
                    Listen.requireClientCertificate,
                    "should go with a listen.tcp.tls.clientCA to check certificates with; there is none"
                ))
        }
        return problems
    }

    private func store() -> [ConfigurationProblem] {
        typealias Store = Settings.Store
        let folder = Settings.Sessions.stateDirectory
        guard self[Store.address] != nil else {
            let idle: [any AnySetting] =
                (self[Store.authFile] == nil ? [] : [Store.authFile])
                + (self[Store.conditioning] ? [Store.conditioning] : [])
            return idle.map { problem($0, "should go with a sessions.store; there is none") }
        }
        guard self[folder] != nil, values.origin(folder) != ConfigurationLayer.stateVariable else {
            return []
        }
        return [
            problem(
                folder, "should be none where sessions.store is set: sessions are kept in one place"
            )
        ]
    }

    private func ranges() -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        func atMost<Value: Comparable>(_ small: Setting<Value>, _ large: Setting<Value>) {
            guard self[small] > self[large] else { return }
            problems.append(
                problem(
                    small,
                    "should be at most \(large.key), \(values.text(large)); it is \(values.text(small))"
                ))
        }
        typealias Limits = Settings.Limits
        atMost(Limits.connectionsPerPeer, Limits.connections)
        atMost(Limits.openCallsPerPeer, Limits.openCalls)
        atMost(Limits.callsPerIdentity, Limits.calls)
        atMost(Limits.streamsPerIdentity, Limits.streams)
        atMost(Limits.streamsPerIdentity, Limits.callsPerIdentity)
        atMost(Limits.sessionsPerIdentity, Limits.sessions)
        atMost(Limits.queuedFramesPerIdentity, Limits.queuedFrames)
        problems += shares() + steps()
        atMost(Settings.Sessions.idleTimeout, Settings.Sessions.maxIdleTimeout)
        atMost(Settings.RPC.keepaliveTimeout, Settings.RPC.keepaliveTime)
        if let nfe = self[Settings.Sampling.nfe], nfe > self[Settings.Limits.maxNfe] {
            problems.append(
                problem(
                    Settings.Sampling.nfe,
                    "should be at most limits.maxNfe, \(self[Settings.Limits.maxNfe]); it is \(nfe)"
                ))
        }
        return problems
    }

    /// What is wrong with shares of memory: one is larger than what it is a share of.
    private func shares() -> [ConfigurationProblem] {
        typealias Limits = Settings.Limits
        let pairs: [(Setting<Int?>, Setting<Int?>)] = [
            (Limits.bytesInFlightPerIdentity, Limits.bytesInFlight),
            (Limits.sessionBytesPerIdentity, Limits.sessionBytes),
            (Limits.bytesInFlight, Limits.memory), (Limits.sessionBytes, Limits.memory),
            (Settings.Sessions.poseCacheBytes, Limits.memory),
        ]
        var problems: [ConfigurationProblem] = []
        do throws(ConfigurationProblems) {
            _ = try memoryShares(idle: 0)
        } catch {
            problems = error.list
        }
        return problems
            + pairs.compactMap { small, large in
                guard let part = self[small], let whole = self[large], part > whole else {
                    return nil
                }
                return problem(
                    small,
                    "should be at most \(large.key), \(values.text(large)); it is \(values.text(small))"
                )
            }
    }

    /// What is wrong with the time of a step: the daemon would take itself for stuck.
    private func steps() -> [ConfigurationProblem] {
        let (step, stall) = (Settings.Limits.stepTime, Settings.Operations.stallTimeout)
        guard let most = self[step], most * 2 > self[stall] else { return [] }
        return [
            problem(
                step,
                "should be at most half of watchdog.stallTimeout, \(values.text(stall)); it is "
                    + values.text(step))
        ]
    }

    private func files() -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        func check(_ setting: any AnySetting, _ path: String?, folder: Bool, write: Bool = false) {
            guard let path else { return }
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                problems.append(problem(setting, "should name what is there; \(path) is not"))
                return
            }
            if isFolder.boolValue != folder {
                let what = folder ? "a folder" : "a file"
                problems.append(problem(setting, "should name \(what); \(path) is none"))
            } else if access(path, folder ? R_OK | X_OK | (write ? W_OK : 0) : R_OK) != 0 {
                let verb = write ? "written" : "read"
                problems.append(
                    problem(
                        setting, "should name what this user can have \(verb); \(path) cannot be"))
            }
        }
        typealias Model = Settings.Model
        if self[Model.folder] == nil {
            problems.append(problem(Model.folder, "should name the folder of a model; it is none"))
        }
        check(Model.folder, self[Model.folder], folder: true)
        check(Model.backendPath, self[Model.backendPath], folder: true)
        check(Settings.HTTP.samples, self[Settings.HTTP.samples], folder: true)
        for path in self[Model.solverFiles] { check(Model.solverFiles, path, folder: false) }
        for path in self[Model.solverLibraries] {
            check(Model.solverLibraries, path, folder: false)
        }
        let state = Settings.Sessions.stateDirectory
        check(state, self[state], folder: true, write: true)
        for setting in [
            Settings.Listen.certificate, Settings.Listen.key, Settings.Listen.clientCA,
            Settings.Authentication.tokensFile, Settings.Store.authFile,
        ] { check(setting, self[setting], folder: false) }
        return problems
    }
}
