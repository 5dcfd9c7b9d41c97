import Foundation
import PosedAccounts
package import PosedProtos
package import PosedServing
import SwiftProtobuf

extension Posed_V1_Limits {
    /// What requests may ask for; messages are the transport's to limit.
    package init(_ limits: ServingLimits, maxMessageBytes: Int) {
        self.init()
        maxNfe = Int32(clamping: limits.maxEvaluations)
        maxSide = Int32(clamping: limits.maxSide)
        self.maxMessageBytes = Int64(maxMessageBytes)
        maxSources = Int32(clamping: limits.maxSources)
        maxSessions = Int32(clamping: limits.accounts.total[.sessions])
        maxSessionBytes = Int64(limits.accounts.sessionBytes)
        maxQueuedFrames = Int32(clamping: limits.accounts.total[.queuedFrames])
        maxTtl = Google_Protobuf_Duration(limits.maxTimeToLive)
    }
}

extension Posed_V1_Statistics {
    /// What the daemon is doing, and has done.
    package init(_ statistics: ServingStatistics) {
        self.init()
        sampleTime = Google_Protobuf_Timestamp(date: Date())
        uptime = Google_Protobuf_Duration(statistics.uptime)
        framesCompleted = Int64(statistics.framesCompleted)
        framesFailed = Int64(statistics.framesFailed)
        framesCancelled = Int64(statistics.framesCancelled)
        framesSuperseded = Int64(statistics.framesSuperseded)
        framesLate = Int64(statistics.framesLate)
        framesReduced = Int64(statistics.framesReduced)
        framesQueued = Int64(statistics.framesQueued)
        framesRunning = Int64(statistics.framesRunning)
        openStreams = Int64(statistics.openStreams)
        sessions = Int64(statistics.sessions)
        sessionBytes = Int64(statistics.sessionBytes)
        batches = Int64(statistics.batches)
        batchRows = Int64(statistics.batchRows)
        sourceCache = Posed_V1_CacheStatistics(statistics.sourceCache)
        poseCache = Posed_V1_CacheStatistics(statistics.poseCache)
    }
}

extension Posed_V1_CacheStatistics {
    /// A cache's record.
    init(_ cache: ServingStatistics.Cache) {
        self.init()
        hits = Int64(cache.hits)
        misses = Int64(cache.misses)
        entries = Int64(cache.entries)
        bytes = Int64(cache.bytes)
    }
}

extension AccountLimits {
    /// What all sessions together may take: their pictures, and their encoded sources.
    fileprivate var sessionBytes: Int {
        let (sum, isTooLarge) = total[.sessionBytes].addingReportingOverflow(
            total[.conditioningBytes])
        return isTooLarge ? .max : sum
    }
}
