package import PosedPipeline
import PosedModels
package import PosedVision

/// Makes the pictures of pairs with a model. A source that several pairs in a row share is encoded once.
package final class PairMaker {
    /// The pictures of one pair, all of the pipeline's size.
    package struct Pictures {
        /// What each subject's picture is.
        package let subjects: [Subject: Image]
        /// What they are measured against.
        package let target: Image
        /// The pose as the model saw it.
        package let pose: Image
        /// The pixels that masked measures look at.
        package let mask: Mask?
    }

    private let pipeline: Pipeline
    private let data: PairSet
    private let settings: SamplingSettings
    private var last: (name: String, picture: Image, condition: Source)?

    private typealias Source = SourceCondition

    /// A maker of the pairs of `data`.
    ///
    /// - Parameter settings: How to sample; pair i, counted from 0, has the seed `settings.seed` + i.
    package init(_ pipeline: Pipeline, data: PairSet, settings: SamplingSettings) {
        self.pipeline = pipeline
        self.data = data
        self.settings = settings
    }

    /// Makes the pictures of one pair.
    ///
    /// - Throws: `VisionError`, `PipelineError` or `BackendError` when a step fails.
    package func make(_ index: Int) throws -> Pictures {
        let pair = data.pairs[index]
        let (source, copy) = try source(pair.source)
        let full = try Image(file: data.path(pair.target))
        let target = try full.resized(width: pipeline.width, height: pipeline.height)
        let pose = PoseInput.keypoints(
            pair.keypoints.measured(inWidth: full.width, height: full.height))
        let condition = try pipeline.condition(source, try pipeline.pose(pose))
        var settings = settings
        settings.seed &+= UInt64(index)
        let output = try pipeline.decode(try pipeline.sample([condition], settings).latents)[0]
        let reconstruction = try pipeline.decode(try pipeline.latents([target]))[0]
        let mask = try pair.mask.map {
            try Mask(Image(file: data.path($0)))
                .resized(width: pipeline.width, height: pipeline.height)
        }
        return Pictures(
            subjects: [.output: output, .copy: copy, .reconstruction: reconstruction],
            target: target,
            pose: try pipeline.picture(of: pose), mask: mask)
    }

    private func source(_ name: String) throws -> (Source, Image) {
        if let last, last.name == name { return (last.condition, last.picture) }
        let picture = try Image(file: data.path(name))
            .resized(width: pipeline.width, height: pipeline.height)
        let condition = try pipeline.source([picture])
        last = (name, picture, condition)
        return (condition, picture)
    }
}
