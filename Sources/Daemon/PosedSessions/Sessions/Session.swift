package import PosedBase

/// What a caller keeps with a session as its defaults: written to the state directory as JSON.
package typealias SessionSettings = Codable & Equatable & Sendable

/// A session as it is at one moment.
package struct Session<Settings: SessionSettings>: Sendable {
    /// Its unguessable id.
    package let id: SessionID
    /// The id that its owner chose for its name; nil where the daemon did.
    package let chosenID: String?
    /// What its owner called the request that made it; nil where it had no name.
    package let requestID: String?
    /// The identity that made it, and the only one that sees it.
    package let owner: String
    /// A name for people; may be empty.
    package internal(set) var displayName: String
    /// Words of the client's own, by key.
    package internal(set) var labels: [String: String]
    /// How long it lives without being used.
    package internal(set) var timeToLive: Duration
    /// The caller's defaults for requests.
    package internal(set) var settings: Settings
    /// The pictures of the person, at least one.
    package let pictures: [SourcePicture]
    /// The key of the pictures, for the key of their conditioning.
    package let picturesKey: ContentKey
    /// When it was made.
    package let created: WallTime
    /// When it was last used, as far as was known when this value was taken.
    package internal(set) var used: WallTime
    /// Frames made with it, as far as they were counted by whoever used it.
    package internal(set) var frameCount: UInt64 = 0
    /// Counts the changes of what a client sets; begins with 1.
    package internal(set) var revision: UInt64

    /// The session's name, `sessions/…`.
    package var name: String { chosenID.map { SessionID.collection + $0 } ?? id.name }
    /// When it ends unless it is used before.
    package var expires: WallTime { used.advanced(by: timeToLive) }
    /// Bytes of memory that its pictures take.
    package var byteCount: Int { pictures.reduce(0) { $0 + $1.byteCount } }
}

extension Session: Equatable {}
