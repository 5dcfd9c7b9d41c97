package import PosedProtos
import SwiftProtobuf

extension BenchRecord {
    /// The stages whose times are reported, in their order.
    static let stageNames = ["queue", "source", "pose", "solve", "decode", "encode", "total"]

    /// A frame that came.
    package init(worker: Int, due: Double, end: Double, frame: Posed_V1_Frame) {
        self.init(worker: worker, due: due, end: end, outcome: .frame)
        let timings = frame.timings
        let times = [
            timings.queue, timings.source, timings.pose, timings.solve, timings.decode,
            timings.encode, timings.total,
        ]
        for (name, time) in zip(Self.stageNames, times) {
            stages[name] = time.timeInterval * 1000
        }
        hitSource = frame.cache.source
        hitPose = frame.cache.pose
        isReduced = frame.used.nfeReduced
    }
}
