import PosedErrors
package import PosedProtos
package import PosedServing
import SwiftProtobuf

extension Posed_V1_Session {
    /// The longest display name, in characters.
    private static let maxDisplayCharacters = 120

    /// A session as its owner sees it.
    package init(_ session: SessionDescription) {
        self.init()
        name = session.name
        displayName = session.displayName
        model = session.model
        if session.defaults != FrameSettings() {
            defaultSettings = Posed_V1_SynthesisSettings(session.defaults)
        }
        ttl = Google_Protobuf_Duration(session.timeToLive)
        createTime = Google_Protobuf_Timestamp(date: session.created)
        lastUseTime = Google_Protobuf_Timestamp(date: session.lastUsed)
        expireTime = Google_Protobuf_Timestamp(date: session.expires)
        sourceCount = Int32(clamping: session.sourceCount)
        conditioningBytes = Int64(session.conditioningBytes)
        frameCount = Int64(session.frameCount)
        etag = session.etag
    }

    /// A name for people at `path`. Throws `RequestError`.
    static func checked(displayName: String, at path: FieldPath) throws -> String {
        guard displayName.count <= maxDisplayCharacters else {
            throw path.refusal(
                expected: "at most \(maxDisplayCharacters) characters", got: displayName.count)
        }
        let hasControls = displayName.unicodeScalars.contains {
            $0.properties.generalCategory == .control
        }
        guard !hasControls else {
            throw path.refusal(expected: "text", got: "control characters in it")
        }
        return displayName
    }

    /// A time to live at `path`, within the daemon's limits. Throws `RequestError`.
    static func checked(
        ttl: Google_Protobuf_Duration, at path: FieldPath, limits: ServingLimits
    ) throws -> Duration {
        let duration = try ttl.duration(at: path)
        guard duration > .zero, duration <= limits.maxTimeToLive else {
            throw path.refusal(
                expected: "more than 0 and at most \(limits.maxTimeToLive)", got: duration)
        }
        return duration
    }
}

extension Posed_V1_CreateSessionRequest {
    /// The session asked for; its pictures are decoded here. Throws `RequestError`.
    package func session(limits: ServingLimits) throws -> NewSession {
        let pictures = try Posed_V1_Image.images(sources, at: "sources", limits: limits)
        var session = NewSession(sources: pictures)
        session.framing = try Posed_V1_Image.framing(
            sources, fit: sourceFit, at: "sources", fitAt: "source_fit")
        session.model = try ResourceName.model(model, at: "model")
        if !sessionID.isEmpty { session.sessionID = sessionID }
        if !requestID.isEmpty { session.requestID = requestID }
        session.displayName = try Posed_V1_Session.checked(
            displayName: displayName, at: "display_name")
        session.defaults = try defaultSettings.settings(at: "default_settings", limits: limits)
        if hasTtl {
            session.timeToLive = try Posed_V1_Session.checked(ttl: ttl, at: "ttl", limits: limits)
        }
        return session
    }
}

extension Posed_V1_UpdateSessionRequest {
    /// What is to change: what the mask names, or all that is set where there is none.
    ///
    /// A field that the mask names and the session lacks goes back to its default. Throws `RequestError`.
    package func changes(limits: ServingLimits) throws -> SessionChanges {
        let mask = try mask()
        var changes = SessionChanges()
        if !session.etag.isEmpty { changes.etag = session.etag }
        if mask.contains(.displayName) {
            changes.displayName = try Posed_V1_Session.checked(
                displayName: session.displayName, at: "session.display_name")
        }
        if mask.contains(.defaultSettings) {
            changes.defaults = try session.defaultSettings.settings(
                at: "session.default_settings", limits: limits)
        }
        if mask.contains(.ttl) {
            changes.timeToLive =
                session.hasTtl
                ? try Posed_V1_Session.checked(
                    ttl: session.ttl, at: "session.ttl", limits: limits)
                : limits.defaultTimeToLive
        }
        return changes
    }

    /// A field of a session that its owner may change.
    private enum Field: String, CaseIterable {
        case displayName = "display_name"
        case defaultSettings = "default_settings"
        case ttl
    }

    private func mask() throws -> Set<Field> {
        let paths = updateMask.paths
        if paths.isEmpty {
            var set: Set<Field> = []
            if !session.displayName.isEmpty { set.insert(.displayName) }
            if session.hasDefaultSettings { set.insert(.defaultSettings) }
            if session.hasTtl { set.insert(.ttl) }
            return set
        }
        if paths == ["*"] { return Set(Field.allCases) }
        return try Set(
            paths.enumerated().map { index, path in
                guard let field = Field(rawValue: path) else {
                    let known = Field.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
                    throw FieldPath("update_mask.paths")[index].refusal(
                        expected: "one of \(known)", got: "`\(path.prefix(80))`")
                }
                return field
            })
    }
}
