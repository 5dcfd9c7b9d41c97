internal import PosedGuarded

/// The certificates that a server shows, renewed when their files change.
///
/// Every handshake begins with what the store holds then. A new set is taken only when it can be served: a key
/// that does not fit its certificate, or a file half written, leaves the old set in use.
final class CertificateStore: ReloadableFiles {
    private struct State {
        var material: TLSContext.Material
        var context: TLSContext
        /// The files as they were when the watcher last looked at them, good or bad.
        var seen: [FileSignature?]
    }

    private let files: ServerSecurity.TLS
    private let state: Guarded<State>

    /// Reads the files and tries them out.
    ///
    /// - Throws: `RPCError` with `failedPrecondition` when a file cannot be read, nothing can be served with
    ///   what is in them, or clients are to be verified without an authority.
    init(_ files: ServerSecurity.TLS) throws(RPCError) {
        guard files.clientRoots != nil || !files.requiresClientCertificate else {
            throw RPCError(
                .failedPrecondition,
                "to require certificates of clients the file of their authorities must be named")
        }
        let seen = CertificateStore.look(files)
        let material = try CertificateStore.read(files)
        let context = try CertificateStore.context(material, files)
        self.files = files
        state = Guarded(State(material: material, context: context, seen: seen))
    }

    var paths: [String] {
        [files.identity.certificate, files.identity.key] + (files.clientRoots.map { [$0] } ?? [])
    }

    /// What a handshake that begins now is made with.
    var context: TLSContext { state.withLock { $0.context } }

    func prepare(always: Bool) throws(RPCError) -> (@Sendable () -> Void)? {
        let now = CertificateStore.look(files)
        if !always {
            let changed = state.withLock { state in
                defer { state.seen = now }
                return state.seen != now
            }
            guard changed else { return nil }
        }
        let material = try CertificateStore.read(files)
        guard state.withLock({ $0.material != material }) else { return nil }
        let context = try CertificateStore.context(material, files)
        return { [self] in
            state.withLock { $0 = State(material: material, context: context, seen: now) }
        }
    }

    private static func look(_ files: ServerSecurity.TLS) -> [FileSignature?] {
        [files.identity.certificate, files.identity.key, files.clientRoots].map { path in
            path.flatMap { FileSignature($0) }
        }
    }

    private static func read(_ files: ServerSecurity.TLS) throws(RPCError) -> TLSContext.Material {
        let roots: String? =
            if let path = files.clientRoots { try PEMFile.read(path) } else { nil }
        return TLSContext.Material(
            roots: roots, key: try PEMFile.read(files.identity.key),
            chain: try PEMFile.read(files.identity.certificate),
            requiresClientCertificate: files.requiresClientCertificate,
            speaksHTTP1: files.speaksHTTP1)
    }

    private static func context(
        _ material: TLSContext.Material, _ files: ServerSecurity.TLS
    ) throws(RPCError) -> TLSContext {
        do {
            return try TLSContext(material)
        } catch {
            let authorities = files.clientRoots.map { " with the client authorities \($0)" } ?? ""
            throw RPCError(
                .failedPrecondition,
                "the certificate \(files.identity.certificate) and the key \(files.identity.key)"
                    + authorities + " do not make a usable set: expected PEM of a certificate chain"
                    + " and of the private key that belongs to its first certificate; "
                    + error.reason)
        }
    }
}
