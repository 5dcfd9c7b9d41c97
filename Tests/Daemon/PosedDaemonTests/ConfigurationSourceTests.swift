internal import Configuration
internal import Foundation
internal import Logging
internal import PosedAccounts
internal import PosedBase
internal import PosedDaemon
internal import PosedStore
internal import Testing

@Suite("The configuration")
struct ConfigurationSourceTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func load(
        _ yaml: String, environment: [String: String] = [:], flags: [FlagValue] = []
    ) throws -> DaemonConfiguration {
        let file = try folder.write("model:\n  folder: \(folder.path)\n" + yaml)
        return try ConfigurationSource(file: file, environment: environment, flags: flags).load()
    }

    private func problems(
        _ yaml: String, environment: [String: String] = [:], flags: [FlagValue] = []
    ) throws -> [String] {
        do {
            _ = try load(yaml, environment: environment, flags: flags)
            return []
        } catch let problems as ConfigurationProblems {
            return problems.list.map { $0.description.replacing(folder.path + "/", with: "") }
        }
    }

    @Test("has a default for every key")
    func defaults() throws {
        let configuration = try load("# nothing else\n")
        #expect(configuration[Settings.Limits.sessions] == 256)
        #expect(configuration[Settings.Scheduling.defaultMaxLag] == nil)
        #expect(configuration[Settings.Model.folder] == folder.path)
        #expect(configuration.values.origin(Settings.Model.folder).hasSuffix("posed.yaml:2"))
        #expect(configuration.values.origin(Settings.Limits.maxNfe) == "default")
    }

    @Test(
        "takes relative paths of flags from the working directory, and those of a file not at all")
    func relativePaths() throws {
        let here = FileManager.default.currentDirectoryPath
        let flags = [
            FlagValue(key: "model.folder", texts: ["weights/default"], flag: "--model"),
            FlagValue(key: "listen.unix.path", texts: ["./s"], flag: "--socket"),
            FlagValue(key: "model.backendPath", texts: ["none"], flag: "--set"),
            FlagValue(key: "solvers.files", texts: ["Package.swift,/etc/hostname"], flag: "--set"),
        ]
        let configuration = try load("# nothing else\n", flags: flags)
        #expect(configuration[Settings.Model.folder] == here + "/weights/default")
        #expect(configuration[Settings.Listen.unixPath] == here + "/./s")
        #expect(configuration[Settings.Model.backendPath] == nil)
        #expect(
            configuration[Settings.Model.solverFiles] == [here + "/Package.swift", "/etc/hostname"])
        #expect(try !problems("sessions.stateDirectory: state\n").isEmpty)
    }

    @Test("comes from a file, the environment and flags, later ones winning")
    func precedence() throws {
        let yaml =
            "limits: {sessions: 100, sessionsPerIdentity: 10, sessionBytes: 2GiB}\nlog.level: debug\n"
        let environment = [
            "POSED_LIMITS_SESSIONS": "200", "POSED_LIMITS_SESSIONS_PER_IDENTITY": "20",
            "POSED_LIMITS_MAX_NFE": "", "POSED_LISTEN_TCP_ADDRESSES": "127.0.0.1:1, [::1]:2",
        ]
        let flags = [
            FlagValue(key: "limits.sessions", texts: ["1"], flag: "--set"),
            FlagValue(key: "limits.sessions", texts: ["300"], flag: "--set"),
        ]
        let configuration = try load(yaml, environment: environment, flags: flags)
        #expect(configuration[Settings.Limits.sessions] == 300)
        #expect(configuration[Settings.Limits.sessionsPerIdentity] == 20)
        #expect(configuration[Settings.Limits.sessionBytes] == 2 << 30)
        #expect(configuration[Settings.Operations.logLevel] == .debug)
        #expect(configuration[Settings.Limits.maxNfe] == 200)
        #expect(configuration[Settings.Listen.tcpAddresses].map(\.port) == [1, 2])
        #expect(configuration.values.origin(Settings.Limits.sessions) == "--set")
        #expect(
            configuration.values.origin(Settings.Limits.sessionsPerIdentity)
                == "POSED_LIMITS_SESSIONS_PER_IDENTITY")
    }

    @Test("still knows the keys of earlier versions, and warns of each once")
    func earlierKeys() throws {
        let yaml = "sessions: {maxCount: 100, maxPerOwner: 9}\n"
        let flags = [
            FlagValue(key: "scheduling.maxQueuedFrames", texts: ["70"], flag: "--set")
        ]
        let configuration = try load(
            yaml, environment: ["POSED_SESSIONS_MAX_BYTES": "8MiB"], flags: flags)
        #expect(configuration[Settings.Limits.sessions] == 100)
        #expect(configuration[Settings.Limits.sessionsPerIdentity] == 9)
        #expect(configuration[Settings.Limits.sessionBytes] == 8 << 20)
        #expect(configuration[Settings.Limits.queuedFrames] == 70)
        #expect(
            configuration.warnings.map(\.description).map { $0.drop { $0 != " " } } == [
                " sessions.maxCount is now called limits.sessions",
                " sessions.maxPerOwner is now called limits.sessionsPerIdentity",
                " sessions.maxBytes is now called limits.sessionBytes",
                " scheduling.maxQueuedFrames is now called limits.queuedFrames",
            ])
        #expect(try load("limits: {sessions: 100}").warnings.isEmpty)
    }

    @Test("gives identities limits of their own")
    func identities() throws {
        let yaml = """
            limits:
              callsPerIdentity: 32
              identities: ["token:studio calls=128 sessionBytes=64MiB", "unix:1000 streams=2"]
            """
        let configuration = try load(yaml)
        let limits = configuration.accountLimits(try configuration.memoryShares(idle: 0))
        #expect(limits.bounds(of: .identity("token:studio"))[.calls] == 128)
        #expect(limits.bounds(of: .identity("token:studio"))[.sessionBytes] == 32 << 20)
        #expect(limits.bounds(of: .identity("token:studio"))[.streams] == 32)
        #expect(limits.bounds(of: .identity("unix:1000"))[.streams] == 2)
        #expect(limits.bounds(of: .identity("unix:1000"))[.calls] == 32)
        #expect(limits.bounds(of: .identity("unix:1001"))[.streams] == 32)
        for wrong in [
            "token:studio", "token:* calls=1", "* calls=1", "token:a calls=0", "token:a call=1",
            "token:a calls=1 calls=2", "token:a calls", "calls=1", "token:a sessionBytes=x",
        ] {
            let found = try problems("limits: {identities: ['\(wrong)']}")
            #expect(found.count == 1 && found[0].contains("limits.identities should be a list"))
        }
    }

    @Test("divides its memory so that the parts are less than the whole")
    func memory() throws {
        let usual = try load("log.level: info\n").memoryShares(idle: 100 << 20)
        #expect(usual.total == 2 << 30)
        #expect(usual.sessionBytes == 1 << 30)
        #expect(
            usual.bytesInFlight + usual.sessionBytes + usual.poseBytes + usual.savedBytes
                < usual.total)
        let small = try load("limits: {memory: 512MiB}")
        let shares = try small.memoryShares(idle: 200 << 20)
        #expect(shares.total == 312 << 20)
        #expect(
            shares.bytesInFlight + shares.sessionBytes + shares.poseBytes + shares.savedBytes
                < shares.total)
        let error = #expect(throws: ConfigurationProblems.self) {
            try small.memoryShares(idle: 450 << 20)
        }
        #expect(error?.list.first?.description.contains("450 MiB") == true)
        let limits = usual.sessionBytes
        let bounds = try load("log.level: info\n").accountLimits(usual)
        #expect(bounds.total[.sessionBytes] + bounds.total[.conditioningBytes] == limits)
    }

    @Test("takes away with flags what a file gave")
    func absence() throws {
        let yaml = "listen: {tcp: {addresses: ['127.0.0.1:1']}}\nhttp: {address: '127.0.0.1:2'}\n"
        let flags = [
            FlagValue(key: "listen.tcp.addresses", texts: ["none"], flag: "--listen"),
            FlagValue(key: "http.address", texts: ["none"], flag: "--http"),
        ]
        let configuration = try load(yaml, flags: flags)
        #expect(configuration[Settings.Listen.tcpAddresses].isEmpty)
        #expect(configuration[Settings.Operations.httpAddress] == nil)
    }

    @Test("takes the folder that systemd gives where nobody says where sessions are kept")
    func stateDirectory() throws {
        let setting = Settings.Sessions.stateDirectory
        let given = ["STATE_DIRECTORY": "\(folder.path):/var/lib/other"]
        let configuration = try load("", environment: given)
        #expect(configuration[setting] == folder.path)
        #expect(configuration.values.origin(setting) == "STATE_DIRECTORY")
        #expect(try load("", environment: ["STATE_DIRECTORY": ""])[setting] == nil)
        // Whoever says something has the last word.
        #expect(try load("sessions: {stateDirectory: none}", environment: given)[setting] == nil)
        let other = ["STATE_DIRECTORY": "/nowhere", "POSED_SESSIONS_STATE_DIRECTORY": folder.path]
        #expect(try load("", environment: other)[setting] == folder.path)
        #expect(
            try problems("", environment: ["STATE_DIRECTORY": "/nowhere"]) == [
                "STATE_DIRECTORY: sessions.stateDirectory should name what is there; /nowhere is not"
            ])
        // With a store that daemons share, the folder is not used, and is no contradiction.
        let shared = try load("sessions: {store: 'redis://localhost'}", environment: given)
        #expect(shared[Settings.Store.address]?.description == "redis://localhost:6379")
    }

    @Test("gathers repeated flags of a list")
    func lists() throws {
        let configuration = try load(
            "",
            flags: [
                FlagValue(
                    key: "listen.tcp.addresses", texts: ["127.0.0.1:1", "127.0.0.1:2,[::1]:3"],
                    flag: "--listen"),
                FlagValue(key: "listen.tcp.addresses", texts: ["localhost:4"], flag: "--listen"),
            ])
        #expect(configuration[Settings.Listen.tcpAddresses].map(\.port) == [1, 2, 3, 4])
    }

    @Test("tells everything that is wrong at once, with place and key")
    func everything() throws {
        let yaml = """
            sessions:
              maxCount: many
              idleTimeouts: 3
              idleTimeout: 5
              stateDirectory: [a, b]
            limits: 3
            nonsense: {deep: {deeper: 1}}
            """
        let found = try problems(
            yaml, environment: ["POSED_LOG_LEVEL": "loud", "POSED_UNRELATED": "x"],
            flags: [FlagValue(key: "log.formt", texts: ["json"], flag: "--set")])
        #expect(
            found == [
                "posed.yaml:4: limits.sessions should be a whole number from 1 to 1000000; "
                    + "it is 'many'",
                "posed.yaml:5: sessions.idleTimeouts is not a setting; did you mean "
                    + "sessions.idleTimeout?",
                "posed.yaml:6: sessions.idleTimeout should be a duration such as 250ms, 30s, 5m "
                    + "or 2h, from 1s to 365d; it is '5'",
                "posed.yaml:7: sessions.stateDirectory should be the absolute path of a folder, "
                    + "or none; it is ['a', 'b']",
                "posed.yaml:8: limits should be a section with keys; it has a value",
                "posed.yaml:9: nonsense.deep.deeper is not a setting",
                "POSED_LOG_LEVEL: log.level should be one of trace, debug, info, notice, warning, "
                    + "error, critical; it is 'loud'",
                "--set: log.formt is not a setting; did you mean log.format?",
            ])
    }

    @Test(
        "is YAML",
        arguments: [
            ("a: [", "posed.yaml:4: should be YAML; did not find expected node content"),
            (
                "a: b: c",
                "posed.yaml:3: should be YAML; mapping values are not allowed in this context"
            ),
            (
                "limits: {maxNfe: 3}\nlimits: {maxNfe: 4}",
                "posed.yaml: should have each key of a section once; it has several of limits"
            ),
            (
                "limits: {maxNfe: 3}\nlimits.maxNfe: 4",
                "posed.yaml:4: limits.maxNfe should be there once; line 3 has it too"
            ),
            (
                "solvers: {files: [{a: b}]}",
                "posed.yaml:3: solvers.files should be a list of plain values"
            ),
            ("[a]: b", "posed.yaml:3: a key should be a word"),
        ])
    func broken(yaml: String, problem: String) throws {
        #expect(try problems(yaml).first == problem)
    }

    @Test("is a file of text with keys")
    func files() throws {
        func problem(_ file: String) -> String? {
            do {
                _ = try ConfigurationSource(file: file, environment: [:], flags: []).load()
                return nil
            } catch {
                return error.list.first?.sentence
            }
        }
        #expect(problem("/nowhere.yaml") == "should be a file to read; No such file or directory")
        #expect(problem(folder.path) == "should be a file to read; Is a directory")
        let fifo = folder.path + "/fifo"
        mkfifo(fifo, 0o600)
        #expect(problem(fifo) == "should be a file; it is something else")
        #expect(
            problem(try folder.write("- a\n- b\n")) == "should be keys with values, KEY: VALUE")
        let latin = folder.path + "/latin.yaml"
        try Data([0x6C, 0xE9]).write(to: URL(fileURLWithPath: latin))
        #expect(problem(latin) == "should be UTF-8 text; it is not")
        let large = String(repeating: "# comment\n", count: 110_000)
        #expect(
            problem(try folder.write(large))
                == "should be a configuration of at most 1 MiB; it is larger")
        // Nine lines of aliases that name a thousand million values.
        var bomb = "a0: &a0 {k: v}\n"
        for level in 1...9 {
            let aliases = (0..<9).map { "k\($0): *a\(level - 1)" }.joined(separator: ", ")
            bomb += "a\(level): &a\(level) {\(aliases)}\n"
        }
        #expect(
            problem(try folder.write(bomb)) == "should hold at most 10000 values; it holds more")
    }

    @Test("has values that agree with each other")
    func disagreements() throws {
        let cases: [(String, String)] = [
            ("listen: {unix: {path: none}}", "listen.tcp.addresses should have an address"),
            ("listen: {tcp: {addresses: ['0.0.0.0:1']}}", "should be this machine's own"),
            ("listen: {tcp: {addresses: ['[::1]:1', '[::1]:1']}}", "should have each address once"),
            (
                "listen: {tcp: {tls: {certificate: /etc/hostname}}}",
                "listen.tcp.tls.key should be set"
            ),
            ("listen: {tcp: {tls: {clientCA: /etc/hostname}}}", "should go with a listen.tcp.tls"),
            ("listen: {tcp: {tls: {requireClientCertificate: true}}}", "should go with a listen"),
            ("listen: {unix: {path: /\(String(repeating: "x", count: 107))}}", "at most 107 bytes"),
            ("sessions: {idleTimeout: 2d}", "sessions.idleTimeout should be at most"),
            (
                "limits: {sessions: 3}",
                "limits.sessionsPerIdentity should be at most limits.sessions, 3"
            ),
            ("limits: {queuedFramesPerIdentity: 300}", "should be at most"),
            ("limits: {stepTime: 20s}", "limits.stepTime should be at most half of watchdog"),
            (
                "limits: {memory: 256MiB, sessionBytes: 200MiB}",
                "limits.memory should have room for limits.bytesInFlight, limits.sessionBytes"
            ),
            (
                "limits: {bytesInFlight: 64MiB, bytesInFlightPerIdentity: 65MiB}",
                "limits.bytesInFlightPerIdentity should be at most limits.bytesInFlight, 64MiB"
            ),
            ("rpc: {keepaliveTime: 10s}", "rpc.keepaliveTimeout should be at most"),
            (
                "sampling: {nfe: 300}",
                "sampling.nfe should be at most limits.maxNfe, 200; it is 300"
            ),
            (
                "solvers: {files: [/nowhere.json]}",
                "should name what is there; /nowhere.json is not"
            ),
            ("solvers: {libraries: [/tmp]}", "should name a file; /tmp is none"),
            ("sessions: {stateDirectory: /etc/hostname}", "should name a folder"),
            ("authentication: {tokensFile: /nowhere}", "should name what is there"),
            ("sessions: {store: 'redis://h', stateDirectory: /tmp}", "should be none where"),
            ("store: {authFile: /etc/hostname}", "should go with a sessions.store"),
            ("store: {conditioning: true}", "should go with a sessions.store"),
            ("sessions: {store: 'redis://me:word@localhost'}", "without a password"),
            ("listen: {tcp: {proxies: [localhost]}}", "a list of IP addresses"),
        ]
        for (yaml, sentence) in cases {
            let found = try problems(yaml)
            #expect(found.count == 1, "\(yaml): \(found)")
            #expect(found.first?.contains(sentence) == true, "\(yaml): \(found)")
        }
        #expect(
            try problems("listen: {tcp: {addresses: ['0.0.0.0:1'], insecure: true}}").isEmpty)
        let none = ConfigurationSource(file: nil, environment: [:], flags: [])
        let error = #expect(throws: ConfigurationProblems.self) { try none.load() }
        #expect(
            error?.list.map(\.sentence) == [
                "model.folder should name the folder of a model; it is none"
            ])
    }

    @Test("names variables as swift-configuration does")
    func variables() throws {
        for setting in Settings.all {
            let provider = EnvironmentVariablesProvider(
                environmentVariables: [setting.variable: "x"]
            ).prefixKeys(with: "posed")
            let key = AbsoluteConfigKey(setting.key.split(separator: ".").map(String.init))
            #expect(try provider.value(forKey: key, type: .string).value != nil, "\(setting.key)")
        }
        #expect(Set(Settings.all.map(\.key)).count == Settings.all.count)
        #expect(Set(Settings.all.map(\.variable)).count == Settings.all.count)
    }

    @Test("reads back what it reports")
    func report() throws {
        let configuration = try load(
            "listen: {tcp: {addresses: ['[::1]:7443'], allow: ['*', 'mtls:CN=a b']}}\n")
        let lines = configuration.report().split(separator: "\n").map { line in
            line.hasPrefix("# ") ? String(line.dropFirst(2)) : String(line)
        }
        #expect(lines.count == Settings.all.count)
        let again = try ConfigurationSource(
            file: try folder.write(lines.joined(separator: "\n"), to: "again.yaml"),
            environment: [:], flags: []
        ).load()
        #expect(again.values.changes(from: configuration.values).isEmpty)
    }

    @Test("warns of variables that are no settings, and lives with them")
    func strays() {
        let source = ConfigurationSource(
            file: nil,
            environment: [
                "POSED_PORT": "tcp://10.0.0.1:80", "POSED_CONFIG": "x", "POSED_LOG_LEVEL": "info",
                "POSED_ADDRESS": "unix:/x", "POSED_TOKEN_FILE": "/x", "PATH": "x",
            ], flags: [])
        #expect(source.strayVariables == ["POSED_PORT"])
    }

    @Test("changes while the daemon runs only where it can")
    func changes() throws {
        let old = try load("")
        let live = try load("limits: {maxNfe: 50}\nlog: {level: debug}\n")
        #expect(try old.changes(to: live) == ["limits.maxNfe", "log.level"])
        #expect(try old.changes(to: old) == [])
        let fixed = try load("limits: {maxNfe: 50}\nmodel.threads: 3\nhttp.address: none\n")
        let error = #expect(throws: DaemonError.self) { try old.changes(to: fixed) }
        #expect(error?.code == .needsRestart)
        #expect(error?.message.contains("model.threads (0 to 3, ") == true)
        #expect(error?.message.contains("http.address (\"127.0.0.1:9464\" to none, ") == true)
        #expect(error?.message.contains("maxNfe") == false)
    }
}
