package import PosedRPC

/// The methods of `posed.v1.CatalogService`.
package enum CatalogMethods {
    /// The service's full name.
    package static let service = "posed.v1.CatalogService"

    /// Lists the models.
    package static let listModels =
        MethodDescriptor<Posed_V1_ListModelsRequest, Posed_V1_ListModelsResponse>(
            service, "ListModels")
    /// Says what a model is.
    package static let getModel =
        MethodDescriptor<Posed_V1_GetModelRequest, Posed_V1_Model>(service, "GetModel")
    /// Lists the backends.
    package static let listBackends =
        MethodDescriptor<Posed_V1_ListBackendsRequest, Posed_V1_ListBackendsResponse>(
            service, "ListBackends")
    /// Lists the solvers.
    package static let listSolvers =
        MethodDescriptor<Posed_V1_ListSolversRequest, Posed_V1_ListSolversResponse>(
            service, "ListSolvers")
}
