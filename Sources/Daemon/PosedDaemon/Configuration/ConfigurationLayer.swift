package import Configuration

/// One source of values, and what it holds.
package struct ConfigurationLayer: Sendable {
    /// A value that the source holds, known setting or not.
    package struct Item: Hashable, Sendable {
        /// The key: `sessions.maxCount`.
        package var key: String
        /// Where exactly it stands, for messages.
        package var place: String
    }

    /// What the source holds, in its order.
    package let items: [Item]
    /// The source, as swift-configuration reads it.
    package let snapshot: any ConfigSnapshot
    /// Problems of the source itself.
    package let problems: [ConfigurationProblem]

    init(
        items: [Item], snapshot: any ConfigSnapshot, problems: [ConfigurationProblem] = []
    ) {
        self.items = items
        self.snapshot = snapshot
        self.problems = problems
    }

    /// The value of a setting, if the source has one; nil too where it has something of another shape.
    ///
    /// - Parameter name: the key that the source has, where it is an earlier name of the setting.
    func value(of setting: any AnySetting, called name: String? = nil) -> RawValue? {
        let key = AbsoluteConfigKey((name ?? setting.key).split(separator: ".").map(String.init))
        if setting.isList, let found = try? snapshot.value(forKey: key, type: .stringArray).value,
            case .stringArray(let texts) = found.content
        {
            return .list(texts.map { String($0.trimmingPrefix { $0 == " " }) })
        }
        if let found = try? snapshot.value(forKey: key, type: .string).value,
            case .string(let text) = found.content
        {
            return .scalar(text)
        }
        if let found = try? snapshot.value(forKey: key, type: .stringArray).value,
            case .stringArray(let texts) = found.content
        {
            return .list(texts)
        }
        return nil
    }
}
