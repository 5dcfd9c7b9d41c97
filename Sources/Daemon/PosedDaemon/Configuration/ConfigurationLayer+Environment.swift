internal import Configuration

extension ConfigurationLayer {
    /// Variables that begin with `POSED_` but are not settings, and whose meaning is known: the daemon's own,
    /// and those of its client.
    private static let otherVariables: Set<String> = [
        "POSED_CONFIG", "POSED_BACKEND_PATH", "POSED_ADDRESS", "POSED_TOKEN_FILE",
    ]

    /// The variable in which systemd names the folders of `StateDirectory=`, with colons between them.
    static let stateVariable = "STATE_DIRECTORY"

    /// What the service manager gives for settings that nobody else says.
    package static func serviceManager(_ variables: [String: String]) -> ConfigurationLayer {
        let setting = Settings.Sessions.stateDirectory
        guard let folder = variables[stateVariable]?.split(separator: ":").first else {
            return ConfigurationLayer(
                items: [], snapshot: InMemoryProvider(values: [:]).snapshot())
        }
        let key = AbsoluteConfigKey(setting.key.split(separator: ".").map(String.init))
        let value = ConfigValue(.string(String(folder)), isSecret: false)
        return ConfigurationLayer(
            items: [Item(key: setting.key, place: stateVariable)],
            snapshot: InMemoryProvider(values: [key: value]).snapshot())
    }

    /// The variables of an environment: `POSED_SESSIONS_MAX_COUNT`, lists with commas.
    package static func environment(_ variables: [String: String]) -> ConfigurationLayer {
        // An empty variable says nothing: scripts and units clear variables that way.
        let present = variables.filter { !$0.value.isEmpty }
        let provider = EnvironmentVariablesProvider(environmentVariables: present)
            .prefixKeys(with: "posed")
        let names = Settings.Limits.renamed.keys.sorted() + Settings.all.map(\.key)
        let items = names.map { Item(key: $0, place: Settings.variable(of: $0)) }
        return ConfigurationLayer(
            items: items.filter { present[$0.place] != nil },
            snapshot: provider.snapshot())
    }

    /// Variables that look like settings and are none. They are no error: a container's platform sets such
    /// variables by itself for a service named posed.
    package static func strayVariables(_ variables: [String: String]) -> [String] {
        let earlier = Settings.Limits.renamed.keys.map(Settings.variable)
        let known = Set(Settings.all.map(\.variable)).union(earlier).union(otherVariables)
        return variables.keys.filter { $0.hasPrefix("POSED_") && !known.contains($0) }.sorted()
    }
}
