package import PosedRPC

/// The method of server reflection, in both of its versions.
package enum ReflectionMethods {
    /// The full name of version 1.
    package static let service = "grpc.reflection.v1.ServerReflection"
    /// The full name of the version before, which many tools still ask for; its messages are the same.
    package static let alphaService = "grpc.reflection.v1alpha.ServerReflection"

    /// Answers question after question, in version 1.
    package static let info =
        MethodDescriptor<
            Grpc_Reflection_V1_ServerReflectionRequest, Grpc_Reflection_V1_ServerReflectionResponse
        >(service, "ServerReflectionInfo", .bidirectional)
    /// The same in version 1alpha; equal on the wire, so it is read and written as version 1.
    package static let alphaInfo =
        MethodDescriptor<
            Grpc_Reflection_V1_ServerReflectionRequest, Grpc_Reflection_V1_ServerReflectionResponse
        >(alphaService, "ServerReflectionInfo", .bidirectional)
}
