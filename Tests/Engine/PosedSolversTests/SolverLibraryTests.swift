import Foundation
import PosedSolvers
import Testing

@Suite struct SolverLibraryTests {
    /// The folder of the test executable, where the package's libraries are built too.
    private var products: String {
        get throws {
            let executable = try FileManager.default
                .destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(fileURLWithPath: executable).deletingLastPathComponent().path
        }
    }

    private var example: String {
        get throws { try products + "/libposed-solver-example.so" }
    }

    @Test func registersEveryMethod() throws {
        var registry = SolverRegistry()
        try registry.add(library: example)
        let rule = try registry.tableau("example-rk38")
        #expect(rule.stages == 4)
        #expect(!rule.isAdaptive)
        #expect(try registry.tableau("example-heun-euler").bError == [-0.5, 0.5])
        // A second time changes nothing.
        let names = registry.names
        try registry.add(library: example)
        #expect(registry.names == names)
    }

    @Test(arguments: ["example-rk38", "example-heun-euler"])
    func convergesAtItsOrder(_ name: String) throws {
        var registry = SolverRegistry()
        try registry.add(library: example)
        let tableau = try registry.tableau(name)
        let measured = try Problem.smooth.measuredOrder(of: tableau)
        #expect(abs(measured - Double(tableau.order)) < 0.15)
    }

    @Test func choosesItsSteps() throws {
        var registry = SolverRegistry()
        try registry.add(library: example)
        var solve = try Solve(
            adaptive: registry.tableau("example-heun-euler"),
            tolerance: AdaptiveTolerance(relative: 1e-4, absolute: 1e-4, maxEvaluations: 1000))
        let result = VectorIntegrator.run(
            &solve, from: Problem.smooth.initial, velocity: Problem.smooth.velocity)
        #expect(solve.outcome == .completed)
        #expect(Problem.smooth.error(of: result) < 1e-2)
    }

    @Test func refusesWhatIsNoSolver() throws {
        var registry = SolverRegistry()
        let absent = #expect(throws: SolverError.self) {
            try registry.add(library: "/nonexistent/solver.so")
        }
        #expect(absent?.code == .unreadable)
        #expect(absent?.message.hasPrefix("/nonexistent/solver.so: cannot be loaded: ") == true)
        #expect(registry.names == SolverRegistry().names)
    }
}
