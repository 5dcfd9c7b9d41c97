extension Settings {
    /// What the daemon keeps.
    package enum Sessions {
        private static let lives: ClosedRange<Duration> = .seconds(1)...(.seconds(365 * 86_400))

        package static let idleTimeout = Setting(
            "sessions.idleTimeout", .duration(lives), initial: .seconds(3600), .reload,
            "How long a session that nobody uses is kept, when its owner does not say.")
        package static let maxIdleTimeout = Setting(
            "sessions.maxIdleTimeout", .duration(lives), initial: .seconds(86_400), .reload,
            "The longest such time that an owner may ask for.")
        package static let stateDirectory = Setting(
            "sessions.stateDirectory", .optional(.path("a folder")), initial: nil, .restart,
            "Where sessions are kept over a restart; none keeps them in memory alone. Under systemd the "
                + "default is the unit's StateDirectory=, $STATE_DIRECTORY.")
        package static let poseCacheBytes = Setting(
            "cache.poseBytes", .optional(.bytes(0...(1 << 40))), initial: nil, .reload,
            "Memory of the cache of encoded poses; none for a sixteenth of limits.memory, less the model's."
        )

        package static let savedBytes = Setting(
            "cache.savedBytes", .optional(.bytes(0...(1 << 40))), initial: nil, .reload,
            "Memory of the encoded sources of sessions that systemd keeps over a restart or a crash "
                + "(FileDescriptorStoreMax= of the unit); none for a sixteenth of limits.memory, less the model's."
        )

        static let all: [any AnySetting] = [
            idleTimeout, maxIdleTimeout, stateDirectory, Store.address, poseCacheBytes, savedBytes,
        ]
    }

    /// What waits, and what runs together.
    package enum Scheduling {
        private static let spans: ClosedRange<Duration> = .milliseconds(1)...(.seconds(86_400))

        package static let maxBatchRows = Setting(
            "scheduling.maxBatchRows", .integer(1...256), initial: 16, .restart,
            "Rows that one velocity evaluation computes at once; a frame with guidance has two.")
        package static let defaultDeadline = Setting(
            "scheduling.defaultDeadline", .optional(.duration(spans)), initial: .seconds(120),
            .reload, "When a call without a deadline is given up; none waits for ever.")
        package static let defaultMaxLag = Setting(
            "scheduling.defaultMaxLag", .optional(.duration(spans)), initial: nil, .reload,
            "How long a pose of a stream may wait before a later one supersedes it, when the stream "
                + "does not say; none makes every pose a frame.")

        static let all: [any AnySetting] = [
            maxBatchRows, defaultDeadline, defaultMaxLag,
        ]
    }

    /// How pictures are made when nobody says.
    package enum Sampling {
        package static let solver = Setting(
            "sampling.solver", .optional(.text("a solver's name such as heun")), initial: nil,
            .reload, "The solver; none for the model's own.")
        package static let nfe = Setting(
            "sampling.nfe", .optional(.integer(1...10_000)), initial: nil, .reload,
            "Velocity evaluations of a picture; none for the model's own.")
        package static let guidance = Setting(
            "sampling.guidance", .optional(.number(0...100)), initial: nil, .reload,
            "The scale of guidance; 1 is without and half the work, none for the model's own.")
        package static let timeShift = Setting(
            "sampling.timeShift", .optional(.number(0.01...100)), initial: nil, .reload,
            "The shift of the time grid; none for the model's own.")

        static let all: [any AnySetting] = [solver, nfe, guidance, timeShift]
    }
}
