import Foundation
import PosedGuarded
import PosedServing
import PosedSessions
import PosedVision
import Testing

/// A store that several engines have.
private final class StoredSources: SourceRecords {
    struct Contents {
        var kept: [String: [UInt8]] = [:]
        var isAway = false
        /// How often something was asked for.
        var questions = 0
    }

    private let state = Guarded(Contents())

    var contents: Contents {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    func source(
        _ key: String, keeping duration: Duration
    ) async throws(StorageError) -> [UInt8]? {
        try reached { contents in
            contents.questions += 1
            return contents.kept[key]
        }
    }

    func keep(
        _ bytes: [UInt8], as key: String, for duration: Duration
    ) async throws(StorageError) {
        try reached { $0.kept[key] = bytes }
    }

    func remove(_ keys: [String]) async throws(StorageError) {
        try reached { contents in
            for key in keys { contents.kept[key] = nil }
        }
    }

    private func reached<Value: Sendable>(
        _ body: @Sendable (inout Contents) -> Value
    ) throws(StorageError) -> Value {
        let value = state.withLock { $0.isAway ? nil : Optional(body(&$0)) }
        guard let value else { throw StorageError(.unreachable, "it is away") }
        return value
    }
}

/// What an operator is told.
private final class Reports: Sendable {
    private let state = Guarded<[ArchiveReport]>([])

    var all: [ArchiveReport] { state.withLock { $0 } }

    func add(_ report: ArchiveReport) { state.withLock { $0.append(report) } }
}

/// Engines share the encoded sources of sessions.
@Suite(.timeLimit(.minutes(10))) struct SharedSourcesTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("posed-shared-\(UInt64.random(in: 0...UInt64.max))")
    private let store = StoredSources()
    private let reports = Reports()

    /// An engine that keeps sessions in a folder; the second one has a copy of the first one's.
    private func start(isSecond: Bool = false, fingerprint: String? = nil) async throws
        -> TinyEngine
    {
        let copy = folder.appendingPathExtension("copy")
        if isSecond { try FileManager.default.copyItem(at: folder, to: copy) }
        let made = try await TinyEngine.make { configuration in
            configuration.stateFolder = (isSecond ? copy : folder).path
            configuration.sourceRecords = store
            configuration.onArchive = { [reports] in reports.add($0) }
            if let fingerprint,
                case .loaded(let model, _)? = configuration.models.first?.copies.first
            {
                configuration.models = [.init(name: "tiny", model, fingerprint: fingerprint)]
            }
        }
        await made.engine.restoreSessions()
        return made
    }

    private func removeFolders() {
        try? FileManager.default.removeItem(at: folder)
        try? FileManager.default.removeItem(at: folder.appendingPathExtension("copy"))
    }

    private func frame(
        _ made: TinyEngine, _ session: SessionDescription, owner: String = "token:ada"
    ) async throws -> Frame {
        try await made.engine.synthesize(
            FrameRequest(
                subject: .session(session.name), pose: try TinyEngine.pose(),
                settings: FrameSettings()), owner: owner)
    }

    /// Waits until the store is so.
    private func until(_ condition: (StoredSources.Contents) -> Bool) async throws {
        for _ in 0..<6000 where !condition(store.contents) {
            try await Task.sleep(for: .milliseconds(10))
        }
        try #require(condition(store.contents))
    }

    @Test func anotherEngineTakesTheSourceIn() async throws {
        defer { removeFolders() }
        let first = try await start()
        let session = try await first.session("token:ada")
        let before = try await frame(first, session)
        try await until { $0.kept.count == 1 }
        #expect(store.contents.questions == 0)
        await first.engine.shutDown()

        let second = try await start(isSecond: true)
        let after = try await frame(second, session)
        #expect(after.image.bytes == before.image.bytes)
        #expect(after.cache.source)
        #expect(after.timings.source == .zero)
        #expect(store.contents.questions == 1)
        // It goes with its session.
        try await second.engine.deleteSession(session.name, etag: nil, owner: "token:ada")
        try await until { $0.kept.isEmpty }
        await second.engine.shutDown()
    }

    @Test func anotherModelsSourceIsNotUsed() async throws {
        defer { removeFolders() }
        let first = try await start()
        let session = try await first.session("token:ada")
        try await until { $0.kept.count == 1 }
        await first.engine.shutDown()
        let second = try await start(isSecond: true, fingerprint: "other")
        #expect(try await !frame(second, session).cache.source)
        // Each model has its own.
        try await until { $0.kept.count == 2 }
        await second.engine.shutDown()
    }

    @Test(arguments: ["flipped", "cut", "empty", "foreign"])
    func damagedSourcesAreEncodedAnew(kind: String) async throws {
        defer { removeFolders() }
        let first = try await start()
        let session = try await first.session("token:ada")
        let before = try await frame(first, session)
        try await until { $0.kept.count == 1 }
        await first.engine.shutDown()
        let (key, bytes) = try #require(store.contents.kept.first)
        var changed = bytes
        switch kind {
        case "flipped": changed[bytes.count - 7] ^= 4
        case "cut": changed.removeLast(100)
        case "empty": changed = []
        default: changed = Array("something else".utf8)
        }
        store.contents.kept = [key: changed]
        let second = try await start(isSecond: true)
        let after = try await frame(second, session)
        #expect(!after.cache.source)
        #expect(after.image.bytes == before.image.bytes)
        let problems = reports.all.filter { $0.severity == .problem }
        #expect(problems.count == 1)
        // What was encoded takes its place.
        try await until { $0.kept == [key: bytes] }
        await second.engine.shutDown()
    }

    /// Without a store, sources are encoded, and the log says so once.
    @Test func theStoreIsAway() async throws {
        defer { removeFolders() }
        store.contents.isAway = true
        let made = try await start()
        for shade in 1...3 {
            let session = try await made.session("token:ada", shade: UInt8(shade))
            _ = try await frame(made, session)
        }
        for _ in 0..<600 where reports.all.isEmpty {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(reports.all.count == 1)
        await made.engine.shutDown()
    }

    /// A user's number is somebody else on another machine.
    @Test func usersOfOneMachineShareNothing() async throws {
        defer { removeFolders() }
        let made = try await start()
        let session = try await made.session("unix:1000")
        _ = try await frame(made, session, owner: "unix:1000")
        let other = try await made.session("token:ada")
        _ = try await frame(made, other)
        try await until { $0.kept.count == 1 }
        #expect(store.contents.questions == 0)
        await made.engine.shutDown()
    }
}
