import PosedAccounts
import PosedBackend
import PosedProtos
import PosedServing
import SwiftProtobuf
import Testing

import PosedService

@Suite struct ReplyDomainTests {
    @Test func whatAPictureWasMadeWith() {
        var used = UsedSettings()
        used.model = "models/a"
        used.solver = "heun"
        used.evaluations = 7
        used.isReduced = true
        used.guidance = 1.25
        used.seed = .max
        used.timeShift = 3
        used.lastStepFirstOrder = true
        used.width = 256
        used.height = 128
        used.numerics = "blas/f32"
        used.warmStart = 0.5
        let message = Posed_V1_UsedSettings(used)
        #expect(message.model == "models/a")
        #expect(message.solver == "heun")
        #expect(message.nfe == 7)
        #expect(message.nfeReduced)
        #expect(message.guidanceScale == 1.25)
        #expect(message.seed == .max)
        #expect(message.timeShift == 3)
        #expect(message.lastStepFirstOrder)
        #expect(message.width == 256)
        #expect(message.height == 128)
        #expect(message.numerics == "blas/f32")
        #expect(message.warmStart == 0.5)
    }

    @Test func stagesThatWereSkippedTookNone() {
        var timings = StageTimings()
        timings.queue = .milliseconds(1)
        timings.solve = .milliseconds(2)
        timings.decode = .milliseconds(3)
        let message = Posed_V1_StageTimings(
            timings, encode: .milliseconds(4), total: .milliseconds(11))
        #expect(!message.hasSource)
        #expect(!message.hasPose)
        #expect(message.queue.nanos == 1_000_000)
        #expect(message.solve.nanos == 2_000_000)
        #expect(message.decode.nanos == 3_000_000)
        #expect(message.encode.nanos == 4_000_000)
        #expect(message.total.nanos == 11_000_000)
        timings.source = .seconds(1)
        timings.pose = .seconds(2)
        let full = Posed_V1_StageTimings(timings, encode: .zero, total: .zero)
        #expect(full.source.seconds == 1)
        #expect(full.pose.seconds == 2)
    }

    @Test func modelsAreDescribed() {
        var model = ModelDescription()
        model.name = "models/a"
        model.parameterCount = 1 << 40
        model.parts = Placement.Part.allCases.map {
            .init(part: $0, device: "blas", dtype: "f32")
        }
        model.isDefault = true
        let message = Posed_V1_Model(model)
        #expect(message.name == "models/a")
        #expect(message.parameterCount == 1 << 40)
        #expect(
            message.parts.map(\.part) == [.vae, .sourceEncoder, .poseEncoder, .transformer])
        #expect(message.parts.allSatisfy { $0.device == "blas" })
        #expect(message.parts.allSatisfy { $0.dataType == .f32 })
        #expect(message.defaultModel)
    }

    @Test func everyStatusOfABackendHasItsNumber() {
        var report = ProbeReport(score: 5, devices: 1, version: "1.2", summary: "fine")
        let statuses: [(ProbeReport.Status, Posed_V1_BackendStatus)] = [
            (.usable, .usable), (.unsuitable, .unsuitable), (.incompatible, .incompatible),
            (.crashed, .crashed),
        ]
        for (status, expected) in statuses {
            report.status = status
            let message = Posed_V1_Backend(
                BackendDescription(name: "blas", report: report, isInUse: true))
            #expect(message.status == expected)
            #expect(message.score == 5)
            #expect(message.version == "1.2")
            #expect(message.summary == "fine")
            #expect(message.inUse)
        }
    }

    @Test func hugeNumbersAreClampedNotTrapped() {
        var limits = ServingLimits()
        limits.accounts.total[.sessions] = .max
        limits.accounts.total[.sessionBytes] = .max
        let message = Posed_V1_Limits(limits, maxMessageBytes: .max)
        #expect(message.maxSessions == .max)
        #expect(message.maxSessionBytes == .max)
        #expect(message.maxTtl.seconds == 86400)
        var statistics = ServingStatistics()
        statistics.framesQueued = .max
        statistics.poseCache.hits = 3
        let now = Posed_V1_Statistics(statistics)
        #expect(now.framesQueued == .max)
        #expect(now.poseCache.hits == 3)
    }
}
