internal import Configuration
internal import Yams

extension ConfigurationLayer {
    /// The most values that a file may hold; aliases could otherwise name more than there is memory for.
    private static let itemLimit = 10_000

    /// The values of a YAML text. `name` is the file, for messages.
    package static func file(_ name: String, text: String) -> ConfigurationLayer {
        let empty = InMemoryProvider(values: [:]).snapshot()
        do {
            guard let root = try Yams.compose(yaml: text) else {
                return ConfigurationLayer(items: [], snapshot: empty)  // nothing but comments
            }
            var walk = Walk(file: name)
            walk.visit(root)
            guard walk.problems.isEmpty else {
                return ConfigurationLayer(
                    items: walk.items, snapshot: empty, problems: walk.problems)
            }
            let snapshot = try YAMLSnapshot(
                data: Array(text.utf8).span.bytes, providerName: name, parsingOptions: .default)
            return ConfigurationLayer(items: walk.items, snapshot: snapshot)
        } catch let error as YamlError {
            return ConfigurationLayer(
                items: [], snapshot: empty, problems: [problem(error, file: name)])
        } catch {
            return ConfigurationLayer(
                items: [], snapshot: empty,
                problems: [ConfigurationProblem(name, "should be YAML; \(error)")])
        }
    }

    private static func problem(_ error: YamlError, file: String) -> ConfigurationProblem {
        switch error {
        case .scanner(_, let what, let mark, _), .parser(_, let what, let mark, _),
            .composer(_, let what, let mark, _):
            ConfigurationProblem("\(file):\(mark.line)", "should be YAML; \(what)")
        case .duplicatedKeysInMapping(let keys, _):
            ConfigurationProblem(
                file,
                "should have each key of a section once; it has several of "
                    + keys.sorted().joined(separator: ", "))
        default:
            ConfigurationProblem(file, "should be YAML in UTF-8; \(error)")
        }
    }

    /// A walk over a document that finds its values and what cannot be one.
    private struct Walk {
        let file: String
        var items: [Item] = []
        var problems: [ConfigurationProblem] = []
        private var seen: [String: Int] = [:]
        private var visits = 0

        init(file: String) {
            self.file = file
        }

        mutating func visit(_ root: Node) {
            switch root {
            case .mapping(let mapping): visit(mapping, under: "")
            case .scalar(let scalar) where scalar.string.isEmpty: break
            default:
                problems.append(
                    ConfigurationProblem(
                        "\(file):\(root.mark?.line ?? 1)", "should be keys with values, KEY: VALUE")
                )
            }
        }

        private mutating func visit(_ mapping: Node.Mapping, under prefix: String) {
            for (name, value) in mapping {
                visits += 1
                guard visits <= ConfigurationLayer.itemLimit else { return tooMany() }
                let line = name.mark?.line ?? 0
                let place = "\(file):\(line)"
                guard let name = name.scalar?.string, !name.isEmpty else {
                    problems.append(ConfigurationProblem(place, "a key should be a word"))
                    continue
                }
                let key = prefix + name
                if case .mapping(let section) = value {
                    visit(section, under: key + ".")
                    continue
                }
                if case .scalar(let scalar) = value, scalar.string.isEmpty, Settings.isSection(key)
                {
                    continue  // a section whose keys are all comments
                }
                if let before = seen.updateValue(line, forKey: key) {
                    problems.append(
                        ConfigurationProblem(
                            place, "\(key) should be there once; line \(before) has it too"))
                }
                if case .sequence(let list) = value, list.contains(where: { $0.scalar == nil }) {
                    problems.append(
                        ConfigurationProblem(place, "\(key) should be a list of plain values"))
                }
                items.append(Item(key: key, place: place))
            }
        }

        private mutating func tooMany() {
            items.removeAll()
            problems = [
                ConfigurationProblem(
                    file,
                    "should hold at most \(ConfigurationLayer.itemLimit) values; it holds more")
            ]
        }
    }
}
