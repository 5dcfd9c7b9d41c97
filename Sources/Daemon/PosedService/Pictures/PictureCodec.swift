import PosedAccounts
import PosedErrors
import PosedProtos
package import PosedRPC
import PosedServing
import PosedVision
import Tracing

/// Reads the pictures of requests and writes those of replies, within the account of whoever asks. Large ones and
/// compressed ones are work for threads of their own.
package struct PictureCodec: Sendable {
    /// A part of a request that was read.
    struct Part<Value: Sendable>: Sendable {
        let value: Value
        /// How long reading it took, waiting included.
        let time: Duration
        /// The memory of what was made of it, charged to the caller for as long as this is kept.
        let hold: Hold
    }

    private let workers: Workers

    /// A codec with these workers.
    package init(workers: Workers) { self.workers = workers }

    /// Reads a part of a request.
    ///
    /// - Throws: `RequestError` `resourceExhausted` before anything is decompressed for which the account has no
    ///   room, and what `body` throws.
    func read<Value: Sendable>(
        for account: Account, _ cost: ReadingCost,
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Part<Value> {
        let start = ContinuousClock.now
        let hold = try account.take(.bytes, cost.most)
        let value = cost.isHeavy ? try await workers.run(for: account.caller, body) : try body()
        hold.note(cost.kept)
        return Part(value: value, time: ContinuousClock.now - start, hold: hold)
    }

    /// A frame as it is sent.
    ///
    /// - Parameters:
    ///   - frame: The frame as the engine made it; `total` ends with the finished picture.
    ///   - format: How its picture is sent.
    ///   - arrival: When its request came, where that is not what `total` counts from.
    func write(
        _ frame: Frame, as format: PictureFormat, for account: Account,
        since arrival: ContinuousClock.Instant? = nil
    ) async throws -> Posed_V1_Frame {
        let start = ContinuousClock.now
        let image = frame.image
        var message = Posed_V1_Frame()
        switch format {
        case .raw: message.image = try Posed_V1_Image(image, as: .raw)
        case .png, .jpeg:
            message.image = try await workers.run(for: account.caller) {
                try Posed_V1_Image(image, as: format)
            }
        }
        let end = ContinuousClock.now
        trace(frame, encode: StageSpan("encode", start, end))
        message.used = Posed_V1_UsedSettings(frame.used)
        message.cache = Posed_V1_CacheUse(frame.cache)
        message.timings = Posed_V1_StageTimings(
            frame.timings, encode: end - start,
            total: arrival.map { end - $0 } ?? frame.timings.total + (end - start))
        return message
    }

    /// Tells the tracer when the stages of a frame were worked on, below the span of the call.
    private func trace(_ frame: Frame, encode: StageSpan) {
        guard !(InstrumentationSystem.tracer is NoOpTracer), let first = frame.stages.first else {
            return
        }
        let (now, wall) = (ContinuousClock.now, DefaultTracerClock.now.nanosecondsSinceEpoch)
        func instant(_ moment: ContinuousClock.Instant) -> DefaultTracerClock.Timestamp {
            let age = UInt64(max(0, moment.duration(to: now) / .nanoseconds(1)))
            return .init(nanosecondsSinceEpoch: wall - min(wall, age))
        }
        let span = startSpan("frame", at: instant(first.start))
        span.attributes["posed.solver"] = frame.used.solver
        span.attributes["posed.evaluations"] = frame.used.evaluations
        span.attributes["posed.width"] = frame.used.width
        span.attributes["posed.height"] = frame.used.height
        for stage in frame.stages + [encode] {
            startSpan(stage.name, context: span.context, at: instant(stage.start))
                .end(at: instant(stage.end))
        }
        span.end(at: instant(encode.end))
    }
}
