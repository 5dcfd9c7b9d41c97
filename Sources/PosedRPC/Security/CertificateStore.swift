internal import CPosedGRPC
internal import PosedGuarded

/// The certificates that a server shows, renewed when their files change.
///
/// The library asks before each handshake and gets what the store holds then; connections that exist
/// keep what they began with. A new set is taken only when the library can serve it: a key that does
/// not fit its certificate, or a file half written, leaves the old set in use.
final class CertificateStore: ReloadableFiles {
    /// The texts of one version of the files.
    struct Material: Hashable {
        let roots: String?
        let key: String
        let chain: String
    }

    private struct State {
        var material: Material
        /// Counts the versions; what the library was last given.
        var version = 1
        var given = 0
        /// The files as they were last looked at, good or bad.
        var seen: [FileSignature?]
    }

    /// What clients must show.
    enum Policy: Sendable {
        case ignored
        case optional
        case required

        var native: posed_grpc_client_certificate {
            switch self {
            case .ignored: POSED_GRPC_CLIENT_CERTIFICATE_IGNORED
            case .optional: POSED_GRPC_CLIENT_CERTIFICATE_OPTIONAL
            case .required: POSED_GRPC_CLIENT_CERTIFICATE_REQUIRED
            }
        }
    }

    let files: ServerSecurity.TLS
    let policy: Policy
    /// The store's number in the registry, by which the library's callback finds it.
    let number: UInt64
    private let state: Guarded<State>

    private let ledger: Ledger

    /// Reads the files and tries them out.
    ///
    /// - Throws: `RPCError` with `failedPrecondition` when a file cannot be read, the library cannot
    ///   serve what is in them, or clients are to be verified without an authority.
    convenience init(_ files: ServerSecurity.TLS, ledger: Ledger) throws(RPCError) {
        guard files.clientRoots != nil || !files.requiresClientCertificate else {
            throw RPCError(
                .failedPrecondition,
                "to require certificates of clients the file of their authorities must be named")
        }
        let seen = CertificateStore.look(files)
        let material = try CertificateStore.read(files)
        self.init(files, material, seen: seen, ledger: ledger)
        try CertificateTrial.check(self, material, ledger: ledger)
    }

    /// A store of what has been read already.
    init(
        _ files: ServerSecurity.TLS, _ material: Material, seen: [FileSignature?] = [],
        ledger: Ledger
    ) {
        self.files = files
        self.ledger = ledger
        policy =
            files.clientRoots == nil
            ? .ignored : files.requiresClientCertificate ? .required : .optional
        state = Guarded(State(material: material, seen: seen))
        number = CertificateRegistry.shared.reserve()
        CertificateRegistry.shared.register(self)
    }

    deinit {
        CertificateRegistry.shared.remove(number)
    }

    var paths: [String] {
        [files.identity.certificate, files.identity.key] + (files.clientRoots.map { [$0] } ?? [])
    }

    func prepare(always: Bool) throws(RPCError) -> (@Sendable () -> Void)? {
        let now = CertificateStore.look(files)
        let changed = state.withLock { state in
            defer { state.seen = now }
            return state.seen != now
        }
        guard changed || always else { return nil }
        let material = try CertificateStore.read(files)
        guard state.withLock({ $0.material != material }) else { return nil }
        try CertificateTrial.check(self, material, ledger: ledger)
        return { [self] in
            state.withLock { state in
                state.material = material
                state.version += 1
            }
        }
    }

    /// Hands the library what it does not have yet.
    func fetch(into sink: OpaquePointer) -> posed_grpc_fetch_result {
        let material: Material? = state.withLock { state in
            guard state.given != state.version else { return nil }
            state.given = state.version
            return state.material
        }
        guard let material else { return POSED_GRPC_FETCH_UNCHANGED }
        if let roots = material.roots {
            posed_grpc_certificate_sink_put(sink, roots, material.key, material.chain)
        } else {
            posed_grpc_certificate_sink_put(sink, nil, material.key, material.chain)
        }
        return POSED_GRPC_FETCH_NEW
    }

    private static func look(_ files: ServerSecurity.TLS) -> [FileSignature?] {
        [files.identity.certificate, files.identity.key, files.clientRoots].map { path in
            path.flatMap { FileSignature($0) }
        }
    }

    private static func read(_ files: ServerSecurity.TLS) throws(RPCError) -> Material {
        let roots: String? =
            if let path = files.clientRoots { try PEMFile.read(path) } else { nil }
        return Material(
            roots: roots, key: try PEMFile.read(files.identity.key),
            chain: try PEMFile.read(files.identity.certificate))
    }
}

/// Finds stores by number, so that a handshake that outlives its server finds nothing.
final class CertificateRegistry: Sendable {
    private struct WeakStore {
        weak var store: CertificateStore?
    }

    private struct State {
        var last: UInt64 = 0
        var stores: [UInt64: WeakStore] = [:]
    }

    static let shared = CertificateRegistry()
    private let state = Guarded(State())

    private init() {
        posed_grpc_set_certificate_fetch { number, sink in
            guard let sink, let store = CertificateRegistry.shared.find(number) else {
                return POSED_GRPC_FETCH_FAILED
            }
            return store.fetch(into: sink)
        }
    }

    /// A number that no other store has.
    func reserve() -> UInt64 {
        state.withLock { state in
            state.last += 1
            return state.last
        }
    }

    func register(_ store: CertificateStore) {
        let entry = WeakStore(store: store)
        let number = store.number
        state.withLock { $0.stores[number] = entry }
    }

    func remove(_ number: UInt64) {
        state.withLock { _ = $0.stores.removeValue(forKey: number) }
    }

    private func find(_ number: UInt64) -> CertificateStore? {
        state.withLock { $0.stores[number]?.store }
    }
}
