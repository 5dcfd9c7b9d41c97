package import PosedProtos
package import PosedServing
import SwiftProtobuf

extension Posed_V1_UsedSettings {
    /// What a picture was made with.
    package init(_ used: UsedSettings) {
        self.init()
        model = used.model
        solver = used.solver
        nfe = Int32(clamping: used.evaluations)
        nfeReduced = used.isReduced
        guidanceScale = used.guidance
        seed = used.seed
        timeShift = used.timeShift
        lastStepFirstOrder = used.lastStepFirstOrder
        width = Int32(clamping: used.width)
        height = Int32(clamping: used.height)
        numerics = used.numerics
        warmStart = used.warmStart
    }
}

extension Posed_V1_StreamStarted {
    /// The settings of a stream's frames, and the format of their pictures.
    package init(_ used: UsedSettings, format: PictureFormat?) {
        self.init()
        model = used.model
        settings.solver = used.solver
        settings.nfe = Int32(clamping: used.evaluations)
        settings.guidanceScale = used.guidance
        settings.seed = used.seed
        settings.timeShift = used.timeShift
        settings.width = Int32(clamping: used.width)
        settings.height = Int32(clamping: used.height)
        settings.imageFormat = Posed_V1_ImageFormat(format)
    }
}

extension Posed_V1_CacheUse {
    /// What was found ready.
    package init(_ cache: CacheUse) {
        self.init()
        source = cache.source
        pose = cache.pose
    }
}

extension Posed_V1_StageTimings {
    /// Where the time went: in the engine, and in writing the picture.
    ///
    /// - Parameters:
    ///   - timings: The engine's, whose `total` ends with the finished picture.
    ///   - encode: How long the picture took to write.
    ///   - total: From receipt to the reply.
    package init(_ timings: StageTimings, encode: Duration, total: Duration) {
        self.init()
        queue = Google_Protobuf_Duration(timings.queue)
        if timings.source > .zero { source = Google_Protobuf_Duration(timings.source) }
        if timings.pose > .zero { pose = Google_Protobuf_Duration(timings.pose) }
        solve = Google_Protobuf_Duration(timings.solve)
        decode = Google_Protobuf_Duration(timings.decode)
        self.encode = Google_Protobuf_Duration(encode)
        self.total = Google_Protobuf_Duration(total)
    }
}
