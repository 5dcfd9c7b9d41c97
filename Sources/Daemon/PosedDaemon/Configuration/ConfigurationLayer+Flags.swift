internal import Configuration
internal import Foundation

/// A value given on the command line.
package struct FlagValue: Hashable, Sendable {
    /// The key that it sets.
    package var key: String
    /// The texts given: one, or several for a list.
    package var texts: [String]
    /// The flag, as its user wrote it.
    package var flag: String

    /// A value of a flag.
    package init(key: String, texts: [String], flag: String) {
        self.key = key
        self.texts = texts
        self.flag = flag
    }
}

extension ConfigurationLayer {
    /// The values of flags. A list is given by commas or by repeating its flag; of another setting, the
    /// last flag counts. A relative path is taken from `folder`.
    package static func flags(
        _ flags: [FlagValue], folder: String = FileManager.default.currentDirectoryPath
    ) -> ConfigurationLayer {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        var items: [Item] = []
        for flag in flags {
            let key = AbsoluteConfigKey(flag.key.split(separator: ".").map(String.init))
            let setting = Settings.named(flag.key)
            let isList = setting?.isList ?? false
            func absolute(_ text: String) -> String {
                let isRelative = !text.hasPrefix("/") && text != "none" && !text.isEmpty
                return isRelative && setting?.isPath == true ? "\(folder)/\(text)" : text
            }
            if isList, flag.texts != ["none"] {
                let texts = flag.texts.flatMap { text in
                    text.isEmpty
                        ? []
                        : text.split(separator: ",", omittingEmptySubsequences: false)
                            .map(String.init)
                }
                var all = texts
                if case .stringArray(let before)? = values[key]?.content { all = before + texts }
                values[key] = ConfigValue(.stringArray(all.map(absolute)), isSecret: false)
            } else {
                values[key] = ConfigValue(.string(absolute(flag.texts.last ?? "")), isSecret: false)
            }
            items.removeAll { $0.key == flag.key }
            items.append(Item(key: flag.key, place: flag.flag))
        }
        return ConfigurationLayer(
            items: items, snapshot: InMemoryProvider(values: values).snapshot())
    }
}
