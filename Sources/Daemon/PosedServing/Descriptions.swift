package import PosedAccounts
package import PosedBackend
package import PosedSolvers

/// A model that sessions can be made for.
package struct ModelDescription: Sendable, Equatable {
    /// Where a part of it runs.
    package struct Part: Sendable, Equatable {
        package var part: Placement.Part
        /// A device, such as `cpu` or `cuda:1`.
        package var device: String
        /// Of products' operands.
        package var dtype: String

        /// The device's backend, such as `cuda`.
        package var backend: String { String(device.prefix { $0 != ":" }) }

        /// As given.
        package init(part: Placement.Part, device: String, dtype: String) {
            self.part = part
            self.device = device
            self.dtype = dtype
        }
    }

    /// `models/{model}`.
    package var name = ""
    /// Of its pictures, in pixels.
    package var width = 0
    package var height = 0
    /// What other widths and heights must be multiples of.
    package var sizeMultiple = 1
    /// Whether other sizes are refused.
    package var isSizeFixed = false
    /// Whether all source pictures count, or the first alone.
    package var usesEverySource = true
    package var hiddenSize = 0
    package var depth = 0
    package var parameterCount = 0
    package var hasReferenceAttention = false
    package var parts: [Part] = []
    package var defaultSolver = ""
    package var defaultSteps = 1
    package var defaultLastStepFirstOrder = true
    package var defaultEvaluations = 0
    package var defaultGuidance = 1.0
    /// SHA-256 of its weights and configuration, in hexadecimal.
    package var fingerprint = ""
    package var isDefault = false

    /// Nothing yet.
    package init() {}

    /// How many of so many source pictures count.
    package func counted(_ sources: Int) -> Int { usesEverySource ? sources : min(sources, 1) }
}

/// A backend plugin that was found.
package struct BackendDescription: Sendable {
    package var name: String
    package var report: ProbeReport
    /// Whether a part of a model runs on it.
    package var isInUse: Bool

    /// As given.
    package init(name: String, report: ProbeReport, isInUse: Bool) {
        self.name = name
        self.report = report
        self.isInUse = isInUse
    }
}

/// A way to integrate the velocity.
package struct SolverDescription: Sendable, Equatable {
    package var name: String
    package var order: Int
    package var evaluationsPerStep: Int
    /// Whether a step evaluates the velocity at its end, so that the last is Euler's unless told otherwise.
    package var evaluatesStepEnd: Bool
    package var isAdaptive: Bool
    /// Whether it is no file or plugin of the operator's.
    package var isBuiltIn: Bool

    /// As given.
    package init(
        name: String, order: Int, evaluationsPerStep: Int, evaluatesStepEnd: Bool,
        isAdaptive: Bool, isBuiltIn: Bool
    ) {
        self.name = name
        self.order = order
        self.evaluationsPerStep = evaluationsPerStep
        self.evaluatesStepEnd = evaluatesStepEnd
        self.isAdaptive = isAdaptive
        self.isBuiltIn = isBuiltIn
    }

    /// What steps on a fixed grid cost.
    package func cost(lastStepFirstOrder: Bool) -> GridCost {
        GridCost(
            perStep: evaluationsPerStep,
            lastStep: lastStepFirstOrder && evaluatesStepEnd ? 1 : evaluationsPerStep)
    }
}

/// What requests may ask for.
package struct ServingLimits: Sendable, Equatable {
    package var maxEvaluations = 200
    /// Of pictures, made or sent, in pixels a side.
    package var maxSide = 2048
    package var maxSources = 8
    /// How long the device may be predicted to need for one frame, and for one step of it.
    package var frameTime = Duration.seconds(120)
    package var stepTime = Duration.seconds(10)
    /// How much callers may hold.
    package var accounts = Self.usualAccounts
    /// Of the cache of encoded poses.
    package var maxPoseCacheBytes = 128 << 20
    /// Bytes of encoded sources that are saved for the time after a restart.
    package var maxSavedBytes = 128 << 20
    package var defaultTimeToLive = Duration.seconds(3600)
    package var maxTimeToLive = Duration.seconds(86400)

    /// The daemon's defaults.
    package init() {}

    /// Bounds of sessions and frames for one machine with a few callers.
    private static var usualAccounts: AccountLimits {
        var limits = AccountLimits()
        for (resource, total) in [
            (Resource.sessions, 256), (.sessionBytes, 512 << 20), (.conditioningBytes, 512 << 20),
            (.queuedFrames, 256),
        ] {
            limits.total[resource] = total
            limits.each[resource] = total / 4
        }
        return limits
    }
}

/// What the daemon is doing, and has done since its start.
package struct ServingStatistics: Sendable, Equatable {
    /// A cache's record.
    package struct Cache: Sendable, Equatable {
        package var hits = 0
        package var misses = 0
        package var entries = 0
        package var bytes = 0

        /// Nothing yet.
        package init() {}
    }

    package var uptime = Duration.zero
    package var framesCompleted = 0
    package var framesFailed = 0
    package var framesCancelled = 0
    package var framesSuperseded = 0
    package var framesLate = 0
    package var framesReduced = 0
    package var framesQueued = 0
    package var framesRunning = 0
    package var openStreams = 0
    package var sessions = 0
    package var sessionBytes = 0
    /// Batches of velocity evaluations, and the rows in them.
    package var batches = 0
    package var batchRows = 0
    package var sourceCache = Cache()
    package var poseCache = Cache()

    /// Nothing yet.
    package init() {}
}
