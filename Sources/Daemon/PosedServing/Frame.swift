package import PosedVision

/// A picture made, and how.
package struct Frame: Sendable {
    package var image: Image
    package var used: UsedSettings
    package var cache: CacheUse
    package var timings: StageTimings
    /// When each stage was worked on, for traces; a source that was encoded for the frame counts from its receipt.
    package var stages: [StageSpan] = []

    /// A frame as given.
    package init(image: Image, used: UsedSettings, cache: CacheUse, timings: StageTimings) {
        self.image = image
        self.used = used
        self.cache = cache
        self.timings = timings
    }
}

/// What a picture was made with.
package struct UsedSettings: Sendable, Equatable {
    /// `models/{model}`.
    package var model = ""
    package var solver = ""
    /// Velocity evaluations made.
    package var evaluations = 0
    /// Whether those are fewer than asked for, because the frame would have been late.
    package var isReduced = false
    package var guidance = 1.0
    package var seed: UInt64 = 0
    package var timeShift = 1.0
    /// Whether the last step on a fixed grid was to be of first order.
    package var lastStepFirstOrder = true
    package var width = 0
    package var height = 0
    /// Backend and class of numerics of the velocity, such as `cpu/cpu-avx512-bf16`.
    package var numerics = ""
    /// Where on the path the solve began, from the frame before; 0: at noise.
    package var warmStart = 0.0

    /// Nothing yet.
    package init() {}
}

/// What was found ready.
package struct CacheUse: Sendable, Equatable {
    package var source: Bool
    package var pose: Bool

    /// As given.
    package init(source: Bool = false, pose: Bool = false) {
        self.source = source
        self.pose = pose
    }
}

/// When a stage of a frame was worked on, or waited.
package struct StageSpan: Sendable, Equatable {
    /// `queue`, `source`, `pose`, `solve`, `decode` or `encode`.
    package var name: String
    package var start: ContinuousClock.Instant
    package var end: ContinuousClock.Instant

    /// As given.
    package init(_ name: String, _ start: ContinuousClock.Instant, _ end: ContinuousClock.Instant) {
        self.name = name
        self.start = start
        self.end = end
    }
}

/// Where the time went; a stage that was skipped took none.
package struct StageTimings: Sendable, Equatable {
    /// Waiting: from receipt to the first work, and between stages.
    package var queue = Duration.zero
    package var source = Duration.zero
    package var pose = Duration.zero
    /// Velocity evaluations, those shared with other pictures in full.
    package var solve = Duration.zero
    package var decode = Duration.zero
    /// From receipt to the finished picture.
    package var total = Duration.zero

    /// Nothing yet.
    package init() {}
}
