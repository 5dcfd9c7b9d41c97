import Foundation
import PosedSolvers
import Testing

@Suite struct TableauFileTests {
    /// Registers a file of this text; paths in messages are cut to the file's name.
    private func register(_ text: String) throws -> SolverRegistry {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-tableau-\(UUID().uuidString).json")
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        var registry = SolverRegistry()
        do {
            try registry.add(file: url.path)
        } catch {
            #expect(error.message.hasPrefix(url.path + ": "))
            throw SolverError(error.code, String(error.message.dropFirst(url.path.count + 2)))
        }
        return registry
    }

    @Test func convergesAtItsOrder() throws {
        let registry = try register(
            """
            {"name": "ssp3", "order": 3, "c": [0, 1, 0.5], "a": [[], [1], [0.25, 0.25]],
             "b": [0.16666666666666666, 0.16666666666666666, 0.6666666666666666]}
            """)
        let measured = try Problem.smooth.measuredOrder(of: registry.tableau("ssp3"))
        #expect(abs(measured - 3) < 0.15)
    }

    /// Twelve steps of Euler's method, written as one step of twelve stages.
    @Test func aTableauOfManyStagesHasItsOrderToo() throws {
        let share = 1.0 / 12
        let rows = (0..<12).map { "\([Double](repeating: share, count: $0))" }
        let places = (0..<12).map { Double($0) / 12 }
        let registry = try register(
            """
            {"name": "euler12", "order": 1, "c": \(places),
             "a": [\(rows.joined(separator: ", "))], "b": \([Double](repeating: share, count: 12))}
            """)
        let tableau = try registry.tableau("euler12")
        #expect(abs(try Problem.smooth.measuredOrder(of: tableau) - 1) < 0.15)
        let twelve = try Problem.smooth.error(of: .euler, steps: 12 * 8)
        #expect(abs(try Problem.smooth.error(of: tableau, steps: 8) / twelve - 1) < 1e-9)
    }

    @Test func readsFullRowsAndAnErrorEstimate() throws {
        let tableau = try register(
            """
            {"name": "pair", "order": 2, "c": [0, 1], "a": [[0, 0], [1, 0]], "b": [0.5, 0.5],
             "b_error": [-0.5, 0.5]}
            """
        ).tableau("pair")
        #expect(tableau.a == [[], [1]])
        #expect(tableau.isAdaptive)
    }

    static let bad: [(text: String, message: String)] = [
        ("", "no valid JSON"),
        ("{\"name\": \"x\"", "no valid JSON"),
        ("[1, 2]", "a JSON object expected"),
        (
            "{\"name\": \"x\", \"order\": 1, \"c\": [0], \"a\": [[]]}",
            "the key b is missing"
        ),
        (
            "{\"name\": \"x\", \"order\": 1, \"c\": [0], \"a\": [[]], \"b\": [1], \"berror\": [0]}",
            "unknown key \"berror\"; there are name, order, c, a, b, b_error"
        ),
        (
            "{\"name\": 7, \"order\": 1, \"c\": [0], \"a\": [[]], \"b\": [1]}",
            "name: a string expected"
        ),
        (
            "{\"name\": \"x\", \"order\": 1, \"c\": [0, 1], \"a\": [[], [\"1\"]], \"b\": [1, 0]}",
            "a[1][0]: a number expected"
        ),
        (
            "{\"name\": \"x\", \"order\": 2, \"c\": [0, 1], \"a\": [[], [2]], \"b\": [0.5, 0.5]}",
            "solver x: row 1 of a sums to 2.0, but c[1] is 1.0"
        ),
        (
            "{\"name\": \"x\", \"order\": 1, \"c\": [0, 1], "
                + "\"a\": [[0, 0], [0.5, 0.5]], \"b\": [1, 0]}",
            "solver x: an explicit method has 1 coefficients in row 1 of a, but this one has 2"
        ),
        (
            "{\"name\": \"euler\", \"order\": 1, \"c\": [0, 0], "
                + "\"a\": [[], [0]], \"b\": [0.5, 0.5]}",
            "solver euler: the name is taken by another method"
        ),
    ]

    @Test(arguments: bad.indices) func refuses(_ index: Int) {
        let (text, message) = Self.bad[index]
        let error = #expect(throws: SolverError.self) { try register(text) }
        #expect(error?.message == message)
    }

    @Test func refusesWhatIsNoFile() {
        var registry = SolverRegistry()
        let absent = #expect(throws: SolverError.self) {
            try registry.add(file: "/nonexistent/tableau.json")
        }
        #expect(absent?.message == "/nonexistent/tableau.json: cannot be read")
        let folder = #expect(throws: SolverError.self) { try registry.add(file: "/") }
        #expect(folder?.message == "/: a regular file of at most 1000000 bytes expected")
    }
}
