internal import Configuration

extension ConfigurationLayer {
    /// Variables that begin with `POSED_` but are not settings, and that the daemon knows.
    private static let otherVariables: Set<String> = ["POSED_CONFIG", "POSED_BACKEND_PATH"]

    /// The variables of an environment: `POSED_SESSIONS_MAX_COUNT`, lists with commas.
    package static func environment(_ variables: [String: String]) -> ConfigurationLayer {
        // An empty variable says nothing: scripts and units clear variables that way.
        let present = variables.filter { !$0.value.isEmpty }
        let provider = EnvironmentVariablesProvider(environmentVariables: present)
            .prefixKeys(with: "posed")
        let known = Settings.all.filter { present[$0.variable] != nil }
        return ConfigurationLayer(
            items: known.map { Item(key: $0.key, place: $0.variable) },
            snapshot: provider.snapshot())
    }

    /// Variables that look like settings and are none. They are no error: a container's platform sets such
    /// variables by itself for a service named posed.
    package static func strayVariables(_ variables: [String: String]) -> [String] {
        let known = Set(Settings.all.map(\.variable)).union(otherVariables)
        return variables.keys.filter { $0.hasPrefix("POSED_") && !known.contains($0) }.sorted()
    }
}
