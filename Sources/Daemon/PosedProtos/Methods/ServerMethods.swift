package import PosedRPC

/// The methods of `posed.v1.ServerService`.
package enum ServerMethods {
    /// The service's full name.
    package static let service = "posed.v1.ServerService"

    /// Says what the daemon is and allows.
    package static let getInfo =
        MethodDescriptor<Posed_V1_GetServerInfoRequest, Posed_V1_ServerInfo>(
            service, "GetServerInfo")
    /// Says what the daemon is doing.
    package static let getStatistics =
        MethodDescriptor<Posed_V1_GetStatisticsRequest, Posed_V1_Statistics>(
            service, "GetStatistics")
    /// Makes an address that opens the studio.
    package static let createStudioTicket =
        MethodDescriptor<Posed_V1_CreateStudioTicketRequest, Posed_V1_StudioTicket>(
            service, "CreateStudioTicket")
}
