import PosedBackend
import PosedErrors
import PosedProtos
import PosedServing
import Testing

import PosedService

@Suite struct CatalogServiceTests {
    private let serving = FakeServing()
    private var service: CatalogService { CatalogService(serving: serving) }

    @Test func modelsAreListedAndFound() throws {
        var model = ModelDescription()
        model.name = "models/a"
        model.depth = 12
        serving.with { $0.models = [model] }
        #expect(service.listModels().models.map(\.name) == ["models/a"])
        var request = Posed_V1_GetModelRequest()
        request.name = "models/a"
        #expect(try service.getModel(request).depth == 12)
        request.name = "models/b"
        let missing = #expect(throws: RequestError.self) { try service.getModel(request) }
        #expect(missing?.code == .notFound)
        #expect(missing?.description == "name: there is no model `models/b`")
        request.name = ""
        expectRefusal("name: expected a name `models/…`, got nothing") {
            try service.getModel(request)
        }
    }

    @Test func backendsAndSolversAreListed() {
        serving.with { state in
            state.backends = [
                BackendDescription(
                    name: "blas",
                    report: ProbeReport(score: 1, devices: 1, version: "1", summary: "s"),
                    isInUse: false)
            ]
            state.solvers = [
                SolverDescription(
                    name: "heun", order: 2, evaluationsPerStep: 2, evaluatesStepEnd: true,
                    isAdaptive: false,
                    isBuiltIn: true)
            ]
        }
        var caller = PosedService.Caller(owner: "ada")
        #expect(service.listBackends(caller).backends.isEmpty)
        caller.isAdministrator = true
        #expect(service.listBackends(caller).backends.map(\.name) == ["blas"])
        let solvers = service.listSolvers().solvers
        #expect(solvers.map(\.name) == ["heun"])
        #expect(solvers.map(\.evaluationsPerStep) == [2])
        #expect(solvers.map(\.origin) == [.builtIn])
    }
}
