import PosedProtos
import PosedServing
import PosedVision

/// Reads the pictures of requests and writes those of replies: what is work on threads of its own, what is
/// not at once.
package struct PictureCodec: Sendable {
    private let workers: PictureWorkers

    /// A codec with these workers.
    package init(workers: PictureWorkers) { self.workers = workers }

    /// Reads a part of a request, and says how long that took, waiting included.
    ///
    /// - Parameter isHeavy: Whether it is work for a thread of its own.
    func read<Value: Sendable>(
        isHeavy: Bool, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> (value: Value, time: Duration) {
        let start = ContinuousClock.now
        let value = isHeavy ? try await workers.run(body) : try body()
        return (value, ContinuousClock.now - start)
    }

    /// A frame as it is sent.
    ///
    /// - Parameters:
    ///   - frame: The frame as the engine made it; `total` ends with the finished picture.
    ///   - format: How its picture is sent.
    ///   - arrival: When its request came, where that is not what `total` counts from.
    func write(
        _ frame: Frame, as format: PictureFormat, since arrival: ContinuousClock.Instant? = nil
    ) async throws -> Posed_V1_Frame {
        let start = ContinuousClock.now
        let image = frame.image
        var message = Posed_V1_Frame()
        switch format {
        case .raw: message.image = try Posed_V1_Image(image, as: .raw)
        case .png: message.image = try await workers.run { try Posed_V1_Image(image, as: .png) }
        }
        let end = ContinuousClock.now
        message.used = Posed_V1_UsedSettings(frame.used)
        message.cache = Posed_V1_CacheUse(frame.cache)
        message.timings = Posed_V1_StageTimings(
            frame.timings, encode: end - start,
            total: arrival.map { end - $0 } ?? frame.timings.total + (end - start))
        return message
    }
}
