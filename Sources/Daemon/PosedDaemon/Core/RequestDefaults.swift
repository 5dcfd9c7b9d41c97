package import PosedServing

/// What requests get that do not say otherwise, by the configuration.
package struct RequestDefaults: Sendable, Equatable {
    /// How pictures are made.
    package var settings = FrameSettings()
    /// After how long a request is given up.
    package var deadline: Duration?
    /// How long a pose of a stream may wait before a later one supersedes it.
    package var maxLag: Duration?

    /// As given.
    package init(
        settings: FrameSettings = FrameSettings(), deadline: Duration? = nil,
        maxLag: Duration? = nil
    ) {
        self.settings = settings
        self.deadline = deadline
        self.maxLag = maxLag
    }
}
