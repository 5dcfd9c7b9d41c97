internal import Glibc
internal import PosedBase

/// Where a daemon's configuration comes from: the service manager, a file, the environment, and flags, later
/// ones winning.
///
/// The environment and the flags are those of the process's start; the file is read anew at every load.
package struct ConfigurationSource: Sendable {
    /// The largest file that can be one.
    private static let fileLimit = 1 << 20

    /// The file, if there is one.
    package let file: String?
    private let environment: [String: String]
    private let flags: [FlagValue]

    /// A source.
    package init(file: String?, environment: [String: String], flags: [FlagValue]) {
        self.file = file
        self.environment = environment
        self.flags = flags
    }

    /// Variables of the environment that look like settings and are none.
    package var strayVariables: [String] { ConfigurationLayer.strayVariables(environment) }

    /// Reads and checks everything.
    ///
    /// - Throws: ``ConfigurationProblems`` with all that is wrong.
    package func load() throws(ConfigurationProblems) -> DaemonConfiguration {
        var problems: [ConfigurationProblem] = []
        var layers: [ConfigurationLayer] = [.serviceManager(environment)]
        if let file {
            do throws(ConfigurationProblems) {
                layers.append(.file(file, text: try Self.read(file)))
            } catch {
                problems += error.list
            }
        }
        layers.append(.environment(environment))
        layers.append(.flags(flags))

        let (values, wrong) = Self.merge(layers)
        problems += wrong
        let configuration = DaemonConfiguration(
            values: values, file: file, warnings: layers.flatMap(Self.warnings))
        // Values that are wrong by themselves have been replaced by defaults: that they do not agree with
        // others is no news.
        if problems.isEmpty { problems = configuration.disagreements() }
        guard problems.isEmpty else { throw ConfigurationProblems(problems) }
        return configuration
    }

    /// The values of layers, later ones winning, and everything that is wrong in any of them.
    static func merge(
        _ layers: [ConfigurationLayer]
    ) -> (values: SettingValues, problems: [ConfigurationProblem]) {
        var values = SettingValues()
        var problems: [ConfigurationProblem] = []
        for layer in layers {
            problems += layer.problems
            for item in layer.items {
                guard let setting = Settings.named(item.key) else {
                    problems.append(ConfigurationProblem(item.place, unknown(item.key)))
                    continue
                }
                guard layer.problems.isEmpty, let raw = layer.value(of: setting, called: item.key)
                else { continue }
                if let value = setting.parse(raw) {
                    values.set(setting, to: value, origin: item.place)
                } else {
                    problems.append(
                        ConfigurationProblem(
                            item.place,
                            "\(setting.key) should be \(setting.expectation); it is \(raw)"))
                }
            }
        }
        return (values, problems)
    }

    /// One warning for each key that an earlier version had.
    private static func warnings(_ layer: ConfigurationLayer) -> [ConfigurationProblem] {
        layer.items.compactMap { item in
            guard let setting = Settings.Limits.renamed[item.key] else { return nil }
            return ConfigurationProblem(item.place, "\(item.key) is now called \(setting.key)")
        }
    }

    private static func unknown(_ key: String) -> String {
        if Settings.isSection(key) {
            return "\(key) should be a section with keys; it has a value"
        }
        let near = Settings.all.map { (key: $0.key, distance: key.editDistance(to: $0.key)) }
            .min { $0.distance < $1.distance }
        if let near, near.distance <= max(2, key.count / 4) {
            return "\(key) is not a setting; did you mean \(near.key)?"
        }
        return "\(key) is not a setting"
    }

    private static func read(_ path: String) throws(ConfigurationProblems) -> String {
        func refuse(_ sentence: String) -> ConfigurationProblems {
            ConfigurationProblems([ConfigurationProblem(path, sentence)])
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw refuse("should be a file to read; \(SystemError.last)")
        }
        defer { close(descriptor) }
        guard lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw refuse("should be a file; it is something else")
        }
        var bytes = [UInt8](repeating: 0, count: fileLimit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                let rest = buffer[count...]
                return Glibc.read(
                    descriptor, UnsafeMutableRawBufferPointer(rebasing: rest).baseAddress,
                    rest.count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw refuse("should be a file to read; \(SystemError.last)")
            }
            if got == 0 { break }
            count += got
        }
        guard count <= fileLimit else {
            throw refuse("should be a configuration of at most 1 MiB; it is larger")
        }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw refuse("should be UTF-8 text; it is not")
        }
        return text
    }
}
