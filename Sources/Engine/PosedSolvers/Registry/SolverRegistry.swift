/// The solvers that a request may name.
package struct SolverRegistry: Sendable {
    private var tableaus: [String: ButcherTableau] = [:]

    /// A registry of the built-in methods.
    package init() {
        for tableau in ButcherTableau.builtIn { tableaus[tableau.name] = tableau }
    }

    /// All names, sorted.
    package var names: [String] { tableaus.keys.sorted() }

    /// The method of that name. Throws `unknownSolver`, with the names there are.
    package func tableau(_ name: String) throws(SolverError) -> ButcherTableau {
        if let tableau = tableaus[name] { return tableau }
        throw SolverError(
            .unknownSolver,
            "unknown solver \(name.prefix(80).debugDescription); there are "
                + names.joined(separator: ", "))
    }

    /// Adds a method. Throws `invalidTableau` if its name is taken by a different one.
    package mutating func add(_ tableau: ButcherTableau) throws(SolverError) {
        if let present = tableaus[tableau.name], present != tableau {
            throw SolverError(
                .invalidTableau, "solver \(tableau.name): the name is taken by another method")
        }
        tableaus[tableau.name] = tableau
    }

    /// Adds the method that a tableau file describes; see `TableauFile`.
    package mutating func add(file path: String) throws(SolverError) {
        try add(all: [TableauFile.read(path)], from: path)
    }

    /// Adds the methods of a solver library; see `posed_solver.h`. All of them, or none.
    package mutating func add(library path: String) throws(SolverError) {
        try add(all: SolverLibrary.read(path), from: path)
    }

    private mutating func add(
        all tableaus: [ButcherTableau], from path: String
    ) throws(SolverError) {
        var registry = self
        for tableau in tableaus {
            do {
                try registry.add(tableau)
            } catch {
                throw SolverError(error.code, "\(path): \(error.message)", cause: error)
            }
        }
        self = registry
    }
}
