import PosedErrors
package import PosedProtos
package import PosedServing

/// `posed.v1.CatalogService`.
package struct CatalogService: Sendable {
    private let serving: any Serving

    /// The service, as `serving` has things.
    package init(serving: any Serving) { self.serving = serving }

    /// Lists the models.
    package func listModels() -> Posed_V1_ListModelsResponse {
        var response = Posed_V1_ListModelsResponse()
        response.models = serving.models.map { Posed_V1_Model($0) }
        return response
    }

    /// Says what a model is.
    package func getModel(_ request: Posed_V1_GetModelRequest) throws -> Posed_V1_Model {
        let name = try ResourceName.checked(request.name, collection: "models", at: "name")
        guard let model = serving.models.first(where: { $0.name == name }) else {
            throw RequestError(.notFound, "there is no model `\(name)`", at: "name")
        }
        return Posed_V1_Model(model)
    }

    /// Lists the backends that models run on; an administrator is told of all that the machine has.
    package func listBackends(_ caller: Caller) -> Posed_V1_ListBackendsResponse {
        var response = Posed_V1_ListBackendsResponse()
        response.backends = serving.backends.filter { $0.isInUse || caller.isAdministrator }
            .map { Posed_V1_Backend($0) }
        return response
    }

    /// Lists the solvers.
    package func listSolvers() -> Posed_V1_ListSolversResponse {
        var response = Posed_V1_ListSolversResponse()
        response.solvers = serving.solvers.map { Posed_V1_Solver($0) }
        return response
    }
}
