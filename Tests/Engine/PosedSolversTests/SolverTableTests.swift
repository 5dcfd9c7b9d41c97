import CPosedBackend
import PosedSolvers
import Testing

/// What a library's tables are refused for. A class, so that the pointers live as long as the test.
@Suite final class SolverTableTests {
    private let numbers = UnsafeMutablePointer<Double>.allocate(capacity: 8)
    private let name = UnsafeMutablePointer<CChar>.allocate(capacity: 128)
    private var table: UnsafeMutablePointer<posed_solver_tableau>

    init() {
        // Heun's method: a, b and c one after the other.
        for (index, value) in [0, 0, 1, 0, 0.5, 0.5, 0, 1].enumerated() {
            (numbers + index).initialize(to: value)
        }
        name.initialize(repeating: 0, count: 128)
        name[0] = CChar(UInt8(ascii: "h"))
        table = .allocate(capacity: 1)
        table.initialize(
            to: posed_solver_tableau(
                struct_size: UInt32(MemoryLayout<posed_solver_tableau>.size), abi: POSED_SOLVER_ABI,
                name: name, stages: 2, order: 2, a: numbers, b: numbers + 4, c: numbers + 6,
                b_error: nil, next: nil))
    }

    deinit {
        numbers.deallocate()
        name.deallocate()
        table.deallocate()
    }

    private func refusal() -> String? {
        #expect(throws: SolverError.self) { try SolverLibrary.tableaus(table, "lib.so") }?.message
    }

    @Test func acceptsASoundTable() throws {
        let tableaus = try SolverLibrary.tableaus(table, "lib.so")
        #expect(tableaus.map(\.name) == ["h"])
        #expect(tableaus.first?.a == [[], [1]])
    }

    @Test func refusesAnotherVersion() {
        table.pointee.abi = 7
        #expect(
            refusal() == "lib.so: speaks version 7 of the solver interface, but 1 is expected")
    }

    @Test func refusesAnotherSize() {
        table.pointee.struct_size = 16
        #expect(refusal() == "lib.so: describes a solver in 16 bytes, but 64 are expected")
    }

    @Test func refusesMissingParts() {
        table.pointee.b = nil
        #expect(refusal() == "lib.so: describes a solver without a name, a, b or c")
    }

    @Test(arguments: [0, 33, UInt32.max]) func refusesAbsurdStages(_ stages: UInt32) {
        table.pointee.stages = stages
        #expect(refusal() == "lib.so: solver h: 1 to 32 stages expected, but \(stages) came")
    }

    @Test func refusesImplicitMethods() {
        numbers[1] = 0.5
        #expect(
            refusal() == "lib.so: solver h: row 0 of a is not zero from the diagonal on, "
                + "so the method is not explicit")
    }

    @Test func refusesWrongSums() {
        numbers[4] = 0.75
        #expect(refusal() == "lib.so: solver h: b must sum to 1, but sums to 1.25")
    }

    @Test func refusesNamesWithoutEnd() {
        name.update(repeating: CChar(UInt8(ascii: "x")), count: 128)
        #expect(refusal()?.hasPrefix("lib.so: a solver's name has 1 to 64 small letters") == true)
    }

    @Test func refusesChainsWithoutEnd() {
        table.pointee.next = UnsafePointer(table)
        #expect(refusal() == "lib.so: has more than 64 solvers")
    }

    @Test func refusesNothing() {
        let error = #expect(throws: SolverError.self) { try SolverLibrary.tableaus(nil, "lib.so") }
        #expect(error?.message == "lib.so: has no solver for version 1 of the interface")
    }
}
