package import Foundation
package import PosedVision

/// A session as its owner sees it.
package struct SessionDescription: Sendable, Equatable {
    /// `sessions/{session}`.
    package var name = ""
    package var displayName = ""
    /// `models/{model}`.
    package var model = ""
    package var defaults = FrameSettings()
    package var timeToLive = Duration.zero
    package var created = Date(timeIntervalSince1970: 0)
    package var lastUsed = Date(timeIntervalSince1970: 0)
    package var expires = Date(timeIntervalSince1970: 0)
    package var sourceCount = 0
    package var conditioningBytes = 0
    package var frameCount = 0
    /// Changes with everything that its owner changes.
    package var etag = ""

    /// Nothing yet.
    package init() {}
}

/// How a request wants its pictures of a person brought to the model's aspect.
package struct SourceFraming: Codable, Sendable, Equatable {
    /// What is done to a picture of another aspect; nil for what the model says.
    package var fit: PictureFit?
    /// Where the person is in each picture; nil, or none for a picture, for the whole of it.
    package var boxes: [PictureBox?]

    /// As the model says, unless something else is said.
    package init(fit: PictureFit? = nil, boxes: [PictureBox?] = []) {
        self.fit = fit
        self.boxes = boxes
    }
}

/// A session asked for.
package struct NewSession: Sendable {
    /// Pictures of the person, the main one first.
    package var sources: [Image]
    /// `models/{model}`; nil for the default.
    package var model: String?
    /// The id that the caller chose for its name; nil for one of the store's.
    package var sessionID: String?
    /// What the caller calls this request, so that it may repeat it.
    package var requestID: String?
    package var displayName = ""
    package var defaults = FrameSettings()
    /// Nil for the daemon's default.
    package var timeToLive: Duration?
    package var deadline: ContinuousClock.Instant?
    package var framing = SourceFraming()

    /// A session of these pictures, otherwise with defaults.
    package init(sources: [Image]) { self.sources = sources }
}

/// What is to change in a session; nil stays as it is.
package struct SessionChanges: Sendable {
    package var displayName: String?
    package var defaults: FrameSettings?
    package var timeToLive: Duration?
    /// The etag that the caller knows; nil for any.
    package var etag: String?

    /// No change.
    package init() {}
}

/// A page of a list of sessions.
package struct SessionPage: Sendable {
    package var sessions: [SessionDescription]
    /// Empty on the last page.
    package var nextPageToken: String

    /// A page as given.
    package init(sessions: [SessionDescription], nextPageToken: String) {
        self.sessions = sessions
        self.nextPageToken = nextPageToken
    }
}
