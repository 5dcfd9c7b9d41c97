import PosedSolvers
import Testing

@Suite struct ButcherTableauTests {
    @Test(arguments: ButcherTableau.builtIn.map(\.name))
    func builtInMethodsPassTheChecks(_ name: String) throws {
        let tableau = try SolverRegistry().tableau(name)
        let checked = try ButcherTableau(
            name: tableau.name, order: tableau.order, c: tableau.c, a: tableau.a, b: tableau.b,
            bError: tableau.bError)
        #expect(checked == tableau)
    }

    @Test func knowsItsCosts() {
        let costs = ButcherTableau.builtIn.map { [$0.order, $0.stages, $0.evaluationsPerStep] }
        #expect(
            costs == [
                [1, 1, 1], [2, 2, 2], [2, 2, 2], [2, 2, 2], [3, 3, 3], [3, 3, 3], [4, 4, 4],
                [3, 4, 3], [5, 7, 6],
            ])
        let reusing = ButcherTableau.builtIn.filter(\.isFirstSameAsLast).map(\.name)
        #expect(reusing == ["bogacki-shampine", "dormand-prince"])
        #expect(ButcherTableau.builtIn.filter(\.isAdaptive).map(\.name) == reusing)
    }

    @Test func leavesOutStagesThatServeNothing() throws {
        let tableau = try ButcherTableau(
            name: "lazy", order: 1, c: [0, 0.5, 0.5], a: [[], [0.5], [0, 0.5]], b: [1, 0, 0])
        #expect(tableau.contributingStages == [0])
        #expect(tableau.evaluationsPerStep == 1)
    }

    /// A tableau that is not acceptable, and how the message ends.
    struct Bad: Sendable, CustomTestStringConvertible {
        var name = "bad"
        var order = 2
        var c: [Double] = [0, 1]
        var a: [[Double]] = [[], [1]]
        var b: [Double] = [0.5, 0.5]
        var bError: [Double]?
        let message: String
        var testDescription: String { message }
    }

    static let bad: [Bad] = [
        Bad(
            name: "Bad name",
            message: "a solver's name has 1 to 64 small letters, digits, \"-\", "
                + "\"_\" or \".\", but this one is \"Bad name\""),
        Bad(
            name: "",
            message: "a solver's name has 1 to 64 small letters, digits, \"-\", \"_\" or "
                + "\".\", but this one is \"\""),
        Bad(c: [], a: [], b: [], message: "solver bad: 1 to 32 weights in b expected, but 0 came"),
        Bad(c: [0], message: "solver bad: b has 2 weights, so c needs as many, but has 1"),
        Bad(a: [[]], message: "solver bad: b has 2 weights, so a needs as many rows, but has 1"),
        Bad(
            a: [[], [0.5, 0.5]],
            message: "solver bad: an explicit method has 1 coefficients in row 1 "
                + "of a, but this one has 2"),
        Bad(a: [[], [0.9]], message: "solver bad: row 1 of a sums to 0.9, but c[1] is 1.0"),
        Bad(c: [0.1, 1], message: "solver bad: row 0 of a sums to 0.0, but c[0] is 0.1"),
        Bad(
            c: [0, -1], a: [[], [-1]], message: "solver bad: c[1] must lie in [0, 1], but is -1.0"),
        Bad(b: [0.5, 0.25], message: "solver bad: b must sum to 1, but sums to 0.75"),
        Bad(
            b: [.nan, 0.5],
            message: "solver bad: a coefficient is not finite, or beyond a million"),
        Bad(
            b: [1e9, 1 - 1e9],
            message: "solver bad: a coefficient is not finite, or beyond a million"),
        Bad(order: 0, message: "solver bad: its order must be at least 1, but is 0"),
        Bad(
            order: 3,
            message: "solver bad: an explicit method of 2 stages cannot have order 3"),
        Bad(
            b: [1, 0],
            message: "solver bad: it claims order 2, but Σ b·c is 0.0 where 0.5 is expected"),
        Bad(
            bError: [1], message: "solver bad: b has 2 weights, so b_error needs as many, but has 1"
        ),
        Bad(
            bError: [0.5, 0.25], message: "solver bad: b_error must sum to 0, but sums to 0.75"),
        Bad(
            bError: [0, 0], message: "solver bad: b_error is all zeros, which estimates no error"),
    ]

    @Test(arguments: bad) func refuses(_ bad: Bad) {
        let error = #expect(throws: SolverError.self) {
            try ButcherTableau(
                name: bad.name, order: bad.order, c: bad.c, a: bad.a, b: bad.b, bError: bad.bError)
        }
        #expect(error?.code == .invalidTableau)
        #expect(error?.message == bad.message)
    }

    @Test func refusesAFalseOrderOfFour() throws {
        // The weights are those of RK4, but the second row breaks the coupling of stages.
        let error = #expect(throws: SolverError.self) {
            try ButcherTableau(
                name: "false4", order: 4, c: [0, 0.5, 0.5, 1],
                a: [[], [0.5], [0.5, 0], [0, 0, 1]], b: [1 / 6, 1 / 3, 1 / 3, 1 / 6])
        }
        #expect(error?.message.contains("claims order 4, but Σ b·a·c is") == true)
    }

    @Test func allowsRoundedDecimals() throws {
        let tableau = try ButcherTableau(
            name: "decimal", order: 3, c: [0, 0.3333333333, 0.6666666667],
            a: [[], [0.3333333333], [0, 0.6666666667]], b: [0.25, 0, 0.75])
        #expect(tableau.order == 3)
    }
}
