/// One thing that is wrong with a configuration.
package struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// Where: a file and its line, a variable, or a flag.
    package let place: String
    /// One sentence: what was expected, and what came.
    package let sentence: String

    /// A problem at a place.
    package init(_ place: String, _ sentence: String) {
        self.place = place
        self.sentence = sentence
    }

    package var description: String { "\(place): \(sentence)" }
}

/// Everything that is wrong with a configuration.
package struct ConfigurationProblems: Error, Sendable, CustomStringConvertible {
    /// The problems, at least one.
    package let list: [ConfigurationProblem]

    /// A list of problems.
    package init(_ list: [ConfigurationProblem]) {
        self.list = list
    }

    package var description: String { list.map(\.description).joined(separator: "\n") }
}
