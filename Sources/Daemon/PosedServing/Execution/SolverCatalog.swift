import PosedPipeline
import PosedSolvers

/// The solvers that requests may name, and where they come from.
struct SolverCatalog: Sendable {
    private(set) var registry = SolverRegistry()
    private(set) var descriptions: [SolverDescription] = []

    /// The built-in methods and those of the configuration's files and libraries.
    ///
    /// - Throws: `SolverError`, naming the file.
    init(_ configuration: ServingConfiguration) throws {
        describe(isBuiltIn: true)
        for path in configuration.solverFiles {
            try registry.add(file: path)
            describe(isBuiltIn: false)
        }
        for path in configuration.solverLibraries {
            try registry.add(library: path)
            describe(isBuiltIn: false)
        }
    }

    /// A model's description with what its defaults amount to.
    func completing(_ model: ServedModel) -> ServedModel {
        var model = model
        let tableau = (try? registry.tableau(model.sampler.solver)) ?? .euler
        model.description.defaultEvaluations =
            tableau.cost(lastStepFirstOrder: model.sampler.lastStepFirstOrder)
            .evaluations(steps: model.sampler.steps)
        return model
    }

    /// Describes what is new in the registry.
    private mutating func describe(isBuiltIn: Bool) {
        let known = Set(descriptions.map(\.name))
        for name in registry.names where !known.contains(name) {
            guard let tableau = try? registry.tableau(name) else { continue }
            descriptions.append(
                SolverDescription(
                    name: name, order: tableau.order,
                    evaluationsPerStep: tableau.evaluationsPerStep,
                    evaluatesStepEnd: tableau.evaluatesStepEnd,
                    isAdaptive: tableau.isAdaptive, isBuiltIn: isBuiltIn))
        }
    }
}
