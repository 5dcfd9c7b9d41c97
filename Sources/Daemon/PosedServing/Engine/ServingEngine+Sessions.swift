import Foundation
import PosedBase
import PosedErrors
import PosedSessions
import PosedVision

extension ServingEngine {
    package func createSession(
        _ session: NewSession, owner: String
    ) async throws -> SessionDescription {
        do {
            try check(session.sources)
            let model = try resolver.model(session.model)
            var resolved = try resolver.resolve(session.defaults, model: model)
            resolved.form = resolved.form.on(lanePool.lane(homes: [], spreads: true))
            try checkCost(resolved)
            let sources = try await framed(session.sources, session.framing, resolved.form)
            let key = try await key(of: sources, resolved.form, owner: owner)
            let source = try await conditioning(
                of: sources, key, resolved.form, owner: owner, due: session.deadline)
            defer { source.reference.release() }
            let pictures = try session.sources.map {
                try SourcePicture(width: $0.width, height: $0.height, pixels: $0.bytes)
            }
            let made = try await store.create(
                SessionDraft(
                    pictures: pictures,
                    settings: SessionDefaults(
                        model: served[model].description.name, frame: session.defaults,
                        framing: session.framing,
                        conditioningBytes: source.reference.byteCount),
                    displayName: session.displayName, timeToLive: session.timeToLive,
                    chosenID: session.sessionID, requestID: session.requestID),
                owner: owner)
            keep(source, of: made.id, resolved.form, owner: owner)
            return describe(made)
        } catch {
            throw RequestError(error)
        }
    }

    package func session(_ name: String, owner: String) async throws -> SessionDescription {
        describe(try store.session(try await store.find(named: name, owner: owner), owner: owner))
    }

    package func sessions(
        owner: String, pageSize: Int, pageToken: String
    ) async throws -> SessionPage {
        let page = try await store.page(
            of: owner, pageSize: pageSize, pageToken: pageToken.isEmpty ? nil : pageToken)
        return SessionPage(
            sessions: page.sessions.map(describe), nextPageToken: page.nextToken ?? "")
    }

    package func updateSession(
        _ name: String, _ changes: SessionChanges, owner: String
    ) async throws -> SessionDescription {
        let id = try await store.find(named: name, owner: owner)
        var update = SessionUpdate<SessionDefaults>()
        update.displayName = changes.displayName
        update.timeToLive = changes.timeToLive
        update.expectedRevision = changes.etag.map(Self.revision)
        if let defaults = changes.defaults {
            var settings = try store.session(id, owner: owner).settings
            _ = try resolver.resolve(defaults, model: try resolver.model(settings.model))
            settings.frame = defaults
            update.settings = settings
        }
        return describe(try await store.update(id, owner: owner, with: update))
    }

    package func deleteSession(_ name: String, etag: String?, owner: String) async throws {
        try await store.delete(
            try await store.find(named: name, owner: owner), owner: owner,
            expectedRevision: etag.map(Self.revision))
    }

    /// The revision that an etag stands for; 0, which no session has, for one of nobody's.
    private static func revision(_ etag: String) -> UInt64 { UInt64(etag) ?? 0 }

    /// Says to the cache that a session wants this source, once, and saves it for the time after a restart.
    ///
    /// A session may end at any time: before it is noted, which is found out here, or after, when its note
    /// is found and goes. The cache is told first, so that its count is right either way.
    func keep(_ source: Source, of id: SessionID, _ form: LaneForm, owner: String) {
        let key = source.reference.key
        sources.addKeeper(of: key)
        if sessionKeys.note(key, of: id, form) {
            save(source.reference.payload, key, of: id, form, owner: owner)
        } else {
            sources.removeKeeper(of: key)
        }
        if !store.contains(id) { forget(id) }
    }

    /// Saves a session's encoded source, for the time after a restart and for other daemons, when its lane has time for that.
    private func save(
        _ source: any Conditioning, _ key: ContentKey, of id: SessionID, _ form: LaneForm,
        owner: String
    ) {
        let isSaved = saved?.reserve(key, of: id, byteCount: source.byteCount) ?? false
        let isShared = sharedSources?.reserve(key, owner: owner) ?? false
        guard isSaved || isShared else { return }
        lanePool[form].later { [saved, sharedSources] executor in
            let tensors = Result { try executor.save(source, form) }
            if isSaved, let saved { HostWork.begin { saved.save(key, tensors) } }
            if isShared, let sharedSources {
                Task { await sharedSources.save(key, tensors) }
            }
        }
    }

    /// Forgets a session that has ended.
    private func forget(_ id: SessionID) {
        for key in sessionKeys.forget(id) { sources.removeKeeper(of: key) }
        saved?.forget(id)
    }

    /// Sessions of which something is remembered.
    package var notedSessions: Int { sessionKeys.count }

    private func describe(_ session: Session<SessionDefaults>) -> SessionDescription {
        var description = SessionDescription()
        description.name = session.name
        description.displayName = session.displayName
        description.model = session.settings.model
        description.defaults = session.settings.frame
        description.timeToLive = session.timeToLive
        description.created = Date(session.created)
        description.lastUsed = Date(session.used)
        description.expires = Date(session.expires)
        let model = served.first { $0.description.name == session.settings.model }?.description
        description.sourceCount = model?.counted(session.pictures.count) ?? session.pictures.count
        description.conditioningBytes =
            session.settings.conditioningBytes ?? expectedBytes(session) ?? 0
        description.frameCount = Int(clamping: session.frameCount)
        description.etag = String(session.revision)
        return description
    }
}

extension ServingEngine {
    /// What a session's sources will take when they are encoded at its own size, about.
    private func expectedBytes(_ session: Session<SessionDefaults>) -> Int? {
        guard let index = try? resolver.model(session.settings.model),
            let form = try? resolver.resolve(session.settings.frame, model: index).form
        else { return nil }
        return served[index].conditioningBytes(
            width: form.width, height: form.height, sources: session.pictures.count)
    }
}

extension Date {
    /// The same time.
    fileprivate init(_ time: WallTime) {
        self.init(timeIntervalSince1970: time.seconds)
    }
}
