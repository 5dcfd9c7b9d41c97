import Foundation
import PosedErrors
import PosedGuarded
import PosedServing
import PosedSessions
import PosedVision
import Testing

/// A store that outlives engines, as the service manager's outlives processes.
private final class KeptBytes: RestartStore {
    struct Refusal: Error {}

    private let state = Guarded<(kept: [String: [UInt8]], refuses: Bool)>(([:], false))

    var kept: [String: [UInt8]] {
        get { state.withLock { $0.kept } }
        set { state.withLock { $0.kept = newValue } }
    }

    func refuse() { state.withLock { $0.refuses = true } }

    var inherited: [InheritedBytes] {
        kept.map { name, bytes in
            InheritedBytes(name: name, byteCount: bytes.count) { bytes }
        }
    }

    func insert(_ parts: [[UInt8]], as name: String) throws {
        try state.withLock {
            if $0.refuses { throw Refusal() }
            $0.kept[name] = parts.flatMap { $0 }
        }
    }

    func remove(_ name: String) { state.withLock { $0.kept[name] = nil } }
}

/// Encoded sources of sessions outlive the engine.
@Suite(.timeLimit(.minutes(10))) struct SavedSourcesTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("posed-saved-\(UInt64.random(in: 0...UInt64.max))")

    /// An engine; one that comes after a crash has a copy of the state folder, which the first one still locks.
    private func start(
        _ store: KeptBytes, afterCrash: Bool = false,
        _ configure: @escaping (inout ServingConfiguration) -> Void = { _ in }
    ) async throws -> TinyEngine {
        let copy = folder.appendingPathExtension("copy")
        if afterCrash { try FileManager.default.copyItem(at: folder, to: copy) }
        let made = try await TinyEngine.make {
            $0.stateFolder = (afterCrash ? copy : folder).path
            $0.restartStore = store
            configure(&$0)
        }
        await made.engine.restoreSessions()
        return made
    }

    private func removeFolders() {
        try? FileManager.default.removeItem(at: folder)
        try? FileManager.default.removeItem(at: folder.appendingPathExtension("copy"))
    }

    private func frame(
        _ made: TinyEngine, _ session: SessionDescription, settings: FrameSettings = FrameSettings()
    ) async throws -> Frame {
        try await made.engine.synthesize(
            FrameRequest(
                subject: .session(session.name), pose: try TinyEngine.pose(), settings: settings),
            owner: "owner")
    }

    /// Waits until so many sources are kept.
    private func until(_ store: KeptBytes, _ count: Int) async throws {
        for _ in 0..<6000 where store.kept.count != count {
            try await Task.sleep(for: .milliseconds(10))
        }
        try #require(store.kept.count == count)
    }

    @Test func aKnownSessionIsNotEncodedAnew() async throws {
        defer { removeFolders() }
        let store = KeptBytes()
        let first = try await start(store)
        let session = try await first.session()
        let before = try await frame(first, session)
        try await until(store, 1)
        // Another size is another source of the same session.
        var larger = FrameSettings()
        (larger.width, larger.height) = (128, 128)
        let large = try await frame(first, session, settings: larger)
        try await until(store, 2)
        await first.engine.shutDown()

        let second = try await start(store, afterCrash: true)
        #expect(store.kept.count == 2)
        let after = try await frame(second, session)
        #expect(after.image.bytes == before.image.bytes)
        #expect(after.cache.source)
        #expect(after.timings.source == .zero)
        let again = try await frame(second, session, settings: larger)
        #expect(again.image.bytes == large.image.bytes)
        #expect(again.cache.source)
        // It goes with its session.
        try await second.engine.deleteSession(session.name, etag: nil, owner: "owner")
        try await until(store, 0)
        await second.engine.shutDown()
    }

    /// A client is told the same of its session after a restart.
    @Test func aSessionIsDescribedAsBefore() async throws {
        defer { removeFolders() }
        let first = try await start(KeptBytes())
        let session = try await first.session()
        for _ in 0..<3 { _ = try await frame(first, session) }
        let before = try await first.engine.session(session.name, owner: "owner")
        #expect(before.frameCount == 3)
        #expect(before.conditioningBytes > 0)
        await first.engine.shutDown()

        let second = try await start(KeptBytes(), afterCrash: true)
        let after = try await second.engine.session(session.name, owner: "owner")
        #expect(after.frameCount == 3)
        #expect(after.conditioningBytes == before.conditioningBytes)
        await second.engine.shutDown()
    }

    @Test func picturesOfOneRequestAreNotSaved() async throws {
        defer { removeFolders() }
        let store = KeptBytes()
        let made = try await start(store)
        _ = try await made.engine.synthesize(
            FrameRequest(
                subject: .pictures([try TinyEngine.picture()], model: nil),
                pose: try TinyEngine.pose()), owner: "owner")
        _ = try await made.session()
        try await until(store, 1)
        await made.engine.shutDown()
    }

    @Test(arguments: ["flipped", "cut", "empty", "foreign", "named otherwise", "other session"])
    func whatIsDamagedIsSetAside(kind: String) async throws {
        defer { removeFolders() }
        let store = KeptBytes()
        let first = try await start(store)
        let session = try await first.session()
        let before = try await frame(first, session)
        try await until(store, 1)
        await first.engine.shutDown()
        let (name, bytes) = try #require(store.kept.first)
        var changed = bytes
        switch kind {
        case "flipped": changed[bytes.count - 7] ^= 4
        case "cut": changed.removeLast(100)
        case "empty": changed = []
        case "foreign": changed = Array("something else".utf8)
        default: break
        }
        let names = [
            "named otherwise": String(name.dropLast()) + (name.hasSuffix("0") ? "1" : "0"),
            "other session": "source-" + SessionID.random().description + name.suffix(65),
        ]
        store.kept = [names[kind] ?? name: changed]
        let reports = Guarded<[ArchiveReport]>([])
        let second = try await start(store, afterCrash: true) { configuration in
            configuration.onArchive = { report in reports.withLock { $0.append(report) } }
        }
        #expect(store.kept.isEmpty)
        let problems = reports.withLock { $0 }.filter { $0.severity == .problem }
        // A session that ended meanwhile is nothing to speak of.
        #expect(problems.count == (kind == "other session" ? 0 : 1))
        #expect(problems.allSatisfy { $0.message.contains("set aside") })
        let after = try await frame(second, session)
        #expect(!after.cache.source)
        #expect(after.image.bytes == before.image.bytes)
        await second.engine.shutDown()
    }

    @Test func anotherModelsSourcesAreSetAside() async throws {
        defer { removeFolders() }
        let store = KeptBytes()
        let first = try await start(store)
        let session = try await first.session()
        try await until(store, 1)
        await first.engine.shutDown()
        let second = try await start(store, afterCrash: true) { configuration in
            guard case .loaded(let model, _)? = configuration.models.first?.copies.first else {
                return
            }
            configuration.models = [.init(name: "tiny", model, fingerprint: "other")]
        }
        #expect(try await !frame(second, session).cache.source)
        await second.engine.shutDown()
    }

    @Test func theOldestGoWhereThereAreTooMany() async throws {
        defer { removeFolders() }
        let store = KeptBytes()
        let made = try await start(store)
        let bytes = try await made.session(shade: 1).conditioningBytes
        try await until(store, 1)
        var limits = made.engine.limits
        limits.maxSavedBytes = 2 * bytes
        try made.engine.adopt(limits)
        let first = store.kept.keys
        _ = try await made.session(shade: 2)
        try await until(store, 2)
        let last = try await made.session(shade: 3)
        let id = try #require(SessionID(name: last.name)).description
        for _ in 0..<6000 where !store.kept.keys.contains(where: { $0.contains(id) }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(store.kept.count == 2)
        #expect(Set(first).isDisjoint(with: store.kept.keys))
        limits.maxSavedBytes = 0
        try made.engine.adopt(limits)
        #expect(store.kept.isEmpty)
        _ = try await made.session(shade: 4)
        #expect(store.kept.isEmpty)
        await made.engine.shutDown()
    }

    @Test func aStoreThatRefusesCostsNoFrame() async throws {
        defer { removeFolders() }
        let store = KeptBytes()
        store.refuse()
        let reports = Guarded<[ArchiveReport]>([])
        let made = try await start(store) { configuration in
            configuration.onArchive = { report in reports.withLock { $0.append(report) } }
        }
        let session = try await made.session()
        _ = try await frame(made, session)
        for _ in 0..<6000 where reports.withLock({ $0.isEmpty }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        // For a while it is not asked again, and the log is told once.
        for shade: UInt8 in 1...3 {
            _ = try await frame(made, try await made.session(shade: shade))
        }
        #expect(reports.withLock { $0.map(\.severity) } == [.problem])
        await made.engine.shutDown()
    }
}
