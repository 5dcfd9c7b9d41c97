internal import ArgumentParser
internal import PosedDaemon

/// Settings given as flags: the common ones by flags of their own, any by `--set`.
struct SettingFlags: ParsableArguments {
    @Option(help: ArgumentHelp("model.folder: the model to serve.", valueName: "folder"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "model.backend: what computes, for all parts or for each (vae=cpu,transformer=cuda).",
            valueName: "name"))
    var backend: String?

    @Option(
        help: ArgumentHelp(
            "model.dtype: auto, f32, bf16, f16, i8, or one for each part.", valueName: "type"))
    var dtype: String?

    @Option(help: ArgumentHelp("model.threads: CPU threads; 0 for all.", valueName: "number"))
    var threads: String?

    @Option(help: ArgumentHelp("listen.unix.path: the Unix socket, or none.", valueName: "path"))
    var socket: String?

    @Option(
        help: ArgumentHelp(
            "listen.tcp.addresses: an address to listen on, host:port; repeatable.",
            valueName: "address"))
    var listen: [String] = []

    @Option(
        help: ArgumentHelp(
            "http.address: where metrics and liveness are served, or none.", valueName: "address"))
    var http: String?

    @Option(
        help: ArgumentHelp("log.level: trace, debug, info, notice, …", valueName: "level"))
    var logLevel: String?

    @Option(
        help: ArgumentHelp("log.format: auto, journal, text or json.", valueName: "form"))
    var logFormat: String?

    @Option(
        help: ArgumentHelp(
            "Any setting, such as limits.maxNfe=100; repeatable.", valueName: "key=value"))
    var set: [String] = []

    func validate() throws {
        for assignment in set where !assignment.contains("=") {
            throw ValidationError("--set takes KEY=VALUE, not '\(assignment)'")
        }
    }

    /// The values given; those of flags of their own come after those of `--set`.
    var values: [FlagValue] {
        var values: [FlagValue] = []
        for assignment in set {
            let parts = assignment.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = String(parts[0])
            values.append(
                FlagValue(key: key, texts: parts.dropFirst().map(String.init), flag: "--set"))
        }
        let own: [(String, String?, String)] = [
            ("model.folder", model, "--model"), ("model.backend", backend, "--backend"),
            ("model.dtype", dtype, "--dtype"), ("model.threads", threads, "--threads"),
            ("listen.unix.path", socket, "--socket"), ("http.address", http, "--http"),
            ("log.level", logLevel, "--log-level"), ("log.format", logFormat, "--log-format"),
        ]
        for (key, text, flag) in own {
            if let text { values.append(FlagValue(key: key, texts: [text], flag: flag)) }
        }
        if !listen.isEmpty {
            values.append(FlagValue(key: "listen.tcp.addresses", texts: listen, flag: "--listen"))
        }
        return values
    }
}
