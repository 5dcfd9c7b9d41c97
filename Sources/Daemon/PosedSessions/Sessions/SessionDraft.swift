/// What a client asks for when it makes a session.
package struct SessionDraft<Settings: SessionSettings>: Sendable {
    /// The id that the client chose for the session's name; nil leaves that to the store.
    package var chosenID: String?
    /// What the client calls this request, so that it may repeat it; nil where it does not.
    package var requestID: String?
    /// A name for people; may be empty.
    package var displayName: String
    /// Words of the client's own, by key.
    package var labels: [String: String]
    /// How long it lives without being used; nil for the limits' default.
    package var timeToLive: Duration?
    /// The caller's defaults for requests.
    package var settings: Settings
    /// The pictures of the person, at least one.
    package var pictures: [SourcePicture] {
        didSet { picturesKey = .pictures(pictures) }
    }
    /// The key of the pictures; computed here, before anybody holds a lock.
    package private(set) var picturesKey: ContentKey

    /// A request for a session.
    package init(
        pictures: [SourcePicture], settings: Settings, displayName: String = "",
        labels: [String: String] = [:], timeToLive: Duration? = nil, chosenID: String? = nil,
        requestID: String? = nil
    ) {
        self.chosenID = chosenID
        self.requestID = requestID
        self.pictures = pictures
        picturesKey = .pictures(pictures)
        self.settings = settings
        self.displayName = displayName
        self.labels = labels
        self.timeToLive = timeToLive
    }
}

/// What a client changes of a session; nil leaves a thing as it is.
package struct SessionUpdate<Settings: SessionSettings>: Sendable {
    /// A name for people.
    package var displayName: String?
    /// All labels; those that are not named here go.
    package var labels: [String: String]?
    /// How long the session lives without being used.
    package var timeToLive: Duration?
    /// The caller's defaults for requests.
    package var settings: Settings?
    /// The revision that the client knows; any when nil.
    package var expectedRevision: UInt64?

    /// A change of the things that are given.
    package init(
        displayName: String? = nil, labels: [String: String]? = nil, timeToLive: Duration? = nil,
        settings: Settings? = nil, expectedRevision: UInt64? = nil
    ) {
        self.displayName = displayName
        self.labels = labels
        self.timeToLive = timeToLive
        self.settings = settings
        self.expectedRevision = expectedRevision
    }
}
