import PosedSolvers
import Testing

@Suite struct SolverRegistryTests {
    @Test func knowsTheBuiltIns() throws {
        let registry = SolverRegistry()
        #expect(
            registry.names == [
                "bogacki-shampine", "dormand-prince", "euler", "heun", "heun3", "kutta3",
                "midpoint", "ralston", "rk4",
            ])
        #expect(try registry.tableau("heun") == .heun)
    }

    @Test func namesWhatThereIs() {
        let error = #expect(throws: SolverError.self) { try SolverRegistry().tableau("magic") }
        #expect(error?.code == .unknownSolver)
        #expect(
            error?.message == "unknown solver \"magic\"; there are bogacki-shampine, "
                + "dormand-prince, euler, heun, heun3, kutta3, midpoint, ralston, rk4")
    }

    @Test func keepsNamesUnique() throws {
        var registry = SolverRegistry()
        try registry.add(.heun)
        let impostor = try ButcherTableau(
            name: "heun", order: 2, c: [0, 0.5], a: [[], [0.5]], b: [0, 1])
        let error = #expect(throws: SolverError.self) { try registry.add(impostor) }
        #expect(error?.message == "solver heun: the name is taken by another method")
        #expect(try registry.tableau("heun") == .heun)
    }
}
