internal import CPosedGRPC

/// Owner of a channel's credentials.
///
/// Sendable because they never change.
final class ChannelCredentials: @unchecked Sendable {
    let handle: OpaquePointer
    private let entry: ObjectCounts.Entry

    init(_ security: ChannelSecurity, objectCounts: ObjectCounts) throws(RPCError) {
        let handle: OpaquePointer?
        switch security {
        case .insecure:
            handle = posed_grpc_channel_credentials_insecure()
        case .tls(let tls):
            // The library has a place of its own for the system's, which few systems fill.
            let roots = try PEMFile.read(tls.roots ?? PEMFile.systemRoots)
            if let identity = tls.identity {
                let chain = try PEMFile.read(identity.certificate)
                let key = try PEMFile.read(identity.key)
                handle = posed_grpc_channel_credentials_tls(roots, key, chain)
            } else {
                handle = posed_grpc_channel_credentials_tls(roots, nil, nil)
            }
        }
        guard let handle else {
            throw RPCError(.failedPrecondition, "no credentials could be made of the certificates")
        }
        self.handle = handle
        entry = ObjectCounts.Entry(.credentials, in: objectCounts)
    }

    deinit {
        posed_grpc_channel_credentials_destroy(handle)
    }
}
